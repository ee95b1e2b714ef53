#include "region.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "linear.hpp"

namespace gmm1d {
namespace {

constexpr double SMALLEST_STD = 1e-60;  // its fourth power is far from underflow

// A node of so many values that lies beside a component, a std away, must half resolve it: it is a needle of the nodes else.
constexpr double MANY = 100.0, BESIDE = 0.5;

// The radius: in units of sqrt(n) at first; how far it grows where a whole step kept its promise; what is left of a step
// that did not, by the parabola through its slope and its gain, or where it led nowhere.
constexpr double FIRST_RADIUS = 0.25, GROWTH = 1.7, LEAST_LEFT = 0.1, MOST_LEFT = 0.6, NOWHERE = 0.3;

void measure(const Model& model, const Here& here, Metric& m) {
    const int n = model.n_free(), k = here.at.k();
    m.root.resize(n);
    m.inverse.resize(n);
    m.slope.resize(n);
    m.null.assign(n, 0.0);
    m.curvature.resize(n * n);
    double length = 0.0;
    for (int i = 0; i < n; ++i) {
        m.root[i] = std::sqrt(here.information[i]);
        m.inverse[i] = 1.0 / m.root[i];
        m.slope[i] = here.gradient[i] / m.root[i];
    }
    for (int j = 0; j < k; ++j) {
        const int f = model.owner(j);
        if (f < 0) continue;
        m.null[f] = m.root[f];
        length += m.root[f] * m.root[f];
    }
    for (double& x : m.null) x /= length > 0.0 ? std::sqrt(length) : 1.0;
    for (int i = 0; i < n; ++i) {
        const double *row = &here.hessian[i * n], inverse = m.inverse[i], null = m.null[i];
        double* to = &m.curvature[i * n];
        for (int j = 0; j < n; ++j) to[j] = null * m.null[j] - row[j] * (inverse * m.inverse[j]);
    }
}

// The length of (B + shift)^-1 g in the eigenbasis.
double length(const std::vector<double>& along, const std::vector<double>& values, double shift) {
    double sum = 0.0;
    for (std::size_t i = 0; i < along.size(); ++i) {
        const double x = along[i] == 0.0 ? 0.0 : along[i] / (values[i] + shift);
        sum += x * x;
    }
    return std::sqrt(sum);
}

// The standard deviation that values near this mean still resolve: 4 units in their last place.
double resolution(double mean, double origin) {
    constexpr double ULP = std::numeric_limits<double>::epsilon();
    return 4.0 * ULP * std::max(std::abs(mean), std::abs(mean + origin)) + SMALLEST_STD;
}

}  // namespace

bool same(const Parameters& a, const Parameters& b) {
    return a.weights == b.weights && a.means == b.means && a.stds == b.stds;
}

int collapsed(const Model& model, const Parameters& at) {
    if (at.k() == 1) return -1;  // the closed form
    const Penalty& penalty = model.penalty();
    for (int j = 0; j < at.k(); ++j) {
        if (model.owner(2 * at.k() + j) < 0) continue;
        if (at.stds[j] < resolution(at.means[j], model.data().origin())) return j;
        if (penalty.values.size < 2) continue;
        for (double side : {0.0, -1.0, 1.0}) {
            const std::int64_t i = penalty.values.nearest(at.means[j] + side * at.stds[j]);
            const double weight = penalty.values.weights[i], enough = side == 0.0 ? 1.0 : BESIDE;
            const bool counts = weight > (side == 0.0 ? penalty.c : MANY);
            if (counts && at.stds[j] < enough * penalty.values.resolution(i)) return j;
            if (!penalty.values.compressed) break;
        }
    }
    return -1;
}

void TrustRegion::start(double total_weight) {
    total_weight_ = total_weight;
    radius_ = FIRST_RADIUS * std::sqrt(total_weight);
    stalls = 0;
    shift_ = 0.0;
}

double TrustRegion::noise(const Here& here) const { return ROUNDING * (std::abs(here.objective) + total_weight_); }

void TrustRegion::propose(const Model& model, const Here& here, bool spectrum) {
    const int n = model.n_free();
    const Metric& m = metric_;
    std::vector<double>& d = scaled_;
    measure(model, here, metric_);
    smallest_eigenvalue = 1.0;
    if (spectrum || !by_factors(n, model.data().kernel())) by_eigenvectors(n);
    step_.resize(n);
    for (int i = 0; i < n; ++i) step_[i] = d[i] / m.root[i];
    const double shrink = std::max(model.largest_step(step_), 1.0);
    promise = slope_ = 0.0;
    for (int i = 0; i < n; ++i) {
        step_[i] /= shrink;
        d[i] /= shrink;
    }
    for (int i = 0; i < n; ++i) {
        double bend = 0.0;
        for (int j = 0; j < n; ++j) bend += m.curvature[i * n + j] * d[j];
        promise += d[i] * (m.slope[i] - 0.5 * bend);
        slope_ += d[i] * m.slope[i];
    }
    length_ = 0.0;
    for (double x : d) length_ += x * x;
    length_ = std::sqrt(length_);
    below_rounding = promise < noise(here);
}

// The step (B' + shift)^-1 g of length radius_ or so, by Cholesky factors: cheaper than eigenvectors, but blind to the
// hard case. False if no shift is found. The smallest eigenvalue becomes -1 where B' is not positive definite.
bool TrustRegion::by_factors(int n, const Kernel& kernel) {
    constexpr int MOST_SHIFTS = 14;
    constexpr double FIRST_SHIFT = 1e-5, STRIDE = 8.0, ROOM = 1.1;  // a shift far beyond what is needed makes a step far too short
    const std::int64_t width = padded(n);
    std::vector<double>&factor = factor_, &d = scaled_, &w = along_;
    double shift = 0.0, least = 1.0;
    for (int j = 0; j < n; ++j) least = std::min(least, metric_.curvature[j * n + j]);
    if (least <= 0.0) {
        smallest_eigenvalue = -1.0;
        shift = std::max(-2.0 * least, FIRST_SHIFT);
    }
    for (int i = 0; i < MOST_SHIFTS; ++i) {
        factor.resize(n * width);
        for (int j = 0; j < n; ++j) {
            std::copy(&metric_.curvature[j * n + j], &metric_.curvature[j * n] + n, &factor[j * width + j]);
            factor[j * width + j] += shift;
        }
        if (!kernel.cholesky(factor.data(), n)) {
            smallest_eigenvalue = -1.0;
            shift = std::max({STRIDE * shift, FIRST_SHIFT, shift_ / STRIDE});
            continue;
        }
        substitute(factor, d = metric_.slope);
        substitute_back(factor, d);
        if (smallest_eigenvalue < 0.0) shift_ = shift;
        double squared = 0.0, slope = 0.0;
        for (double x : d) squared += x * x;
        if (squared <= ROOM * radius_ * radius_) return true;
        substitute(factor, w = d);  // the derivative of the length
        for (double x : w) slope += x * x;
        shift += squared / slope * (std::sqrt(squared) - radius_) / radius_;
    }
    return false;
}

// The step of length radius_ at most that promises most, by the eigenvectors of B'.
void TrustRegion::by_eigenvectors(int n) {
    std::vector<double>& d = scaled_;
    d.assign(n, 0.0);
    if (n == 0) return;
    const Eigen e = eigen(metric_.curvature, n);
    smallest_eigenvalue = e.values[0];
    std::vector<double> along(n);
    for (int j = 0; j < n; ++j) {
        for (int i = 0; i < n; ++i) along[j] += e.vectors[i * n + j] * metric_.slope[i];
        if (std::abs(e.values[j]) < 1e-10) along[j] = 0.0;
    }
    const bool convex = smallest_eigenvalue > -1e-10;
    double shift = 0.0, hard = 0.0;
    if (!convex || length(along, e.values, 0.0) > radius_) {
        double low = std::max(0.0, -smallest_eigenvalue);
        double high = low + length(along, std::vector<double>(n, 0.0), 1.0) / radius_;
        low += 1e-12 * (1.0 + low);
        shift = low;
        const double there = length(along, e.values, low);
        if (there < radius_) {  // the hard case: on along the negative curvature
            hard = convex ? 0.0 : std::sqrt(radius_ * radius_ - there * there);
        } else {
            for (int i = 0; i < 60 && high - low > 1e-4 * high; ++i) {
                shift = 0.5 * (low + high);
                (length(along, e.values, shift) > radius_ ? low : high) = shift;
            }
            shift = high;
        }
    }
    for (int j = 0; j < n; ++j) {
        double x = along[j] == 0.0 ? 0.0 : along[j] / (e.values[j] + shift);
        if (j == 0) x += along[0] < 0.0 ? -hard : hard;
        for (int i = 0; i < n; ++i) d[i] += e.vectors[i * n + j] * x;
    }
}

TrustRegion::Move TrustRegion::move(Model& model, Here& here, bool or_em) {
    Here& to = to_;
    for (bool again : {true, false}) {
        model.move(here.at, step_, to.at);
        const bool resolved = collapsed(model, to.at) < 0;
        if (resolved && !model.evaluate(to, Detail::INFORMATION)) return Move::INTERRUPTED;
        const double gain = to.objective - here.objective;
        const bool accepted = resolved && std::isfinite(to.objective) && std::isfinite(to.gradient_norm) &&
                              (below_rounding ? to.gradient_norm < here.gradient_norm && gain > -noise(here) : gain > 1e-4 * promise);
        const bool idle = below_rounding && !(accepted && to.gradient_norm < 0.9 * here.gradient_norm);
        stalls = idle ? stalls + 1 : 0;
        if (accepted) {
            const double ratio = below_rounding ? 1.0 : gain / promise;
            if (ratio > 0.75 && length_ > 0.99 * radius_) radius_ *= GROWTH;
            if (ratio < 0.25) radius_ = 0.4 * length_;
            std::swap(here, to);
            return Move::NEWTON;
        }
        if (!or_em) return Move::FIXED;
        const double left = resolved && std::isfinite(gain) ? 0.5 * slope_ / (slope_ - gain) : NOWHERE;
        radius_ = std::clamp(left, LEAST_LEFT, MOST_LEFT) * length_;
        if (!again || below_rounding) break;
        propose(model, here, std::abs(smallest_eigenvalue) != 1.0);
    }
    if (collapsed(model, here.next) >= 0) return Move::COLLAPSED;
    if (same(here.at, here.next)) return Move::FIXED;
    to.at = here.next;
    if (!model.evaluate(to, Detail::INFORMATION)) return Move::INTERRUPTED;
    std::swap(here, to);
    return Move::EM;
}

Certificate certify(const Model& model, const Here& here) {
    const int n = model.n_free(), k = here.at.k();
    Certificate out{here.log_likelihood, here.gradient_norm, 0.0, 1.0, here.entropy, {}};
    if (n > 0) {
        Metric m;
        measure(model, here, m);
        const Eigen e = eigen(m.curvature, n);
        out.smallest_eigenvalue = e.values[0];
        double squared = 0.0;
        for (int j = 0; j < n; ++j) {
            double along = 0.0;
            for (int i = 0; i < n; ++i) along += e.vectors[i * n + j] * m.slope[i];
            if (std::abs(e.values[j]) > 1e-10) squared += along * along / std::abs(e.values[j]);
        }
        out.newton_decrement = std::sqrt(squared);
        if (e.values[0] <= CURVATURE) return out;
        std::vector<double> free(n * n);
        for (int a = 0; a < n; ++a) {
            for (int b = 0; b < n; ++b) {
                double sum = -m.null[a] * m.null[b];
                for (int j = 0; j < n; ++j) sum += e.vectors[a * n + j] * e.vectors[b * n + j] / e.values[j];
                free[a * n + b] = sum / m.root[a] / m.root[b];
            }
        }
        out.covariance.assign(9 * k * k, 0.0);
        const auto unit = [&](int full) { return full / k == 1 ? here.at.stds[full - k] : 1.0; };
        for (int a = 0; a < 3 * k; ++a) {
            for (int b = 0; b < 3 * k; ++b) {
                if (model.owner(a) < 0 || model.owner(b) < 0) continue;
                out.covariance[a * 3 * k + b] = free[model.owner(a) * n + model.owner(b)] * unit(a) * unit(b);
            }
        }
    } else {
        out.covariance.assign(9 * k * k, 0.0);
    }
    return out;
}

}  // namespace gmm1d

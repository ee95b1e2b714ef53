// The sums of a pass, with z in units of s_j about mu_j:
//   N_j = sum w r_j,  S1_j = sum w r_j z_j,  S2_j = sum w r_j z_j^2,  and so on.
#include "model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gmm1d {
namespace {

constexpr double LOG_2PI = 1.8378770664093454836;
constexpr double SCALE = 0x1p64, LOG_SCALE = 44.361419555836499802;
constexpr double LEAST_SHARE = 1e-8;  // of the information that a vanished component keeps, so that nothing divides by zero

bool subnormal(double weight) { return weight < std::numeric_limits<double>::min(); }

double sum(const double* values, int size) {
    Sum total{0.0, 0.0};
    for (int i = 0; i < size; ++i) total.add(values[i]);
    return total.value();
}

}  // namespace

std::int64_t Distinct::nearest(double x) const {
    const std::int64_t above = below(values, size, x);
    if (above == 0 || (above < size && values[above] - x < x - values[above - 1])) return above;
    return above - 1;
}

double Distinct::gap(std::int64_t i) const {
    const double infinity = std::numeric_limits<double>::infinity();
    return std::min(i > 0 ? values[i] - values[i - 1] : infinity, i + 1 < size ? values[i + 1] - values[i] : infinity);
}

double Distinct::resolution(std::int64_t i) const {
    constexpr double TIED = 0.25, COMPRESSED = 0.45;  // two nodes alone that stand for a group are 2 of its stds apart
    constexpr double ALONE = 4.0;                     // times as far from the one neighbour as from the other
    const double near = gap(i);
    if (!compressed || i == 0 || i + 1 == size) return TIED * near;
    const double far = std::max(values[i] - values[i - 1], values[i + 1] - values[i]);
    // A narrow component gains by the error of the rule that pairs of nodes are: as many nats as they stand for values, times about exp(-5 (std / far)^2).
    return COMPRESSED * (far < ALONE * near ? far * std::sqrt(std::max(1.0, std::log(weights[i] / 8.0))) : near);
}

Model::Model(Accumulator& data, int k, const Penalty& penalty, const Constraints& constraints)
    : data_(data), k_(k), penalty_(penalty), constraints_(constraints), owner_(3 * k, -1) {
    const auto count_free = [&](const std::vector<bool>& which) {
        return which.empty() ? k : static_cast<int>(std::count(which.begin(), which.end(), false));
    };
    const bool weights_move = count_free(constraints.weights) > 1;
    for (int j = 0; j < k; ++j) {
        if (weights_move && !fixed(constraints.weights, j)) owner_[j] = n_free_++;
    }
    free_weights_ = n_free_;
    for (int j = 0; j < k; ++j) {
        if (!fixed(constraints.means, j)) owner_[k + j] = n_free_++;
    }
    for (int j = 0; j < k; ++j) {
        if (fixed(constraints.stds, j)) continue;
        owner_[2 * k + j] = constraints.equal_stds && j > 0 ? owner_[2 * k] : n_free_++;
    }
    held_.assign(k, false);
    sums_.resize(gmm1d::sums(Detail::INFORMATION, k) + 3 * k);
    logs_ = &sums_[gmm1d::sums(Detail::INFORMATION, k)];
}

// What the fixed weights leave; not the sum of the free ones, whose rounding errors would pile up.
double Model::free_mass(const Parameters& at) const {
    double mass = 1.0;
    for (int j = 0; j < k_; ++j) mass -= free_weight(j) ? 0.0 : at.weights[j];
    return mass;
}

bool Model::evaluate(Here& here, Detail detail) {
    const Parameters& at = here.at;
    const Kernel& kernel = data_.kernel();
    double *log_scale = logs_, *log_std = logs_ + k_, *inverse = logs_ + 2 * k_;
    for (int j = 0; j < k_; ++j) {
        log_scale[j] = at.weights[j] * (subnormal(at.weights[j]) ? SCALE : 1.0);
        log_std[j] = at.stds[j];
    }
    kernel.log(log_scale, log_scale, 2 * k_);
    for (int j = 0; j < k_; ++j) {
        log_scale[j] = at.weights[j] > 0.0 ? log_scale[j] - (subnormal(at.weights[j]) ? LOG_SCALE : 0.0) - log_std[j]
                                           : -std::numeric_limits<double>::infinity();
        inverse[j] = 1.0 / at.stds[j];
    }
    double* s = sums_.data();
    if (!data_.run({k_, log_scale, at.means.data(), inverse, data_.neglected()}, detail, s)) return false;

    const double* counts = s + 1;
    const double n = here.n = sum(counts, k_);
    here.log_likelihood = s[0] - 0.5 * LOG_2PI * n;
    here.objective = here.log_likelihood;
    here.entropy = here.log_likelihood + 0.5 * LOG_2PI * n + 0.5 * sum(counts + 2 * k_, k_);
    for (int j = 0; j < k_; ++j) {
        if (counts[j] > 0.0) here.entropy -= counts[j] * log_scale[j];
        if (penalty_.c > 0.0 && owner_[2 * k_ + j] >= 0) here.objective += penalty_.c * log_std[j];
        if (penalty_.d > 0.0 && free_weight(j)) here.objective += penalty_.d * (log_scale[j] + log_std[j]);
    }
    here.entropy = std::max(here.entropy, 0.0);
    m_step(s, at, here.next);
    add_gradient(s, here);
    if (detail == Detail::INFORMATION) add_hessian(s, here);
    return true;
}

// m = S1 / N;  pi = (N + d) / (n + k d);  mu += s m;  s^2 (S2 - N m^2) / (N - c), at most the widest;  a fixed mean has m = 0.
void Model::m_step(const double* s, const Parameters& from, Parameters& to) const {
    const double *counts = s + 1, *first = counts + k_, *second = first + k_;
    const double n = sum(counts, k_);
    double free_count = free_weights_ * penalty_.d, pooled = 0.0;
    const double mass = free_mass(from);
    to = from;
    for (int j = 0; j < k_; ++j) free_count += free_weight(j) ? counts[j] : 0.0;
    for (int j = 0; j < k_; ++j) {
        const double count = counts[j];
        const bool moves = free_weight(j) && free_count >= n * 1e-290;  // where no free one has data, their weights stay
        if (moves) to.weights[j] = mass * (count + penalty_.d) / free_count;
        if (count < n * 1e-290) {  // no data at all: mean and standard deviation stay where they are
            if (moves && penalty_.d == 0.0) to.weights[j] = 0.0;
            continue;
        }
        const double std = from.stds[j], d = owner_[k_ + j] < 0 ? 0.0 : first[j] / count;
        const double spread = std::max(second[j] - count * d * d, 0.0) * std * std;
        to.means[j] += std * d;
        pooled += spread;
        if (owner_[2 * k_ + j] < 0) continue;
        to.stds[j] = count > penalty_.c ? std::min(std::sqrt(spread / (count - penalty_.c)), penalty_.widest) : penalty_.widest;
    }
    if (constraints_.equal_stds) std::fill(to.stds.begin(), to.stds.end(), std::sqrt(pooled / n));
}

// (N - n pi + d (1 - k pi);  S1;  S2 - N + c), summed over what moves together, and the complete-data information. A std
// that would grow beyond the widest is held there.
void Model::add_gradient(const double* s, Here& here) {
    const Parameters& at = here.at;
    const double *counts = s + 1, *first = counts + k_, *second = first + k_;
    const double n = sum(counts, k_), mass = free_mass(at);
    double free_count = free_weights_ * penalty_.d;
    for (int j = 0; j < k_; ++j) free_count += free_weight(j) ? counts[j] : 0.0;
    here.gradient.assign(n_free_, 0.0);
    here.information.assign(n_free_, 0.0);
    const auto add = [&](int full, double slope, double information) {
        const int f = owner_[full];
        if (f < 0) return;
        here.gradient[f] += slope;
        here.information[f] += n * std::max(information, LEAST_SHARE);
    };
    for (int j = 0; j < k_; ++j) {
        const double weight = at.weights[j], steepness = second[j] - counts[j] + penalty_.c;
        held_[j] = at.stds[j] >= penalty_.widest && steepness > 0.0;
        add(j, counts[j] + penalty_.d - free_count * (mass > 0.0 ? weight / mass : 0.0), weight);
        add(k_ + j, first[j], weight);
        add(2 * k_ + j, held_[j] ? 0.0 : steepness, 2.0 * weight);
    }
    here.gradient_norm = 0.0;
    for (int f = 0; f < n_free_; ++f) {
        const double scaled = std::abs(here.gradient[f]) / std::sqrt(n * here.information[f]);
        if (!(scaled <= here.gradient_norm)) here.gradient_norm = scaled;  // NaN stays
    }
}

// H = -C + for every j: EE += M0, EM += M1, ET += M2 - M0, MM += M2 - M0, MT += M3 - 3 M1,
//     TT += M4 - 4 M2 + M0;  and EE -= (n + k d) (diag(pi) - pi pi')        (Louis 1982)
// Where some weights are fixed, the log-odds of the others are centred: rows and columns E become (I - p 1') E.
void Model::add_hessian(const double* s, Here& here) {
    const int size = 3 * k_;
    const Parameters& at = here.at;
    const double *m0 = s + 1, *m1 = m0 + k_, *m2 = m1 + k_, *m3 = m2 + k_, *m4 = m3 + k_, *c = m4 + k_;
    std::vector<double>& h = full_;
    h.resize(size * size);
    for (int a = 0; a < size; ++a) {
        for (int b = a; b < size; ++b) h[a * size + b] = -*c++;
    }
    for (int j = 0; j < k_; ++j) {
        const int e = j, m = k_ + j, t = 2 * k_ + j;
        h[e * size + e] += m0[j];
        h[e * size + m] += m1[j];
        h[e * size + t] += m2[j] - m0[j];
        h[m * size + m] += m2[j] - m0[j];
        h[m * size + t] += m3[j] - 3.0 * m1[j];
        h[t * size + t] += m4[j] - 4.0 * m2[j] + m0[j];
    }
    for (int a = 0; a < size; ++a) {
        for (int b = 0; b < a; ++b) h[a * size + b] = h[b * size + a];
    }
    const double mass = free_mass(at);
    double free_count = free_weights_ * penalty_.d;
    for (int j = 0; j < k_; ++j) free_count += free_weight(j) ? m0[j] : 0.0;
    const auto share = [&](int j) { return mass > 0.0 && free_weight(j) ? at.weights[j] / mass : 0.0; };
    if (!constraints_.weights.empty()) {
        for (int pass = 0; pass < 2; ++pass) {  // rows, then columns
            for (int b = 0; b < size; ++b) {
                const auto at_row = [&](int j) -> double& { return pass ? h[b * size + j] : h[j * size + b]; };
                double total = 0.0;
                for (int j = 0; j < k_; ++j) total += free_weight(j) ? at_row(j) : 0.0;
                for (int j = 0; j < k_; ++j) at_row(j) -= share(j) * total;
            }
        }
    }
    for (int j = 0; j < k_; ++j) {
        h[j * size + j] -= free_count * share(j);
        for (int i = 0; i < k_; ++i) h[j * size + i] += free_count * share(j) * share(i);
    }
    if (n_free_ == size) here.hessian = h;
    else here.hessian.assign(n_free_ * n_free_, 0.0);
    for (int a = 0; a < size && n_free_ < size; ++a) {
        for (int b = 0; b < size; ++b) {
            if (owner_[a] >= 0 && owner_[b] >= 0) here.hessian[owner_[a] * n_free_ + owner_[b]] += h[a * size + b];
        }
    }
    for (int j = 0; j < k_; ++j) {
        const int f = owner_[2 * k_ + j];
        if (!held_[j] || f < 0) continue;
        for (int a = 0; a < n_free_; ++a) here.hessian[a * n_free_ + f] = here.hessian[f * n_free_ + a] = 0.0;
        here.hessian[f * n_free_ + f] = -here.information[f];
    }
}

void Model::move(const Parameters& from, const std::vector<double>& step, Parameters& to) {
    const auto change = [&](int i) { return owner_[i] < 0 ? 0.0 : step[owner_[i]]; };
    full_.resize(3 * k_);
    for (int i = 0; i < 3 * k_; ++i) full_[i] = change(i);
    data_.kernel().exp(full_.data(), full_.data(), 3 * k_);
    to = from;
    double total = 0.0;
    for (int j = 0; j < k_; ++j) {
        if (free_weight(j)) total += to.weights[j] *= full_[j];
        to.means[j] += from.stds[j] * change(k_ + j);
        to.stds[j] = std::min(to.stds[j] * full_[2 * k_ + j], std::max(penalty_.widest, from.stds[j]));
    }
    const double mass = free_mass(from);
    for (int j = 0; j < k_ && total > 0.0; ++j) {
        if (free_weight(j)) to.weights[j] *= mass / total;
    }
}

Parameters Model::constrained(Parameters at) const {
    if (constraints_.equal_stds) {
        double pooled = 0.0;
        for (int j = 0; j < k_; ++j) pooled += at.weights[j] * at.stds[j] * at.stds[j];
        std::fill(at.stds.begin(), at.stds.end(), std::sqrt(pooled));
    }
    return at;
}

double Model::largest_step(const std::vector<double>& step) const {
    constexpr double MOST[] = {4.0, 3.0, 1.0};  // log-odds, means in stds, log stds
    double largest = 0.0;
    for (int i = 0; i < 3 * k_; ++i) {
        if (owner_[i] >= 0) largest = std::max(largest, std::abs(step[owner_[i]]) / MOST[i / k_]);
    }
    return largest;
}

}  // namespace gmm1d

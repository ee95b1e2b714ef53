#include "places.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "moves.hpp"

namespace gmm1d {
namespace {

constexpr double REACH = 5.0;           // beyond so many stds a window's density counts as zero
constexpr int BROAD = 4;                // windows of down to n / 2^BROAD are all looked at closely ...
constexpr std::size_t NARROW = 12;      // ... and so many narrower ones
constexpr double FEWEST = 6.0;          // values in a window
constexpr double FEW = 20.0;            // of few values: a window of no more, that others would always outdo
constexpr double HALF_LOG_2PI = 0.9189385332046727;

// Of f(0) ... f(size - 1), four at a time.
template <typename F>
double sum(std::int64_t size, F f) {
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    std::int64_t i = 0;
    for (; i + 4 <= size; i += 4) {
        for (int l = 0; l < 4; ++l) sums[l] += f(i + l);
    }
    for (; i < size; ++i) sums[0] += f(i);
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

double dot(const double* a, const double* b, std::int64_t size) {
    return sum(size, [&](std::int64_t i) { return a[i] * b[i]; });
}

// The component that S pays the least for in two halves. Each half must hold enough to keep its std.
int easiest(const Parameters& base, const Penalty& penalty, double n) {
    int which = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (int j = 0; j < base.k(); ++j) {
        const double half = 0.5 * base.weights[j] * n;
        const double gain = (half > 2.0 * penalty.c ? penalty.c * std::log(base.stds[j]) : -1e3) + penalty.d * std::log(base.weights[j]);
        if (gain > most) {
            most = gain;
            which = j;
        }
    }
    return which;
}

}  // namespace

Places::Places(const Nodes& coarse, const Kernel& kernel, bool equal_stds, const std::vector<Crowd>& crowds)
    : coarse_(coarse), kernel_(kernel), equal_stds_(equal_stds) {
    const std::int64_t m = coarse.size();
    log_density_.resize(m);
    buffer_.resize(m);
    ratio_.resize(m);
    upto_.reserve(m + 1);
    upto_.push_back(0.0);
    for (double w : coarse.weights) upto_.push_back(upto_.back() + w);
    cut();
    logs_.resize(narrow_.size());
    for (std::size_t i = 0; i < narrow_.size(); ++i) logs_[i] = narrow_[i].log_density;
    kernel.log(logs_.data(), logs_.data(), logs_.size());
    for (std::size_t i = 0; i < narrow_.size(); ++i) narrow_[i].log_density = logs_[i] + HALF_LOG_2PI;
    for (const Crowd& crowd : crowds) {
        const auto from = coarse.values.begin();
        const auto first = std::lower_bound(from, coarse.values.end(), crowd.low) - from;
        const auto last = std::upper_bound(from, coarse.values.end(), crowd.high) - from;
        if (last - first >= 2) add(first, last, false);
    }
}

// log p at the nodes, without the constant.
void Places::densities(const Parameters& base) {
    const int k = base.k();
    const std::int64_t m = coarse_.size();
    const double* x = coarse_.values.data();
    std::vector<double> logs(k), scores(k * m);
    for (int j = 0; j < k; ++j) logs[j] = std::max(base.weights[j] / base.stds[j], 1e-300);
    kernel_.log(logs.data(), logs.data(), k);
    std::fill(log_density_.begin(), log_density_.end(), -std::numeric_limits<double>::infinity());
    for (int j = 0; j < k; ++j) {
        const double mean = base.means[j], inverse = 1.0 / base.stds[j];
        double* score = &scores[j * m];
        for (std::int64_t i = 0; i < m; ++i) {
            const double z = (x[i] - mean) * inverse;
            score[i] = logs[j] - 0.5 * z * z;
            log_density_[i] = std::max(log_density_[i], score[i]);
        }
    }
    if (k == 1) return;
    std::fill(buffer_.begin(), buffer_.end(), 0.0);
    for (int j = 0; j < k; ++j) {
        double* score = &scores[j * m];
        for (std::int64_t i = 0; i < m; ++i) score[i] -= log_density_[i];
        kernel_.exp(score, score, m);
        for (std::int64_t i = 0; i < m; ++i) buffer_[i] += score[i];
    }
    kernel_.log(buffer_.data(), buffer_.data(), m);
    for (std::int64_t i = 0; i < m; ++i) log_density_[i] += buffer_[i];
}

// phi / p - 1 at the nodes within reach; returns how many there are.
std::int64_t Places::ratios(const Window& w) {
    const std::int64_t size = w.last - w.first;
    const double* x = &coarse_.values[w.first];
    const double* log_p = &log_density_[w.first];
    const double inverse = 1.0 / w.std;
    double log_std;
    kernel_.log(&w.std, &log_std, 1);
    for (std::int64_t i = 0; i < size; ++i) {
        const double z = (x[i] - w.mean) * inverse;
        buffer_[i] = std::min(-log_std - 0.5 * z * z - log_p[i], 100.0);
    }
    kernel_.exp(buffer_.data(), ratio_.data(), size);
    for (std::int64_t i = 0; i < size; ++i) ratio_[i] -= 1.0;
    return size;
}

Places::Window Places::window(const Range& range) const {
    const double *x = &coarse_.values[range.first], *w = &coarse_.weights[range.first];
    const std::int64_t size = range.last - range.first;
    const double offset = sum(size, [&](std::int64_t i) { return w[i] * (x[i] - x[0]); }) / range.weight;
    const double square = sum(size, [&](std::int64_t i) {
        const double d = (x[i] - x[0]) - offset;
        return w[i] * (d * d);
    });
    Window out{x[0] + offset, std::sqrt(square / range.weight), 0.6 * range.weight / coarse_.n, 0.0, 0, 0};
    reach(out);
    return out;
}

void Places::reach(Window& window) const { std::tie(window.first, window.last) = coarse_.within(window.mean, REACH * window.std); }

// The Gaussian that fits a window, if adding it can help, with what that would gain:
// g(a) = sum w log(1 + a R), R = phi / p - 1, is concave in its weight a, and only g'(0) > 0 can help.
void Places::consider(Window window, const Parameters& base, const Penalty& penalty, std::vector<Window>& windows) {
    if (equal_stds_) {
        window.std = base.stds[0];
        reach(window);
    }
    if (!(window.std > 0.0)) return;
    const std::int64_t size = ratios(window);
    const double *w = &coarse_.weights[window.first], outside = coarse_.n - (upto_[window.last] - upto_[window.first]);
    if (!(dot(w, ratio_.data(), size) > outside)) return;
    for (std::int64_t i = 0; i < size; ++i) buffer_[i] = 1.0 + window.share * ratio_[i];
    kernel_.log(buffer_.data(), buffer_.data(), size);
    window.gain = (outside + base.k() * penalty.d) * std::log1p(-window.share) + penalty.d * std::log(window.share) +
                  penalty.c * std::log(window.std) + dot(w, buffer_.data(), size);
    windows.push_back(window);
}

// The weight that gains most, by three Newton steps.
void Places::settle(Window& window) {
    const std::int64_t size = ratios(window);
    const double* w = &coarse_.weights[window.first];
    const double outside = coarse_.n - (upto_[window.last] - upto_[window.first]);
    for (int step = 0; step < 3; ++step) {
        double& share = window.share;
        double g1 = -outside / (1.0 - share), g2 = g1 / (1.0 - share);
        for (std::int64_t i = 0; i < size; ++i) {
            const double r = ratio_[i] / (1.0 + share * ratio_[i]);
            g1 += w[i] * r;
            g2 -= w[i] * r * r;
        }
        const double next = share - g1 / g2;
        share = next <= 0.0 ? 0.2 * share : next >= 1.0 ? 0.5 * (1.0 + share) : next;
    }
}

// The windows of n / 2, n / 4, ... points, half overlapping.
void Places::cut() {
    const double n = coarse_.n;
    double size = 0.5 * n;
    for (int halved = 1; size >= FEWEST; ++halved, size *= 0.5) {
        std::int64_t a = 0, b = 0;  // as far as the weight up to them is not above, or not below
        std::pair<std::int64_t, std::int64_t> before{-1, -1};
        for (std::int64_t i = 0; 0.5 * size * i + size < n * (1.0 + 1e-9); ++i) {
            const double from = 0.5 * size * i, to = from + size;
            while (upto_[a + 1] <= from + 1e-9 * n) ++a;
            while (upto_[b] < to - 1e-9 * n) ++b;
            if (b - a < 2 || (a == before.first && b == before.second)) continue;
            before = {a, b};
            add(a, b, halved > BROAD);
        }
        if (0.5 * size * coarse_.size() < n) break;  // most narrower ones hold single nodes
    }
    for (std::int64_t run : {2, 3, 4, 6}) {  // in the tails a node stands for few values
        for (std::int64_t a = 0; coarse_.compressed && a + run <= coarse_.size(); ++a) {
            if (upto_[a + run] - upto_[a] >= FEWEST) add(a, a + run, true);
        }
    }
}

void Places::add(std::int64_t first, std::int64_t last, bool narrow) {
    const double count = double(last - first), h = (coarse_.values[last - 1] - coarse_.values[first]) * count / (count - 1.0);
    const double weight = upto_[last] - upto_[first];
    const Range range{first, last, (first + last) / 2, weight, narrow ? weight / (coarse_.n * h) : 0.0};
    if (narrow) narrow_.push_back(range);
    else broad_.push_back(window(range));
}

// Those narrow windows that are most crowded for the model: W log(W / e) - (W - e) is largest, with the weight W in a
// length h where the model, of density p in the middle, leads to expect e = n h p.
std::vector<Places::Range> Places::crowded() {
    std::vector<std::pair<double, std::size_t>> scores;
    scores.reserve(narrow_.size());
    logs_.resize(narrow_.size());
    for (std::size_t i = 0; i < narrow_.size(); ++i) logs_[i] = log_density_[narrow_[i].middle] - narrow_[i].log_density;
    kernel_.exp(logs_.data(), logs_.data(), logs_.size());
    for (std::size_t i = 0; i < narrow_.size(); ++i) {
        const Range& range = narrow_[i];
        const double log_ratio = range.log_density - log_density_[range.middle];
        if (log_ratio > 0.0) scores.emplace_back(range.weight * (log_ratio - 1.0 + logs_[i]), i);
    }
    const std::size_t most = std::min(NARROW, scores.size());
    const auto higher = [](const auto& x, const auto& y) { return x.first != y.first ? x.first > y.first : x.second < y.second; };
    std::nth_element(scores.begin(), scores.begin() + most, scores.end(), higher);
    std::sort(scores.begin(), scores.begin() + most, higher);
    std::vector<Range> out;
    for (std::size_t i = 0; i < most; ++i) out.push_back(narrow_[scores[i].second]);
    return out;
}

// Two halves of a component, apart in the direction of mean and log std in which the likelihood rises most, if it does: as they
// leave each other, its second derivative is sum w r (grad grad' phi) / phi.
Parameters Places::parted(const Parameters& base, int j) {
    constexpr double APART = 0.3;
    const double inverse = 1.0 / base.stds[j], log_scale = std::log(base.weights[j] * inverse);
    const auto z = [&](std::int64_t i) { return (coarse_.values[i] - base.means[j]) * inverse; };
    for (std::int64_t i = 0; i < coarse_.size(); ++i) buffer_[i] = log_scale - 0.5 * z(i) * z(i) - log_density_[i];
    kernel_.exp(buffer_.data(), buffer_.data(), coarse_.size());
    double m[5] = {};
    for (std::int64_t i = 0; i < coarse_.size(); ++i) {
        double term = coarse_.weights[i] * buffer_[i];
        for (double& sum : m) {
            sum += term;
            term *= z(i);
        }
    }
    const double mean = m[2] - m[0], cross = m[3] - 3.0 * m[1], log_std = m[4] - 4.0 * m[2] + m[0];
    const double spread = std::sqrt((mean - log_std) * (mean - log_std) + 4.0 * cross * cross);
    Parameters out = doubled(base, j);
    if (!(mean + log_std + spread > 0.0)) return out;
    const double tilt = spread > 0.0 ? (mean - log_std) / spread : 1.0;
    const double shift = APART * std::sqrt(0.5 * (1.0 + tilt)) * base.stds[j];
    const double factor = std::exp(std::copysign(APART * std::sqrt(0.5 * (1.0 - tilt)), cross));
    out.means[j] -= shift;
    out.means.back() += shift;
    out.stds[j] /= factor;
    out.stds.back() *= factor;
    return out;
}

std::vector<Parameters> Places::candidates(const Parameters& base, int count, const Penalty& penalty, const Parameters& from,
                                           const std::vector<int>& gone) {
    densities(base);
    std::vector<Window> windows, kept;
    for (int j : gone) kept.push_back({from.means[j], from.stds[j], 0.0, 0.0, 0, 0});
    for (const Window& each : broad_) consider(each, base, penalty, windows);
    for (const Range& range : crowded()) consider(window(range), base, penalty, windows);
    std::stable_sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) { return a.gain > b.gain; });
    bool few = false;
    for (const Window& w : windows) {
        if (count <= 0 && (few || w.share * coarse_.n > FEW)) continue;
        const bool differs = std::all_of(kept.begin(), kept.end(), [&](const Window& other) {
            const double ratio = w.std / other.std;
            return std::abs(w.mean - other.mean) >= 0.7 * std::max(w.std, other.std) || ratio > 1.82 || ratio < 0.55;
        });
        if (!differs) continue;
        kept.push_back(w);
        if (count-- <= 0) few = true;
    }
    std::vector<Parameters> starts;
    for (std::size_t i = gone.size(); i < kept.size(); ++i) {
        settle(kept[i]);
        Parameters start = base;
        for (double& each : start.weights) each *= 1.0 - kept[i].share;
        start.weights.push_back(kept[i].share);
        start.means.push_back(kept[i].mean);
        start.stds.push_back(kept[i].std);
        starts.push_back(std::move(start));
    }
    if (penalty.any() && base.k() > 0) starts.push_back(parted(base, easiest(base, penalty, coarse_.n)));
    return starts;
}

}  // namespace gmm1d

#include "places.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace gmm1d {
namespace {

constexpr double REACH = 6.5;           // beyond so many stds a window's density counts as zero
constexpr std::size_t CROWDED = 12, MOST_CROWDED = 24;  // narrow windows that are looked at closely for each one wanted
constexpr double CORE = 1.4;            // stds of a group for one of the window in which it stands out most
constexpr double WIDER = 1.05e-3;        // of the std of all: as narrow as a group of few values may be
constexpr int FEWEST_CROWDS = 3;        // that are tried if there are
constexpr std::int64_t DENSE = 1000;    // so many nodes at most are looked at one by one

// Which scores are the highest, one after the other; of equal ones, the first.
class Highest {
public:
    explicit Highest(const std::vector<double>& scores) : scores_(scores) {}

    // -1 after the last.
    int next() {
        if (at_ == found_) find();
        return at_ < found_ ? best_[at_++] : -1;
    }

private:
    static constexpr int PART = 16;

    bool before(int i, int j) const { return scores_[i] != scores_[j] ? scores_[i] > scores_[j] : i < j; }

    // The best of those after the last found.
    void find() {
        const int last = found_ > 0 ? best_[found_ - 1] : -1, size = static_cast<int>(scores_.size());
        double bar = -std::numeric_limits<double>::infinity();
        at_ = found_ = 0;
        for (int i = 0; i < size; ++i) {
            if (scores_[i] < bar || (found_ == PART && !before(i, best_[PART - 1])) || (last >= 0 && !before(last, i))) continue;
            int to = found_ < PART ? found_++ : PART - 1;
            for (; to > 0 && before(i, best_[to - 1]); --to) best_[to] = best_[to - 1];
            best_[to] = i;
            if (found_ == PART) bar = scores_[best_[PART - 1]];
        }
    }

    const std::vector<double>& scores_;
    int best_[PART], found_ = 0, at_ = 0;
};

}  // namespace

Places::Places(const Nodes& full, const Nodes& coarse, const Kernel& kernel, bool equal_stds, int broad, int halvings,
               const std::vector<Crowd>& crowds)
    : full_(full), coarse_(coarse), kernel_(kernel), equal_stds_(equal_stds), broad_(broad), halvings_(halvings) {
    const std::int64_t m = coarse.size();
    log_density_.resize(m);
    buffer_.resize(m);
    ratio_.resize(m);
    upto_.reserve(m + 1);
    upto_.push_back(0.0);
    for (double w : coarse.weights) upto_.push_back(upto_.back() + w);
    for (const Crowd& crowd : crowds) {
        const auto from = coarse.values.begin();
        const auto first = std::lower_bound(from, coarse.values.end(), full.values[crowd.first]) - from;
        const auto last = std::upper_bound(from, coarse.values.end(), full.values[crowd.last - 1]) - from;
        if (last - first >= 2) crowds_.push_back({first, last});
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

// The Gaussian that fits the nodes first ... last - 1, if adding it can help, with what its weight there would gain:
// g(a) = sum w log(1 + a R), R = phi / p - 1, is concave in the weight a, and only g'(0) > 0 can help.
void Places::consider(std::int64_t first, std::int64_t last, const Parameters& base, std::vector<Window>& windows, double stretch) {
    const double *x = coarse_.values.data(), *w = coarse_.weights.data();
    const double n = coarse_.n, origin = x[first];
    double weight = 0.0, mean = 0.0, square = 0.0;
    for (std::int64_t i = first; i < last; ++i) {
        weight += w[i];
        mean += w[i] * (x[i] - origin);
    }
    mean = origin + mean / weight;
    for (std::int64_t i = first; i < last; ++i) square += w[i] * (x[i] - mean) * (x[i] - mean);
    Window window{mean, equal_stds_ ? base.stds[0] : stretch * std::sqrt(square / weight), 0.6 * weight / n, 0.0, 0, 0};
    const auto sound = [&] { return window.std >= 1e-2 * full_.std || judge(full_, 3.0 / n, mean, window.std) <= Verdict::DENSE; };
    if (stretch > 1.0 && !sound()) window.std = std::max(window.std, WIDER * full_.std);
    if (!(window.std > 0.0) || !sound()) return;
    std::tie(window.first, window.last) = coarse_.within(mean, REACH * window.std);
    const std::int64_t size = ratios(window);
    w += window.first;
    double slope = -(n - (upto_[window.last] - upto_[window.first]));
    for (std::int64_t i = 0; i < size; ++i) slope += w[i] * ratio_[i];
    if (!(slope > 0.0)) return;
    for (std::int64_t i = 0; i < size; ++i) buffer_[i] = 1.0 + window.share * ratio_[i];
    kernel_.log(buffer_.data(), buffer_.data(), size);
    window.gain = (n - (upto_[window.last] - upto_[window.first])) * std::log1p(-window.share);
    for (std::int64_t i = 0; i < size; ++i) window.gain += w[i] * buffer_[i];
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

// The windows of n / 2, n / 4, ... points, half overlapping: broad ones, then narrow ones.
void Places::cut(std::vector<Range>& broad, std::vector<Range>& narrow) const {
    const double n = coarse_.n;
    double size = 0.5 * n;
    for (int halved = 1; halved <= halvings_ && size >= 3.0 * n / double(full_.size()); ++halved, size *= 0.5) {
        std::int64_t a = 0, b = 0;  // as far as the weight up to them is not above, or not below
        for (int i = 0; 0.5 * size * i + size < n * (1.0 + 1e-9); ++i) {
            const double from = 0.5 * size * i, to = from + size;
            while (upto_[a + 1] <= from + 1e-9 * n) ++a;
            while (upto_[b] < to - 1e-9 * n) ++b;
            if (b - a >= 2) (halved > broad_ ? narrow : broad).push_back({a, b});
        }
    }
}

// Of the narrow windows, and of every 3, 4 and 6 neighbouring values, those that are most crowded for their model:
// with weight W in a length h, W log(W / (n h p)) is largest.
void Places::crowded(const std::vector<Range>& ranges, const Parameters& base, std::size_t most, std::vector<Window>& windows) {
    const std::int64_t m = coarse_.size();
    const double* x = coarse_.values.data();
    const bool rules = m < full_.size();  // then 2 nodes may stand for many values
    const std::int64_t cut = ranges.size();
    std::int64_t size = cut;
    std::vector<std::pair<std::int64_t, std::int64_t>> runs;  // from where on how many neighbours
    for (std::int64_t neighbours : {2, 3, 4, 6}) {
        if (m > DENSE || m < neighbours || (neighbours == 2 && !rules)) continue;
        runs.emplace_back(size, neighbours);
        size += m - neighbours + 1;
    }
    std::vector<double> weights(size), scores(size), densities(size);
    const auto look = [&](std::int64_t i, std::int64_t a, std::int64_t b, double stretch) {
        weights[i] = upto_[b] - upto_[a];
        scores[i] = weights[i] / (stretch * (x[b - 1] - x[a]));
        densities[i] = log_density_[(a + b) / 2];
    };
    const auto stretch = [&](std::int64_t count) { return coarse_.n * double(count) / double(count - 1); };
    for (std::int64_t i = 0; i < cut; ++i) look(i, ranges[i].first, ranges[i].last, stretch(ranges[i].last - ranges[i].first));
    for (const auto& [begin, neighbours] : runs) {
        const double longer = stretch(neighbours);
        for (std::int64_t a = 0; a + neighbours <= m; ++a) look(begin + a, a, a + neighbours, longer);
    }
    kernel_.log(scores.data(), scores.data(), size);
    for (std::int64_t i = 0; i < size; ++i) scores[i] = weights[i] * (scores[i] - densities[i] + 0.9189385332046727);
    const auto add = [&](std::size_t count) {
        const std::size_t end = windows.size() + count;
        Highest highest(scores);
        for (int i = highest.next(); i >= 0 && windows.size() < end; i = highest.next()) {
            Range range = i < cut ? ranges[i] : Range{};
            for (const auto& [begin, neighbours] : runs) {
                if (i >= begin) range = {i - begin, i - begin + neighbours};
            }
            consider(range.first, range.last, base, windows);
        }
    };
    add(most);
    if (!rules) return;
    for (std::int64_t i = 0; i < size; ++i) scores[i] /= std::sqrt(weights[i]);
    add(most / 2);  // those that stand out most for what they hold
}

// The best windows that differ, added to the base: so many broad ones, so many narrow ones and so many crowds.
std::vector<Parameters> Places::candidates(const Parameters& base, int count) {
    densities(base);
    std::vector<Range> broad, narrow;
    std::vector<Window> kinds[3];
    cut(broad, narrow);
    for (const Range& r : broad) consider(r.first, r.last, base, kinds[0]);
    crowded(narrow, base, std::min<std::size_t>(MOST_CROWDED, CROWDED * count), kinds[1]);
    for (const Range& r : crowds_) consider(r.first, r.last, base, kinds[2], CORE);
    std::vector<Window> kept;
    for (auto& kind : kinds) {
        const bool crowd = &kind == &kinds[2];
        std::stable_sort(kind.begin(), kind.end(), [](const Window& a, const Window& b) { return a.gain > b.gain; });
        const std::size_t most = kept.size() + (crowd ? std::max(count, FEWEST_CROWDS) : count);
        for (const Window& w : kind) {
            const bool differs = std::all_of(kept.begin(), kept.end(), [&](const Window& other) {
                const double ratio = w.std / other.std;
                return std::abs(w.mean - other.mean) >= 0.7 * std::max(w.std, other.std) || ratio > 1.82 || ratio < 0.55;
            });
            if (differs) kept.push_back(w);
            if (kept.size() == most) break;
        }
    }
    std::vector<Parameters> starts;
    for (Window& w : kept) {
        settle(w);
        Parameters start;
        for (auto row : {&Parameters::weights, &Parameters::means, &Parameters::stds}) {
            (start.*row).reserve(base.k() + 1);
            start.*row = base.*row;
        }
        for (double& each : start.weights) each *= 1.0 - w.share;
        start.weights.push_back(w.share);
        start.means.push_back(w.mean);
        start.stds.push_back(w.std);
        starts.push_back(std::move(start));
    }
    return starts;
}

}  // namespace gmm1d

#include "nodes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ordered.hpp"

namespace gmm1d {
namespace {

double x_before(const std::vector<double>& x) { return x.empty() ? -std::numeric_limits<double>::infinity() : x.back(); }

// Appends the 2-point Gauss rule of the values first ... last - 1: the rule has the same moments up to the third.
void append_rule(const Nodes& from, std::int64_t first, std::int64_t last, std::vector<double>& x, std::vector<double>& w) {
    const double *v = from.values.data(), *c = from.weights.data();
    if (last - first > 2) {
        double n = 0.0, mean = 0.0, m2 = 0.0, m3 = 0.0;
        for (std::int64_t i = first; i < last; ++i) {
            n += c[i];
            mean += c[i] * (v[i] - v[first]);
        }
        mean = v[first] + mean / n;
        for (std::int64_t i = first; i < last; ++i) {
            const double d = v[i] - mean, d2 = c[i] * d * d;
            m2 += d2;
            m3 += d2 * d;
        }
        const double std = std::sqrt(m2 / n), skew = m3 / (n * std * std * std), t = std::sqrt(1.0 + 0.25 * skew * skew);
        if (std::isfinite(skew) && mean + std * (0.5 * skew - t) > x_before(x) && t - std::abs(0.5 * skew) > 1e-9) {
            for (int side : {-1, 1}) {
                x.push_back(mean + std * (0.5 * skew + side * t));
                w.push_back(0.5 * n * (1.0 - side * 0.5 * skew / t));
            }
            return;
        }
    }
    x.insert(x.end(), v + first, v + last);
    w.insert(w.end(), c + first, c + last);
}

}  // namespace

Nodes::Nodes(std::vector<double> x, std::vector<double> w, double known_std)
    : values(std::move(x)), weights(std::move(w)), std(known_std) {
    for (double each : weights) {
        n += each;
        plain = plain && each == 1.0;
    }
    if (std < 0.0) std = moments(values.data(), weights.data(), size()).std;
    range = values.back() - values.front();
}

Accumulator Nodes::accumulator(int k, int threads, const Kernel& kernel, Poll poll, const Neglected& neglected) const {
    const auto source = [&](const std::vector<double>& from) {
        return Source{reinterpret_cast<const char*>(from.data()), sizeof(double), size(), Type::F64};
    };
    return Accumulator(source(values), plain ? std::nullopt : std::optional(source(weights)), 0.0, 1.0, k, threads, kernel, std::move(poll), 1.0, neglected);
}

Penalty Nodes::penalty(bool equal_stds) const {
    if (equal_stds) return {};
    return {1.5, 1.0, range, {values.data(), weights.data(), size(), compressed}};
}

std::pair<std::int64_t, std::int64_t> Nodes::within(double mean, double radius) const {
    return {below(values.data(), size(), mean - radius), below(values.data(), size(), mean + radius)};
}

Canonical canonical(const std::vector<double>& x, const std::vector<double>& w, bool compressed) {
    constexpr double GRID = 0x1.8p12;  // + u - GRID rounds u to multiples of 2^-40
    const std::int64_t size = x.size();
    const Quartiles up = quartiles(x.data(), w.data(), size), down = quartiles(&x.back(), &w.back(), size, -1);
    const double centre = 0.5 * (up.median + down.median), spread = 0.5 * ((up.upper - up.lower) + (down.lower - down.upper));
    double scale = spread > 0.0 ? spread : moments(x.data(), w.data(), size).std, skew = 0.0;
    if (!(scale > 0.0)) scale = 1.0;
    const double reach = std::max(x.back() - centre, centre - x.front());
    for (std::int64_t i = 0; i < size; ++i) {
        const double d = (x[i] - centre) / reach;
        skew += w[i] * d * d * d;
    }
    if (skew < 0.0) scale = -scale;
    std::vector<double> values(size), weights(size);
    std::int64_t end = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t from = scale < 0.0 ? size - 1 - i : i;
        double u = (x[from] - centre) / scale;
        if (std::abs(u) < 0x1p11) u = (u + GRID) - GRID;
        if (end > 0 && u <= values[end - 1]) weights[end - 1] += w[from];
        else {
            values[end] = u;
            weights[end++] = w[from];
        }
    }
    values.resize(end);
    weights.resize(end);
    Canonical out{Nodes(std::move(values), std::move(weights)), centre, scale};
    out.nodes.compressed = compressed;
    return out;
}

Parameters Canonical::seen(Parameters at) const {
    for (int j = 0; j < at.k(); ++j) {
        at.means[j] = (at.means[j] - centre) / scale;
        at.stds[j] /= std::abs(scale);
    }
    return at;
}

Parameters Canonical::raised(Parameters at) const {
    for (int j = 0; j < at.k(); ++j) {
        at.means[j] = centre + scale * at.means[j];
        at.stds[j] *= std::abs(scale);
    }
    if (scale < 0.0) {  // ascending means stay ascending
        for (auto* row : {&at.weights, &at.means, &at.stds}) std::reverse(row->begin(), row->end());
    }
    return at;
}

namespace {

constexpr double STRIDE = 0.25;           // a group spans no more than so much of its distance from the middle
// Where groups end around crowds, ascending: a fraction of the width of each apart inside, and ever wider outside.
std::vector<double> edges(const std::vector<Crowd>& crowds) {
    std::vector<double> out;
    for (const Crowd& crowd : crowds) {
        const double middle = 0.5 * (crowd.low + crowd.high), width = crowd.high - crowd.low;
        for (double part : {0.0, 0.2, 0.45, 0.75, 1.25, 2.0, 3.5}) {
            out.push_back(middle - part * width);
            out.push_back(middle + part * width);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

Nodes coarsened(const Nodes& nodes, int groups, const std::vector<Crowd>& crowds) {
    if (nodes.size() <= 2 * groups) return nodes;
    const std::vector<double> ends = edges(crowds);
    auto end = ends.begin();
    std::vector<double> x, w;
    x.reserve(3 * groups);
    w.reserve(3 * groups);
    std::int64_t first = 0;
    double done = 0.0;
    int closed = 0;
    for (std::int64_t i = 0; i < nodes.size(); ++i) {
        done += nodes.weights[i];
        const bool last = i + 1 == nodes.size(), full = done >= nodes.n * (closed + 1) / groups;
        const double next = last ? 0.0 : nodes.values[i + 1], from = nodes.values[first];
        const bool wide = !last && next - from > STRIDE * std::max({1.0, std::abs(next), std::abs(from)});
        bool edge = false;
        for (; end != ends.end() && (last || next > *end); ++end) edge = true;
        if (!last && !full && !wide && !edge) continue;
        append_rule(nodes, first, i + 1, x, w);
        first = i + 1;
        if (full) closed = std::max(closed + 1, static_cast<int>(done / nodes.n * groups));
    }
    Nodes out(std::move(x), std::move(w), nodes.std);
    out.range = nodes.range;
    out.compressed = true;
    return out;
}

namespace {

// k groups of consecutive values of equal total measure; a value on a cut is shared between its two groups.
Parameters grouped(const Nodes& nodes, const std::vector<double>& measure, double total, int k) {
    Parameters start{std::vector<double>(k), std::vector<double>(k), std::vector<double>(k)};
    const auto each_share = [&](auto&& take) {
        double done = 0.0;
        int j = 0;
        for (std::int64_t i = 0; i < nodes.size(); ++i) {
            const double upto = i + 1 < nodes.size() ? done + measure[i] : total;
            while (j + 1 < k && total * (j + 1) / k <= done) ++j;
            for (int g = j; g < k && total * g / k < upto; ++g) {
                const double share = std::min(upto, total * (g + 1) / k) - std::max(done, total * g / k);
                if (share > 0.0) take(g, nodes.values[i], nodes.weights[i] / measure[i] * share);
            }
            done = upto;
        }
    };
    double all = 0.0, squares = 0.0;
    each_share([&](int g, double x, double w) {
        start.weights[g] += w;
        start.means[g] += w * (x - nodes.values[0]);
    });
    for (int g = 0; g < k; ++g) {
        all += start.weights[g];
        start.means[g] = start.weights[g] > 0.0 ? nodes.values[0] + start.means[g] / start.weights[g] : nodes.values[0];
    }
    each_share([&](int g, double x, double w) { start.stds[g] += w * (x - start.means[g]) * (x - start.means[g]); });
    for (double square : start.stds) squares += square;
    double pooled = std::sqrt(squares / all);
    if (pooled == 0.0) {  // every group is a single value
        pooled = nodes.values.back() - nodes.values[0];
        for (std::int64_t i = 1; i < nodes.size(); ++i) pooled = std::min(pooled, nodes.values[i] - nodes.values[i - 1]);
        pooled *= 0.5;
    }
    for (int g = 0; g < k; ++g) {
        start.stds[g] = start.stds[g] > 0.0 ? std::sqrt(start.stds[g] / start.weights[g]) : pooled;
        start.weights[g] /= all;
    }
    return start;
}

}  // namespace

Parameters quantile_start(const Nodes& nodes, int k) {
    if (k == 1) {
        double sum = 0.0;
        for (std::int64_t i = 0; i < nodes.size(); ++i) sum += nodes.weights[i] * (nodes.values[i] - nodes.values[0]);
        return {{1.0}, {nodes.values[0] + sum / nodes.n}, {nodes.std}};
    }
    Parameters start = grouped(nodes, nodes.weights, nodes.n, k);
    for (int j = 1; j < k; ++j) {
        if (!(start.means[j] > start.means[j - 1])) {  // ties fill whole groups: cut the distinct values instead
            return grouped(nodes, std::vector<double>(nodes.size(), 1.0), double(nodes.size()), k);
        }
    }
    return start;
}

Parameters scattered(const Nodes& nodes, int k, int number) {
    std::vector<double> upto{0.0};
    for (double w : nodes.weights) upto.push_back(upto.back() + w);
    constexpr double GOLDEN = 0.6180339887498949;
    const double std = nodes.std / k * (number % 4 < 2 ? 1.0 : 0.4);
    Parameters start{std::vector<double>(k, 1.0 / k), std::vector<double>(k), std::vector<double>(k, std)};
    for (int j = 0; j < k; ++j) {
        const double share = std::fmod(GOLDEN * (number / 2 * k + j + 1), 1.0);
        const auto at = std::lower_bound(upto.begin() + 1, upto.end() - 1, (number % 2 ? 1.0 - share : share) * nodes.n);
        start.means[j] = nodes.values[at - upto.begin() - 1];
    }
    return start;
}

}  // namespace gmm1d

// Optimal 1-D k-means by dynamic programming (Wang and Song 2011), each layer by divide and conquer over the
// monotone split points: O(k n log n).
#include "kmeans.hpp"

#include <limits>

namespace gmm1d {
namespace {

// Extended where the platform has it: the cost of a cluster is a small difference of two large sums.
using Real = long double;

struct Prefix {
    std::vector<Real> weight, first, second;

    Prefix(const std::vector<double>& x, const std::vector<double>& w)
        : weight(x.size() + 1), first(x.size() + 1), second(x.size() + 1) {
        for (std::size_t i = 0; i < x.size(); ++i) {
            weight[i + 1] = weight[i] + w[i];
            first[i + 1] = first[i] + Real(w[i]) * x[i];
            second[i + 1] = second[i] + Real(w[i]) * x[i] * x[i];
        }
    }
    // Sum of squares of the values from ... to - 1 about their mean.
    Real cost(std::int64_t from, std::int64_t to) const {
        const Real n = weight[to] - weight[from], s = first[to] - first[from];
        const Real squares = second[to] - second[from] - s * s / n;
        return to - from > 1 && squares > 0 ? squares : 0;
    }
};

struct Layer {
    const Prefix& prefix;
    const std::vector<Real>& previous;  // least cost of the first i values in one cluster fewer
    std::vector<Real>& current;
    std::vector<std::int64_t>& split;

    void solve(std::int64_t low, std::int64_t high, std::int64_t split_low, std::int64_t split_high) {
        if (low > high) return;
        const std::int64_t middle = (low + high) / 2;
        Real best = std::numeric_limits<Real>::infinity();
        for (std::int64_t at = split_low; at <= split_high && at < middle; ++at) {
            const Real cost = previous[at] + prefix.cost(at, middle);
            if (cost < best) {
                best = cost;
                split[middle] = at;
            }
        }
        current[middle] = best;
        solve(low, middle - 1, split_low, split[middle]);
        solve(middle + 1, high, split[middle], split_high);
    }
};

}  // namespace

std::vector<std::int64_t> kmeans(const std::vector<double>& values, const std::vector<double>& weights, int k) {
    const auto n = static_cast<std::int64_t>(values.size());
    const Prefix prefix(values, weights);
    std::vector<Real> current(n + 1), previous(n + 1);
    for (std::int64_t i = 1; i <= n; ++i) current[i] = prefix.cost(0, i);
    std::vector<std::vector<std::int64_t>> splits(k, std::vector<std::int64_t>(n + 1, 0));
    for (int clusters = 2; clusters <= k; ++clusters) {
        previous.swap(current);
        Layer{prefix, previous, current, splits[clusters - 1]}.solve(clusters, n, clusters - 1, n - 1);
    }
    std::vector<std::int64_t> starts(k);
    for (std::int64_t cluster = k, end = n; cluster-- > 0; end = starts[cluster]) starts[cluster] = splits[cluster][end];
    return starts;
}

}  // namespace gmm1d

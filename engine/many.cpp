#include "many.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "ordered.hpp"
#include "parallel.hpp"

namespace gmm1d {
namespace {

constexpr std::int64_t NEIGHBOURS = 8;  // columns of a matrix that share cache lines are read together

// What `fit` takes; false for what it refuses.
bool ready(const DataSet& data, int k, Standardised& out) {
    Ordered ordered;
    if (data.points.size == 0 || condense(data.points, data.weights, data.meaning, ordered) >= 0 || ordered.values.size() < 2) return false;
    out = standardised(std::move(ordered));
    return std::isnormal(out.n) && std::isnormal(out.nodes.scale) && out.has_scale() && out.nodes.values.size() >= std::size_t(k);
}

// By mean, then standard deviation, then weight, as a Mixture keeps them.
void write(const Climb& climb, Reason reason, const Standardised& data, double* row) {
    const Parameters& at = climb.end.at;
    const Certificate& c = climb.certificate;
    const int k = at.k();
    row[N] = data.n;
    row[UNIT] = data.unit;
    row[TOLERANCE] = climb.stop == Stop::TOLERANCE;
    row[REASON] = static_cast<double>(reason);
    row[LOG_LIKELIHOOD] = c.log_likelihood;
    row[GRADIENT_NORM] = c.gradient_norm;
    row[NEWTON_DECREMENT] = c.newton_decrement;
    row[SMALLEST_EIGENVALUE] = c.smallest_eigenvalue;
    row[ENTROPY] = c.entropy;
    std::vector<std::tuple<double, double, double>> components;
    for (int j = 0; j < k; ++j) {
        components.emplace_back(data.centre + data.unit * at.means[j], data.unit * at.stds[j], at.weights[j]);
    }
    std::sort(components.begin(), components.end());
    for (int j = 0; j < k; ++j) std::tie(row[FACTS + k + j], row[FACTS + 2 * k + j], row[FACTS + j]) = components[j];
}

}  // namespace

bool fit_many(const std::vector<DataSet>& data, int k, bool equal_stds, const Rules& rules, int threads, const Kernel& kernel,
              const Poll& poll, double* rows) {
    std::atomic<bool> stopped{false};
    const Poll heed = [&] { return stopped.load(); };
    const Poll ask = [&] {
        if (!stopped && poll && poll()) stopped = true;
        return stopped.load();
    };
    const auto size = static_cast<std::int64_t>(data.size());
    const std::int64_t piece = std::clamp<std::int64_t>(size / (16 * std::int64_t(threads)), 1, NEIGHBOURS);

    const auto fit_one = [&](const DataSet& one, double* row, const Poll& asked) {
        Standardised seen;
        if (!ready(one, k, seen)) return;
        Finder finder(std::move(seen.nodes.values), std::move(seen.nodes.counts), equal_stds, 1, kernel, asked);
        const Choice found = finder.best(k, rules);
        if (found.climb.stop == Stop::INTERRUPTED) {
            stopped = true;
        } else if (found.climb.certified) {
            write(found.climb, found.reason, seen, row);
        }
    };
    parallel((size + piece - 1) / piece, threads, ask, [&](std::int64_t i, int thread) {
        const std::int64_t first = i * piece, last = std::min(size, first + piece);
        std::vector<std::vector<double>> read_in(last - first);
        for (std::int64_t j = first; j < last && !stopped; ++j) {
            read_in[j - first].resize(data[j].points.size);
            read(data[j].points, 0, data[j].points.size, read_in[j - first].data());
        }
        for (std::int64_t j = first; j < last && !stopped; ++j) {
            const std::vector<double>& x = read_in[j - first];
            const Source points{reinterpret_cast<const char*>(x.data()), sizeof(double), data[j].points.size, Type::F64};
            fit_one({points, data[j].weights, data[j].meaning}, rows + j * row_size(k), thread == 0 ? ask : heed);
        }
    });
    return !stopped;
}

}  // namespace gmm1d

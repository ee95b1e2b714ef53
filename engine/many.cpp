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

constexpr double SMALLEST = 0x1p-511, LARGEST = 0x1p511;  // as in gmm1d.sample
constexpr std::int64_t NEIGHBOURS = 8;                    // columns of a matrix that share cache lines are read together

// The largest power of two that is not above a positive value.
double power_of_two(double value) {
    int exponent;
    std::frexp(value, &exponent);
    return std::ldexp(1.0, exponent - 1);
}

struct Standardised {
    Ordered nodes;
    double n, centre, unit;
};

// As gmm1d.Sample does it; false for what it or `fit` refuses.
bool standardised(const DataSet& data, int k, Standardised& out) {
    auto& [nodes, n, centre, unit] = out;
    if (data.points.size == 0 || condense(data.points, data.weights, nodes) >= 0) return false;
    n = data.weights ? total(nodes.counts.data(), nodes.counts.size()) : static_cast<double>(data.points.size);
    if (!std::isnormal(n) || nodes.values.size() < 2) return false;
    const Quartiles q = quartiles(nodes.values.data(), nodes.counts.data(), nodes.values.size());
    const double spread = nodes.values.back() - nodes.values.front();
    centre = q.median;
    if (spread > LARGEST || spread < SMALLEST) return false;
    const double width = q.upper - q.lower;
    unit = power_of_two(width != 0.0 ? width : moments(nodes.values.data(), nodes.counts.data(), nodes.values.size()).std);
    if (unit > LARGEST || unit < SMALLEST || spread / unit > LARGEST) return false;
    standardise(nodes, centre, unit);
    return nodes.values.size() >= std::size_t(k);
}

// By mean, then standard deviation, then weight, as a Mixture keeps them.
void write(const Climb& climb, bool penalised, const Standardised& data, double* row) {
    const Parameters& at = climb.end.at;
    const Certificate& c = climb.certificate;
    const int k = at.k();
    row[N] = data.n;
    row[UNIT] = data.unit;
    row[TOLERANCE] = climb.stop == Stop::TOLERANCE;
    row[PENALISED] = penalised;
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
        Standardised ready;
        if (!standardised(one, k, ready)) return;
        Finder finder(Nodes(std::move(ready.nodes.values), std::move(ready.nodes.counts)), equal_stds, 1, kernel, asked);
        const Choice found = finder.best(k, rules);
        if (found.climb.stop == Stop::INTERRUPTED) {
            stopped = true;
        } else if (found.climb.certified) {
            write(found.climb, found.penalised, ready, row);
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
            fit_one({points, data[j].weights}, rows + j * row_size(k), thread == 0 ? ask : heed);
        }
    });
    return !stopped;
}

}  // namespace gmm1d

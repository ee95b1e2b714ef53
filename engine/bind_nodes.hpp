// What the bindings of climbs and of passes share: parameters, nodes and readings of points.
#pragma once

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <string>

#include "bind.hpp"
#include "dispatch.hpp"
#include "nodes.hpp"

namespace bound {

using namespace gmm1d;
using namespace nb::literals;
using Column = nb::ndarray<const double, nb::ndim<1>, nb::device::cpu>;
using Vector = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Matrix = nb::ndarray<nb::numpy, double, nb::ndim<2>>;

inline std::vector<double> copy(const Column& column) {
    std::vector<double> out(column.shape(0));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = column.data()[std::int64_t(i) * column.stride(0)];
    return out;
}

inline Parameters parameters(const Column& weights, const Column& means, const Column& stds) {
    if (weights.shape(0) != means.shape(0) || weights.shape(0) != stds.shape(0)) {
        throw std::invalid_argument("arrays differ in length");
    }
    if (weights.shape(0) == 0) throw std::invalid_argument("no components");
    return {copy(weights), copy(means), copy(stds)};
}

// Of values, as many as there are counts.
inline std::vector<double> checked(const Column& values, const Column& counts) {
    if (values.shape(0) != counts.shape(0)) throw std::invalid_argument("arrays differ in length");
    if (values.shape(0) == 0) throw std::invalid_argument("no values");
    return copy(values);
}

inline Nodes nodes(const Column& values, const Column& counts) { return Nodes(checked(values, counts), copy(counts)); }

// As many threads as asked for, a poll that asks Python, and the exception that a signal raised.
struct Readings {
    Source points;
    std::optional<Source> weights;
    double centre, factor;
    int threads;
    std::string instruction_set;
    double weight_scale = 1.0;
    Signals signals{};

    Accumulator accumulator(int k) {
        if (points.size == 0) throw std::invalid_argument("no values");
        return Accumulator(points, weights, centre, factor, k, threads, kernel(instruction_set), std::ref(signals), weight_scale);
    }

    // A keyboard interrupt is an ending that the caller reports if it can; anything else is raised.
    void raise(bool keyboard_interrupt_is_an_ending) {
        if (!(keyboard_interrupt_is_an_ending && signals.keyboard_interrupt())) signals.raise();
    }
};

// The points as nodes, distinct and ascending, for what S adds to the log-likelihood.
inline std::optional<Nodes> seen_if(bool penalised, const Readings& data) {
    if (!penalised) return std::nullopt;
    std::vector<double> values(data.points.size), counts(data.points.size, 1.0);
    read(data.points, 0, data.points.size, values.data());
    if (data.weights) read(*data.weights, 0, data.points.size, counts.data());
    for (double& x : values) x = (x - data.centre) * data.factor;
    return Nodes(std::move(values), std::move(counts));
}

inline Constraints constraints(bool equal_stds, const std::vector<bool>& fixed, std::size_t k) {
    if (fixed.empty()) return {equal_stds, {}, {}, {}};
    if (fixed.size() != 3 * k) throw std::invalid_argument("fixed must have 3 k entries");
    const auto part = [&](std::size_t i) { return std::vector<bool>(fixed.begin() + i * k, fixed.begin() + (i + 1) * k); };
    return {equal_stds, part(0), part(1), part(2)};
}

}  // namespace bound

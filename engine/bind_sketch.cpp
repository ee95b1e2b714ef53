// Binds the sketch. No arithmetic.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <functional>
#include <string>
#include <tuple>

#include "bind.hpp"
#include "sketch.hpp"

namespace bound {

using namespace nb::literals;
using gmm1d::Sketch;
using Numbers = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const double, nb::shape<-1, gmm1d::ORDERS>, nb::c_contig, nb::device::cpu>;
using Integers = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Table = nb::ndarray<nb::numpy, double, nb::ndim<2>>;
using Indices = nb::ndarray<nb::numpy, std::int64_t, nb::ndim<1>>;

std::vector<double> copy(const Numbers& a) { return {a.data(), a.data() + a.shape(0)}; }

gmm1d::Normals normals(const Numbers& weights, const Numbers& means, const Numbers& stds) {
    if (weights.shape(0) != means.shape(0) || weights.shape(0) != stds.shape(0))
        throw std::invalid_argument("arrays differ in length");
    return {copy(weights), copy(means), copy(stds)};
}

bool add(Sketch& sketch, const AnyColumn& points, const std::optional<AnyColumn>& sample_weight, int threads,
         const std::string& instruction_set) {
    const gmm1d::Source source = source_of(points);
    const std::optional<gmm1d::Source> weights = source_of(sample_weight, source.size);
    Signals signals;
    Sketch::Reading reading;
    {
        nb::gil_scoped_release release;
        reading = sketch.add(source, weights, threads, std::ref(signals), instruction_set);
    }
    signals.raise();
    return reading == Sketch::Reading::DONE;
}

std::tuple<Doubles, Doubles> nodes(const Sketch& sketch, double centre, double unit) {
    gmm1d::Ordered found = sketch.nodes(centre, unit);
    const std::size_t size = found.values.size();
    return {give<Doubles>(std::move(found.values), {size}), give<Doubles>(std::move(found.counts), {size})};
}

double error(const Sketch& sketch, const Numbers& weights, const Numbers& means, const Numbers& stds) {
    return sketch.error(normals(weights, means, stds));
}

Sketch finer(const Sketch& sketch, const Numbers& weights, const Numbers& means, const Numbers& stds, double tolerance) {
    Sketch out(sketch.most_leaves());
    out.prepare(sketch.refinement(normals(weights, means, stds), tolerance));
    return out;
}

std::optional<Sketch> again(const Sketch& sketch) {
    Sketch out(sketch.most_leaves());
    if (!sketch.coarsened()) out.prepare(out.without_piles(sketch));
    return out.is_prepared() ? std::optional(out) : std::nullopt;
}

std::tuple<Indices, Indices, Table> leaves(const Sketch& sketch) {
    std::vector<std::int64_t> indices, exponents;
    std::vector<double> sums;
    for (const gmm1d::Leaf& leaf : sketch.leaves()) {
        indices.push_back(leaf.cell.index);
        exponents.push_back(leaf.cell.exponent);
        sums.insert(sums.end(), leaf.moments.sums, leaf.moments.sums + gmm1d::ORDERS);
    }
    const std::size_t size = indices.size();
    return {give<Indices>(std::move(indices), {size}), give<Indices>(std::move(exponents), {size}),
            give<Table>(std::move(sums), {size, gmm1d::ORDERS})};
}

std::tuple<Doubles, Doubles> exact(const Sketch& sketch) {
    std::vector<double> values, weights;
    for (const gmm1d::Weighted& value : sketch.exact()) {
        values.push_back(value.value);
        weights.push_back(value.weight);
    }
    const std::size_t size = values.size();
    return {give<Doubles>(std::move(values), {size}), give<Doubles>(std::move(weights), {size})};
}

Sketch restore(std::int64_t most_leaves, const Integers& indices, const Integers& exponents, const Rows& sums,
               const Numbers& values, const Numbers& weights, std::int64_t size, double low, double high, bool coarsened,
               double squares, int exponent, bool whole) {
    if (indices.shape(0) != exponents.shape(0) || indices.shape(0) != sums.shape(0) || values.shape(0) != weights.shape(0))
        throw std::invalid_argument("arrays differ in length");
    std::vector<gmm1d::Leaf> leaves(indices.shape(0));
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        leaves[i].cell = {indices.data()[i], static_cast<int>(exponents.data()[i])};
        std::copy_n(sums.data() + i * gmm1d::ORDERS, gmm1d::ORDERS, leaves[i].moments.sums);
    }
    std::vector<gmm1d::Weighted> exact(values.shape(0));
    for (std::size_t i = 0; i < exact.size(); ++i) exact[i] = {values.data()[i], weights.data()[i]};
    return Sketch(most_leaves, std::move(leaves), std::move(exact), size, low, high, coarsened, {squares, exponent, whole});
}

// Whether these are importance weights, and what scales them to counts.
std::tuple<bool, double> weigh(const Sketch& sketch, const std::string& weights_are) {
    const gmm1d::Weighing& weighing = sketch.weighing();
    const double total = sketch.n();
    const bool importance = weighing.is_importance(total, meaning(weights_are));
    return {importance, importance ? weighing.scale(total) : 1.0};
}

}  // namespace bound

void bind_sketch(nanobind::module_& m) {
    using namespace bound;
    nb::class_<Sketch>(m, "Sketch", "Moments of many points on dyadic cells; gmm1d.Sketch is what people use.")
        .def(nb::init<std::int64_t>(), "most_leaves"_a)
        .def("add", &bound::add, "values"_a, "sample_weight"_a.none(), "threads"_a = 1, "instruction_set"_a = "",
             "Add points; false, and nothing is added, if one or its weight is at fault.")
        .def("merge", [](Sketch& sketch, const Sketch& other) { sketch.add(other); }, "other"_a, "Add what another holds.")
        .def("copy", [](const Sketch& sketch) { return sketch; })
        .def("coarse", &Sketch::coarse, "most_leaves"_a, "The same with fewer leaves, for a rough look.")
        .def("scaled", &Sketch::scaled, "factor"_a, "The same of weights that are so many times as large.")
        .def("weigh", &bound::weigh, "weights_are"_a,
             "Whether these are importance weights, and what scales them to counts; no normal number if nothing can.")
        .def("nodes", &bound::nodes, "centre"_a, "unit"_a, "Standardised nodes, ascending, and their counts.")
        .def("error", &bound::error, "weights"_a, "means"_a, "stds"_a,
             "Estimate of the log-likelihood of the nodes minus that of the points.")
        .def("finer", &bound::finer, "weights"_a, "means"_a, "stds"_a, "tolerance"_a,
             "An empty sketch with cells narrow enough for the mixture.")
        .def("again", &bound::again, "An empty sketch for narrow groups that the leaves do not resolve, if there are any.")
        .def("leaves", &bound::leaves, "Indices, exponents and sums of the leaves.")
        .def("exact", &bound::exact, "Values kept as they are, and their weights.")
        .def_static("restore", &bound::restore, "most_leaves"_a, "indices"_a, "exponents"_a, "sums"_a, "values"_a,
                    "weights"_a, "size"_a, "low"_a, "high"_a, "coarsened"_a, "squares"_a, "exponent"_a, "whole"_a, "What leaves() and exact() gave, unchecked.")
        .def_prop_ro("n", &Sketch::n)
        .def_prop_ro("size", &Sketch::size)
        .def_prop_ro("low", &Sketch::low)
        .def_prop_ro("high", &Sketch::high)
        .def_prop_ro("coarsened", &Sketch::coarsened)
        .def_prop_ro("squares", [](const Sketch& sketch) { return std::tuple(sketch.weighing().squares, sketch.weighing().exponent); },
                     "S and e: the squares of the weights as they came add up to S 4^e; NaN if nobody knows.")
        .def_prop_ro("whole", [](const Sketch& sketch) { return sketch.weighing().whole; })
        .def_prop_ro("most_leaves", &Sketch::most_leaves)
        .def_prop_ro("n_leaves", [](const Sketch& sketch) { return sketch.leaves().size(); });
}

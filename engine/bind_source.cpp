// Binds what is computed of few points: their order, and what follows from it. No arithmetic.
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "bind.hpp"
#include "kmeans.hpp"
#include "ordered.hpp"

namespace bound {

using namespace nb::literals;
using Values = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Vector = nb::ndarray<nb::numpy, double, nb::ndim<1>>;

std::tuple<Vector, Vector> give(gmm1d::Ordered&& ordered) {
    const std::size_t size = ordered.values.size();
    return {give<Vector>(std::move(ordered.values), {size}), give<Vector>(std::move(ordered.counts), {size})};
}

std::tuple<Vector, Vector, std::int64_t> condense(const AnyColumn& points, const std::optional<AnyColumn>& sample_weight) {
    const gmm1d::Source source = source_of(points);
    const std::optional<gmm1d::Source> weights = source_of(sample_weight, source.size);
    gmm1d::Ordered out;
    std::int64_t bad = -1;
    {
        nb::gil_scoped_release release;
        bad = gmm1d::condense(source, weights, out);
    }
    auto [values, counts] = give(std::move(out));
    return {std::move(values), std::move(counts), bad};
}

std::int64_t size_of(const Values& values, const Values& counts) {
    if (values.shape(0) != counts.shape(0)) throw std::invalid_argument("arrays differ in length");
    if (values.shape(0) == 0) throw std::invalid_argument("no values");
    return static_cast<std::int64_t>(values.shape(0));
}

double total(const Values& counts) { return gmm1d::total(counts.data(), static_cast<std::int64_t>(counts.shape(0))); }

std::tuple<Vector, Vector> standardise(const Values& values, const Values& counts, double centre, double unit) {
    const std::int64_t size = size_of(values, counts);
    gmm1d::Ordered ordered{{values.data(), values.data() + size}, {counts.data(), counts.data() + size}};
    gmm1d::standardise(ordered, centre, unit);
    return give(std::move(ordered));
}

std::tuple<double, double, double> quartiles(const Values& values, const Values& counts) {
    const auto [lower, median, upper] = gmm1d::quartiles(values.data(), counts.data(), size_of(values, counts));
    return {lower, median, upper};
}

std::tuple<double, double> moments(const Values& values, const Values& counts) {
    const auto [mean, std] = gmm1d::moments(values.data(), counts.data(), size_of(values, counts));
    return {mean, std};
}

std::vector<std::int64_t> kmeans(const Values& values, const Values& counts, int k) {
    const std::int64_t size = size_of(values, counts);
    if (k < 1 || k > size) throw std::invalid_argument("k must be from 1 to the number of values");
    const std::vector<double> x(values.data(), values.data() + size), w(counts.data(), counts.data() + size);
    nb::gil_scoped_release release;
    return gmm1d::kmeans(x, w, k);
}

}  // namespace bound

void bind_source(nanobind::module_& m) {
    using namespace nanobind::literals;
    m.def("condense", &bound::condense, "values"_a, "sample_weight"_a.none(),
          "Distinct values of positive weight, ascending, their weights, and the first index of a fault or -1.");
    m.def("total", &bound::total, "counts"_a, "Their sum, rounded once.");
    m.def("standardise", &bound::standardise, "values"_a, "counts"_a, "centre"_a, "unit"_a,
          "Ascending values as (value - centre) / unit, those that become equal as one.");
    m.def("quartiles", &bound::quartiles, "values"_a, "counts"_a,
          "Lower quartile, median and upper quartile of ascending values.");
    m.def("moments", &bound::moments, "values"_a, "counts"_a, "Mean and standard deviation of ascending values.");
    m.def("kmeans", &bound::kmeans, "values"_a, "counts"_a, "k"_a,
          "The globally optimal k-means partition of ascending values: the first index of every cluster.");
}

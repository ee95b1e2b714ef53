// Binds what is computed of few points: their order, and what follows from it. No arithmetic.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <variant>

#include "bind.hpp"
#include "kmeans.hpp"
#include "ordered.hpp"

namespace bound {

using namespace nb::literals;
using Values = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Vector = nb::ndarray<nb::numpy, double, nb::ndim<1>>;

using Standard = std::tuple<Vector, Vector, double, double, double, double, double, bool, double>;

std::variant<Standard, std::int64_t> standardise(const AnyColumn& points, const std::optional<AnyColumn>& sample_weight,
                                                 const std::string& weights_are) {
    const gmm1d::Meaning asked = meaning(weights_are);
    const gmm1d::Source source = source_of(points);
    const std::optional<gmm1d::Source> weights = source_of(sample_weight, source.size);
    gmm1d::Ordered ordered;
    gmm1d::Standardised out;
    {
        nb::gil_scoped_release release;
        const std::int64_t fault = gmm1d::condense(source, weights, asked, ordered);
        if (fault >= 0) return fault;
        if (!ordered.values.empty()) out = gmm1d::standardised(std::move(ordered));
    }
    const std::size_t size = out.nodes.values.size();
    return Standard{give<Vector>(std::move(out.nodes.values), {size}), give<Vector>(std::move(out.nodes.counts), {size}),
                    out.n, out.low, out.high, out.centre, out.unit, out.nodes.importance, out.nodes.scale};
}

double scale(const AnyColumn& sample_weight, double total) {
    const gmm1d::Source source = source_of(sample_weight);
    gmm1d::Weighing weighing;
    {
        nb::gil_scoped_release release;
        gmm1d::weigh(source, 1, nullptr, weighing);
    }
    return weighing.is_importance(total, gmm1d::Meaning::EITHER) ? weighing.scale(total) : 1.0;
}

std::int64_t size_of(const Values& values, const Values& counts) {
    if (values.shape(0) != counts.shape(0)) throw std::invalid_argument("arrays differ in length");
    if (values.shape(0) == 0) throw std::invalid_argument("no values");
    return static_cast<std::int64_t>(values.shape(0));
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
    m.def("standardise", &bound::standardise, "values"_a, "sample_weight"_a.none(), "weights_are"_a,
          "Distinct values of positive weight, ascending, as (value - centre) / unit, and their counts; then the sum of the\n"
          "counts, the lowest and the highest value, centre and unit; whether the weights are importance weights, and what\n"
          "scaled them, no normal number if nothing can. Or the first index of a fault.");
    m.def("scale", &bound::scale, "sample_weight"_a, "total"_a,
          "What takes weights with this total to counts; no normal number if nothing can.");
    m.attr("SMALLEST") = gmm1d::Standardised::SMALLEST;
    m.attr("LARGEST") = gmm1d::Standardised::LARGEST;
    m.def("moments", &bound::moments, "values"_a, "counts"_a, "Mean and standard deviation of ascending values.");
    m.def("kmeans", &bound::kmeans, "values"_a, "counts"_a, "k"_a,
          "The globally optimal k-means partition of ascending values: the first index of every cluster.");
}

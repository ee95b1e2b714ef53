// Binds the fits of many data sets. No arithmetic.
#include <nanobind/stl/string.h>

#include <functional>
#include <limits>
#include <string>

#include "bind.hpp"
#include "dispatch.hpp"
#include "many.hpp"

namespace bound {

using namespace nb::literals;
using Matrix = nb::ndarray<nb::numpy, double, nb::ndim<2>>;

gmm1d::Rules rules(const std::string& method, double tol, std::int64_t max_iter, int em_steps);  // in bind_climbs.cpp

Matrix fit_sets(const std::vector<gmm1d::DataSet>& data, int k, const gmm1d::Rules& how, bool equal_stds, int threads) {
    if (k < 1) throw std::invalid_argument("k must be at least 1");
    const std::size_t size = gmm1d::row_size(k);
    std::vector<double> rows(data.size() * size, std::numeric_limits<double>::quiet_NaN());
    Signals signals;
    bool done = false;
    {
        nb::gil_scoped_release release;
        done = gmm1d::fit_many(data, k, equal_stds, how, threads, gmm1d::kernel(""), std::ref(signals), rows.data());
    }
    if (!done) signals.raise();
    return give<Matrix>(std::move(rows), {data.size(), size});
}

Matrix fit_rows(const AnyMatrix& data, const std::optional<AnyMatrix>& sample_weight, int k, bool equal_stds,
                const std::string& method, double tol, std::int64_t max_iter, int threads, const std::string& weights_are) {
    if (sample_weight && sample_weight->rows() != data.rows()) throw std::invalid_argument("arrays differ in length");
    std::vector<gmm1d::DataSet> sets;
    for (std::int64_t i = 0; i < data.rows(); ++i) {
        sets.push_back({data.row(i), std::nullopt, meaning(weights_are)});
        if (sample_weight) sets.back().weights = sample_weight->row(i);
        if (sample_weight && sets.back().weights->size != sets.back().points.size) throw std::invalid_argument("arrays differ in length");
    }
    return fit_sets(sets, k, rules(method, tol, max_iter, 0), equal_stds, threads);
}

using List = nb::typed<nb::list, nb::object>;

Matrix fit_list(const List& data, const std::optional<List>& sample_weight, int k, bool equal_stds,
                const std::string& method, double tol, std::int64_t max_iter, int threads, const std::string& weights_are) {
    std::vector<AnyColumn> open;  // until all is done
    const auto column = [&](nb::handle array) -> const AnyColumn& {
        open.emplace_back();
        if (!open.back().open(array)) throw std::invalid_argument("not a column of numbers");
        return open.back();
    };
    if (sample_weight && sample_weight->size() != data.size()) throw std::invalid_argument("lists differ in length");
    std::vector<gmm1d::DataSet> sets;
    for (std::size_t i = 0; i < data.size(); ++i) {
        sets.push_back({source_of(column(data[i])), std::nullopt, meaning(weights_are)});
        if (sample_weight) {
            const AnyColumn& weights = column((*sample_weight)[i]);
            if (weights.size() != sets.back().points.size) throw std::invalid_argument("arrays differ in length");
            sets.back().weights = source_of(weights);
        }
    }
    return fit_sets(sets, k, rules(method, tol, max_iter, 0), equal_stds, threads);
}

}  // namespace bound

void bind_many(nanobind::module_& m) {
    using namespace nanobind::literals;
    namespace nb = nanobind;
    m.def("fit_rows", &bound::fit_rows, "data"_a, "sample_weight"_a.none(), "k"_a, "equal_stds"_a, "method"_a,
          "tol"_a, "max_iter"_a, "threads"_a, "weights_are"_a = "",
          "The best mixture for every row: n, unit, whether tol stopped it, why it is penalised (0: not, 1: support, 2: ties), log-likelihood of the\n"
          "standardised values, gradient norm, Newton decrement, smallest eigenvalue, entropy; then weights, means and stds\n"
          "by mean. NaN where a row cannot be fitted.");
    m.def("fit_list", &bound::fit_list, "data"_a, "sample_weight"_a.none(), "k"_a, "equal_stds"_a, "method"_a,
          "tol"_a, "max_iter"_a, "threads"_a, "weights_are"_a = "", "The same for every column of a list.");
}

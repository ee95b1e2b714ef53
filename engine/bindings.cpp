// Checks shapes, releases the GIL, calls. No arithmetic.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <exception>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "dispatch.hpp"
#include "kmeans.hpp"
#include "optimise.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace bound {

using namespace gmm1d;
using Column = nb::ndarray<const double, nb::ndim<1>, nb::device::cpu>;
using Vector = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Matrix = nb::ndarray<nb::numpy, double, nb::ndim<2>>;

void same_length(const Column& a, const Column& b) {
    if (a.shape(0) != b.shape(0)) throw std::invalid_argument("arrays differ in length");
}

std::ptrdiff_t stride(const Column& column) { return column.stride(0) * std::ptrdiff_t(sizeof(double)); }

std::vector<double> copy(const Column& column) {
    std::vector<double> out(column.shape(0));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = column(i);
    return out;
}

template <class Array>
Array give(std::vector<double>&& values, std::initializer_list<std::size_t> shape) {
    auto* owned = new std::vector<double>(std::move(values));
    nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
    return Array(owned->data(), shape, owner);
}

// The data of a pass with the exception that a signal raised during it, if any.
class Data {
public:
    Data(const Column& values, const std::optional<Column>& weights, double centre, double factor, int k, int threads,
         const std::string& instruction_set)
        : accumulator_(points(values, weights, centre, factor), k, threads, gmm1d::kernel(instruction_set),
                       [this] { return signalled(); }) {}

    // Runs without the GIL.
    template <class Work>
    auto run(Work work) {
        nb::gil_scoped_release release;
        return work(accumulator_);
    }

    // A keyboard interrupt is an ending that the caller reports if it can; anything else is raised.
    void raise_signal(bool keyboard_interrupt_is_an_ending) const {
        if (signal_ && !(keyboard_interrupt_is_an_ending && keyboard_interrupt_)) std::rethrow_exception(signal_);
    }

private:
    static Points points(const Column& x, const std::optional<Column>& w, double centre, double factor) {
        if (w) same_length(x, *w);
        if (x.shape(0) == 0) throw std::invalid_argument("no values");
        return {reinterpret_cast<const char*>(x.data()),
                stride(x),
                w ? reinterpret_cast<const char*>(w->data()) : nullptr,
                w ? stride(*w) : 0,
                static_cast<std::int64_t>(x.shape(0)),
                centre,
                factor};
    }

    bool signalled() {
        nb::gil_scoped_acquire acquire;
        if (PyErr_CheckSignals() == 0) return false;
        try {
            nb::raise_python_error();
        } catch (nb::python_error& error) {
            keyboard_interrupt_ = error.matches(PyExc_KeyboardInterrupt);
            signal_ = std::current_exception();
        }
        return true;
    }

    Accumulator accumulator_;
    std::exception_ptr signal_;
    bool keyboard_interrupt_ = false;
};

Parameters parameters(const Column& weights, const Column& means, const Column& stds) {
    same_length(weights, means);
    same_length(weights, stds);
    if (weights.shape(0) == 0) throw std::invalid_argument("no components");
    return {copy(weights), copy(means), copy(stds)};
}

const char* name(Stop stop) {
    switch (stop) {
        case Stop::TOLERANCE: return "tolerance";
        case Stop::GRADIENT: return "gradient";
        case Stop::COLLAPSED: return "collapsed";
        case Stop::MAX_ITER: return "max_iter";
        case Stop::INTERRUPTED: return "interrupted";
    }
    return "";
}

std::tuple<std::string, int, Matrix> em(const Column& values, const std::optional<Column>& sample_weight, double centre,
                                        double factor, const Column& weights, const Column& means, const Column& stds,
                                        double tol, double gradient_tol, std::int64_t max_iter,
                                        double penalty, double penalty_variance, int threads,
                                        const std::string& instruction_set) {
    Parameters start = parameters(weights, means, stds);
    const std::size_t columns = 1 + 3 * start.k();
    Data data(values, sample_weight, centre, factor, start.k(), threads, instruction_set);
    Climb climb = data.run([&](Accumulator& points) {
        return gmm1d::em(points, std::move(start), {penalty, penalty_variance}, {tol, gradient_tol, max_iter});
    });
    const std::size_t rows = climb.trace.size() / columns;
    data.raise_signal(rows > 0);
    return {name(climb.stop), climb.collapsed, give<Matrix>(std::move(climb.trace), {rows, columns})};
}

std::tuple<double, Vector, Vector, Matrix> derivatives(const Column& values, const std::optional<Column>& sample_weight,
                                                       double centre, double factor, const Column& weights,
                                                       const Column& means, const Column& stds, double penalty,
                                                       double penalty_variance, int threads,
                                                       const std::string& instruction_set) {
    const Parameters at = parameters(weights, means, stds);
    const std::size_t k = at.k();
    Data data(values, sample_weight, centre, factor, at.k(), threads, instruction_set);
    Derivatives out;
    data.run([&](Accumulator& points) { return gmm1d::derivatives(points, at, {penalty, penalty_variance}, out); });
    data.raise_signal(false);
    return {out.log_likelihood, give<Vector>(std::move(out.counts), {k}), give<Vector>(std::move(out.gradient), {3 * k}),
            give<Matrix>(std::move(out.hessian), {3 * k, 3 * k})};
}

Vector em_sums(const Column& values, const std::optional<Column>& sample_weight, double centre, double factor,
               const Column& weights, const Column& means, const Column& stds, int threads,
               const std::string& instruction_set) {
    const Parameters at = parameters(weights, means, stds);
    Data data(values, sample_weight, centre, factor, at.k(), threads, instruction_set);
    std::vector<double> sums;
    data.run([&](Accumulator& points) { return gmm1d::em_pass(points, at, sums); });
    data.raise_signal(false);
    const std::size_t size = sums.size();
    return give<Vector>(std::move(sums), {size});
}

Vector apply(void (*Kernel::*function)(const double*, double*, std::int64_t), const Column& x,
             const std::string& instruction_set) {
    std::vector<double> in = copy(x), out(in.size());
    (gmm1d::kernel(instruction_set).*function)(in.data(), out.data(), static_cast<std::int64_t>(in.size()));
    return give<Vector>(std::move(out), {in.size()});
}

std::vector<std::int64_t> kmeans(const Column& values, const Column& weights, int k) {
    same_length(values, weights);
    if (k < 1 || std::size_t(k) > values.shape(0)) throw std::invalid_argument("k must be from 1 to the number of values");
    const std::vector<double> x = copy(values), w = copy(weights);
    nb::gil_scoped_release release;
    return gmm1d::kmeans(x, w, k);
}

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Kernel* k : kernels()) names.push_back(k->name);
    return names;
}

}  // namespace bound

NB_MODULE(_engine, m) {
    m.doc() = "The passes over data and the optimiser's inner loop. Data are seen as (value - centre) * factor.";
    m.def("em", &bound::em, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a, "means"_a, "stds"_a,
          nb::kw_only(), "tol"_a, "gradient_tol"_a, "max_iter"_a, "penalty"_a = 0.0,
          "penalty_variance"_a = 1.0, "threads"_a = 1, "instruction_set"_a = "",
          "Climb by EM: why it stopped, the component that collapsed or -1, and the trace, a row for every point of the\n"
          "climb: objective, weights, means, stds.");
    m.def("derivatives", &bound::derivatives, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a,
          "means"_a, "stds"_a, nb::kw_only(), "penalty"_a = 0.0, "penalty_variance"_a = 1.0, "threads"_a = 1,
          "instruction_set"_a = "",
          "Log-likelihood, expected counts, gradient and Hessian in (log-odds of weights, mean / std, log std).");
    m.def("em_sums", &bound::em_sums, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a, "means"_a,
          "stds"_a, nb::kw_only(), "threads"_a = 1, "instruction_set"_a = "",
          "One E+M pass: log-likelihood, then for every component sum w r, sum w r z, sum w r z^2.");
    m.def("kmeans", &bound::kmeans, "values"_a, "weights"_a, "k"_a,
          "The globally optimal k-means partition of ascending values: the first index of every cluster.");
    m.def("instruction_sets", &bound::instruction_sets, "The copies of the kernel that run here, the fastest first.");
    m.def("exp", [](const bound::Column& x, const std::string& isa) { return bound::apply(&gmm1d::Kernel::exp, x, isa); }, "x"_a,
          "instruction_set"_a = "", "The kernel's exp, for x <= 709.");
    m.def("log", [](const bound::Column& x, const std::string& isa) { return bound::apply(&gmm1d::Kernel::log, x, isa); }, "x"_a,
          "instruction_set"_a = "", "The kernel's log, for normal positive x.");
}

// Checks shapes, releases the GIL, calls. No arithmetic.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <string>

#include "best.hpp"
#include "bind.hpp"
#include "dispatch.hpp"

namespace bound {

using namespace gmm1d;
using namespace nb::literals;
using Column = nb::ndarray<const double, nb::ndim<1>, nb::device::cpu>;
using Vector = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Matrix = nb::ndarray<nb::numpy, double, nb::ndim<2>>;
std::vector<double> copy(const Column& column) {
    std::vector<double> out(column.shape(0));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = column(i);
    return out;
}

Parameters parameters(const Column& weights, const Column& means, const Column& stds) {
    if (weights.shape(0) != means.shape(0) || weights.shape(0) != stds.shape(0)) {
        throw std::invalid_argument("arrays differ in length");
    }
    if (weights.shape(0) == 0) throw std::invalid_argument("no components");
    return {copy(weights), copy(means), copy(stds)};
}

Nodes nodes(const Column& values, const Column& counts) {
    if (values.shape(0) != counts.shape(0)) throw std::invalid_argument("arrays differ in length");
    if (values.shape(0) == 0) throw std::invalid_argument("no values");
    return Nodes(copy(values), copy(counts));
}

Rules rules(const std::string& method, double tol, std::int64_t max_iter, int em_steps) {
    for (const auto& [name, each] : {std::pair{"em", Method::EM}, {"squarem", Method::SQUAREM}, {"newton", Method::NEWTON}}) {
        if (method == name) return {each, tol, max_iter, em_steps};
    }
    throw std::invalid_argument("no method '" + method + "'");
}

// As many threads as asked for, a poll that asks Python, and the exception that a signal raised.
struct Readings {
    Source points;
    std::optional<Source> weights;
    double centre, factor;
    int threads;
    std::string instruction_set;
    Signals signals{};

    Accumulator accumulator(int k) {
        if (points.size == 0) throw std::invalid_argument("no values");
        return Accumulator(points, weights, centre, factor, k, threads, kernel(instruction_set), std::ref(signals));
    }

    // A keyboard interrupt is an ending that the caller reports if it can; anything else is raised.
    void raise(bool keyboard_interrupt_is_an_ending) const {
        if (!(keyboard_interrupt_is_an_ending && signals.keyboard_interrupt())) signals.raise();
    }
};

const char* name(Stop stop) {
    switch (stop) {
        case Stop::TOLERANCE: return "tolerance";
        case Stop::STATIONARY: return "stationary";
        case Stop::COLLAPSED: return "collapsed";
        case Stop::MAX_ITER: return "max_iter";
        case Stop::INTERRUPTED: return "interrupted";
    }
    return "";
}

using Measures = std::tuple<double, double, double, double, double>;
using Climbed = std::tuple<std::string, int, std::string, Matrix, std::optional<Measures>, std::optional<Matrix>>;

// Why it stopped, the component that collapsed or -1, a letter for every step, the trace, certificate and covariance.
Climbed give(Climb&& climb) {
    const std::size_t k = climb.end.at.k(), rows = climb.steps.size();
    std::string steps;
    for (Step step : climb.steps) steps += "seqn"[static_cast<int>(step)];
    std::optional<Measures> measures;
    std::optional<Matrix> covariance;
    if (climb.certified) {
        const Certificate& c = climb.certificate;
        measures = {c.log_likelihood, c.gradient_norm, c.newton_decrement, c.smallest_eigenvalue, c.entropy};
        if (!c.covariance.empty()) covariance = give<Matrix>(std::move(climb.certificate.covariance), {3 * k, 3 * k});
    }
    return {name(climb.stop), climb.collapsed, steps, give<Matrix>(std::move(climb.trace), {rows, 1 + 3 * k}),
            std::move(measures), std::move(covariance)};
}

Constraints constraints(bool equal_stds, const std::vector<bool>& fixed, std::size_t k) {
    if (fixed.empty()) return {equal_stds, {}, {}, {}};
    if (fixed.size() != 3 * k) throw std::invalid_argument("fixed must have 3 k entries");
    const auto part = [&](std::size_t i) { return std::vector<bool>(fixed.begin() + i * k, fixed.begin() + (i + 1) * k); };
    return {equal_stds, part(0), part(1), part(2)};
}

Climbed climb(const AnyColumn& values, const std::optional<AnyColumn>& sample_weight, double centre, double factor,
              const Column& weights, const Column& means, const Column& stds, const std::string& method, double tol,
              std::int64_t max_iter, double penalty, double penalty_variance, bool equal_stds,
              const std::vector<bool>& fixed, int threads, const std::string& instruction_set) {
    const Parameters start = parameters(weights, means, stds);
    const Constraints fetters = constraints(equal_stds, fixed, start.k());
    const Rules how = rules(method, tol, max_iter, 5);
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, instruction_set};
    Accumulator points = data.accumulator(start.k());
    Climb found;
    {
        nb::gil_scoped_release release;
        Model model(points, start.k(), {penalty, penalty_variance}, fetters);
        found = gmm1d::climb(model, start, how);
    }
    data.raise(!found.steps.empty());
    return give(std::move(found));
}

using Row = std::vector<double>;
using Plain = std::tuple<Row, Row, Row>;  // weights, means, stds

std::vector<Parameters> parameters(const std::vector<Plain>& starts) {
    std::vector<Parameters> out;
    for (const auto& [weights, means, stds] : starts) out.push_back({weights, means, stds});
    return out;
}

// A search that is kept from one number of components to the next.
class Search {
public:
    Search(const Column& values, const Column& counts, bool equal_stds, int threads)
        : equal_stds_(equal_stds),
          finder_(nodes(values, counts), equal_stds, threads, kernel(""), std::ref(signals_)) {}

    // The climb, whether it is penalised, the spikes that made it so, and whether every component is regular.
    std::tuple<Climbed, bool, std::vector<Plain>, bool> best(int k, const std::vector<Plain>& starts, const std::vector<bool>& fixed,
                                                       const Plain& values, const std::string& method, double tol,
                                                       std::int64_t max_iter) {
        if (k < 1) throw std::invalid_argument("k must be at least 1");
        const Rules how = rules(method, tol, max_iter, 0);
        const Fixed held{constraints(equal_stds_, fixed, k), parameters({values})[0]};
        if (!fixed.empty() && held.values.k() != k) throw std::invalid_argument("values must be those of k components");
        Choice found;
        {
            nb::gil_scoped_release release;
            found = fixed.empty() ? finder_.best(k, how, parameters(starts)) : finder_.best_fixed(held, how, parameters(starts));
        }
        if (found.climb.stop == Stop::INTERRUPTED && !(signals_.keyboard_interrupt() && !found.climb.steps.empty())) signals_.raise();
        std::vector<Plain> spikes;
        for (Parameters& s : found.spikes) spikes.emplace_back(std::move(s.weights), std::move(s.means), std::move(s.stds));
        const bool regular = gmm1d::regular(finder_.nodes(), found.climb.end.at);
        return {give(std::move(found.climb)), found.penalised, std::move(spikes), regular};
    }

private:
    const bool equal_stds_;
    Signals signals_;
    Finder finder_;
};

Climbed exact(const AnyColumn& values, const std::optional<AnyColumn>& sample_weight, double centre, double factor,
              const Column& node_values, const Column& node_counts, const Column& weights, const Column& means,
              const Column& stds, bool equal_stds, const std::vector<bool>& fixed, int threads) {
    const Parameters start = parameters(weights, means, stds);
    const Constraints fetters = constraints(equal_stds, fixed, start.k());
    const Nodes few = nodes(node_values, node_counts);
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, ""};
    Accumulator points = data.accumulator(start.k()), compressed = few.accumulator(start.k(), threads, kernel(""), std::ref(data.signals));
    Climb found;
    {
        nb::gil_scoped_release release;
        Model model(points, start.k(), {}, fetters), twin(compressed, start.k(), {}, fetters);
        found = gmm1d::exact(model, twin, start);
    }
    data.raise(!found.steps.empty());
    return give(std::move(found));
}

std::vector<std::string> judge(const Column& values, const Column& counts, const Column& weights, const Column& means,
                               const Column& stds) {
    const Parameters at = parameters(weights, means, stds);
    const Nodes all = nodes(values, counts);
    std::vector<std::string> out;
    for (int j = 0; j < at.k(); ++j) {
        static const char* const NAMES[] = {"regular", "dense", "faint", "spike", "narrow"};
        out.push_back(NAMES[static_cast<int>(gmm1d::judge(all, at.weights[j], at.means[j], at.stds[j]))]);
    }
    return out;
}

std::tuple<Vector, Vector, Vector> quantile_start(const Column& values, const Column& counts, int k) {
    if (k < 1) throw std::invalid_argument("k must be at least 1");
    Parameters start = gmm1d::quantile_start(nodes(values, counts), k);
    const std::size_t size = k;
    return {give<Vector>(std::move(start.weights), {size}), give<Vector>(std::move(start.means), {size}),
            give<Vector>(std::move(start.stds), {size})};
}

Vector em_sums(const AnyColumn& values, const std::optional<AnyColumn>& sample_weight, double centre, double factor,
               const Column& weights, const Column& means, const Column& stds, int threads,
               const std::string& instruction_set) {
    Here here;
    here.at = parameters(weights, means, stds);
    const int k = here.at.k();
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, instruction_set};
    Accumulator points = data.accumulator(k);
    Model model(points, k);
    {
        nb::gil_scoped_release release;
        model.evaluate(here, Detail::EM);
    }
    data.raise(false);
    std::vector<double> out(model.sums(), model.sums() + gmm1d::em_sums(k));
    out[0] = here.log_likelihood;
    const std::size_t size = out.size();
    return give<Vector>(std::move(out), {size});
}

std::tuple<double, Vector, Matrix> derivatives(const AnyColumn& values, const std::optional<AnyColumn>& sample_weight,
                                               double centre, double factor, const Column& weights, const Column& means,
                                               const Column& stds, double penalty, double penalty_variance,
                                               bool equal_stds, const std::vector<bool>& fixed, int threads) {
    Here here;
    here.at = parameters(weights, means, stds);
    const int k = here.at.k();
    const Constraints fetters = constraints(equal_stds, fixed, k);
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, ""};
    Accumulator points = data.accumulator(k);
    Model model(points, k, {penalty, penalty_variance}, fetters);
    {
        nb::gil_scoped_release release;
        model.evaluate(here, Detail::INFORMATION);
    }
    data.raise(false);
    const std::size_t n = model.n_free();
    return {here.objective, give<Vector>(std::move(here.gradient), {n}), give<Matrix>(std::move(here.hessian), {n, n})};
}

Vector apply(void (*Kernel::*function)(const double*, double*, std::int64_t), const Column& x,
             const std::string& instruction_set) {
    std::vector<double> in = copy(x), out(in.size());
    (gmm1d::kernel(instruction_set).*function)(in.data(), out.data(), static_cast<std::int64_t>(in.size()));
    return give<Vector>(std::move(out), {in.size()});
}

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Kernel* k : kernels()) names.push_back(k->name);
    return names;
}

}  // namespace bound

void bind_many(nanobind::module_&);
void bind_sketch(nanobind::module_&);
void bind_source(nanobind::module_&);

NB_MODULE(_engine, m) {
    using namespace nanobind::literals;
    namespace nb = nanobind;
    using gmm1d::Kernel;
    m.doc() = "The passes over data and the optimiser's inner loop. Data are seen as (value - centre) * factor.";
    m.def("climb", &bound::climb, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a, "means"_a,
          "stds"_a, nb::kw_only(), "method"_a, "tol"_a, "max_iter"_a, "penalty"_a = 0.0, "penalty_variance"_a = 1.0,
          "equal_stds"_a = false, "fixed"_a = std::vector<bool>(), "threads"_a = 1, "instruction_set"_a = "",
          "Climb from a start: why it stopped, the component that collapsed or -1, the kinds of steps (s start, e EM,\n"
          "q SQUAREM, n Newton), the trace, a row for every point of the climb: objective, weights, means, stds; then\n"
          "log-likelihood, gradient norm, Newton decrement, smallest eigenvalue and entropy at the end; and the covariance\n"
          "of log weights, means and log stds.");
    nb::class_<bound::Search>(m, "Search", "The search for the best mixture, kept from one number of components to the next.")
        .def(nb::init<const bound::Column&, const bound::Column&, bool, int>(), "values"_a, "counts"_a, "equal_stds"_a, "threads"_a)
        .def("best", &bound::Search::best, "k"_a, nb::kw_only(), "starts"_a, "fixed"_a, "values"_a, "method"_a, "tol"_a, "max_iter"_a,
             "The best climb as `climb` returns it, whether it is penalised, the spikes that made it so, whether all is regular.");
    m.def("exact", &bound::exact, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "node_values"_a,
          "node_counts"_a, "weights"_a, "means"_a, "stds"_a, nb::kw_only(), "equal_stds"_a, "fixed"_a, "threads"_a,
          "From an optimum of the nodes to that of the data, as `climb` returns it.");
    m.def("judge", &bound::judge, "values"_a, "counts"_a, "weights"_a, "means"_a, "stds"_a,
          "For every component: regular, dense, faint, spike or narrow.");
    m.def("quantile_start", &bound::quantile_start, "values"_a, "counts"_a, "k"_a,
          "Weights, means and stds of k groups of consecutive values of equal weight.");
    m.def("derivatives", &bound::derivatives, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a,
          "means"_a, "stds"_a, nb::kw_only(), "penalty"_a = 0.0, "penalty_variance"_a = 1.0, "equal_stds"_a = false,
          "fixed"_a = std::vector<bool>(), "threads"_a = 1,
          "The objective, its gradient and its Hessian in what is free of (log-odds of weights, mean / std, log std).");
    m.def("em_sums", &bound::em_sums, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a, "means"_a,
          "stds"_a, nb::kw_only(), "threads"_a = 1, "instruction_set"_a = "",
          "One E+M pass: log-likelihood, then for every component sum w r, sum w r z, sum w r z^2.");
    m.def("instruction_sets", &bound::instruction_sets, "The copies of the kernel that run here, the fastest first.");
    const auto exp = [](const bound::Column& x, const std::string& isa) { return bound::apply(&Kernel::exp, x, isa); };
    const auto log = [](const bound::Column& x, const std::string& isa) { return bound::apply(&Kernel::log, x, isa); };
    m.def("exp", exp, "x"_a, "instruction_set"_a = "", "The kernel's exp, for x <= 709.");
    m.def("log", log, "x"_a, "instruction_set"_a = "", "The kernel's log, for normal positive x.");
    bind_many(m);
    bind_sketch(m);
    bind_source(m);
}

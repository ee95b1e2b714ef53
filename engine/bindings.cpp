// Checks shapes, releases the GIL, calls. No arithmetic.
#include "bind_nodes.hpp"

namespace bound {

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
                                               const Column& stds, bool penalised, bool equal_stds,
                                                const std::vector<bool>& fixed, int threads) {
    Here here;
    here.at = parameters(weights, means, stds);
    const int k = here.at.k();
    const Constraints fetters = constraints(equal_stds, fixed, k);
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, ""};
    Accumulator points = data.accumulator(k);
    const std::optional<Nodes> seen = seen_if(penalised, data);
    Model model(points, k, seen ? seen->penalty(equal_stds) : Penalty{}, fetters);
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

void bind_climbs(nanobind::module_&);
void bind_many(nanobind::module_&);
void bind_sketch(nanobind::module_&);
void bind_source(nanobind::module_&);

NB_MODULE(_engine, m) {
    using namespace nanobind::literals;
    namespace nb = nanobind;
    using gmm1d::Kernel;
    m.doc() = "The passes over data and the optimiser's inner loop. Data are seen as (value - centre) * factor.";
    m.def("quantile_start", &bound::quantile_start, "values"_a, "counts"_a, "k"_a,
          "Weights, means and stds of k groups of consecutive values of equal weight.");
    m.def("derivatives", &bound::derivatives, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a,
          "means"_a, "stds"_a, nb::kw_only(), "penalised"_a = false, "equal_stds"_a = false,
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
    bind_climbs(m);
    bind_many(m);
    bind_sketch(m);
    bind_source(m);
}

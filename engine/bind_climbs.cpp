// Binds climbs and searches. No arithmetic.
#include "bind_nodes.hpp"
#include "best.hpp"

namespace bound {

Rules rules(const std::string& method, double tol, std::int64_t max_iter, int em_steps) {
    for (const auto& [name, each] : {std::pair{"em", Method::EM}, {"squarem", Method::SQUAREM}, {"newton", Method::NEWTON}}) {
        if (method == name) return {each, tol, max_iter, em_steps};
    }
    throw std::invalid_argument("no method '" + method + "'");
}

const char* name(Stop stop) {
    switch (stop) {
        case Stop::TOLERANCE: return "tolerance";
        case Stop::STATIONARY: return "stationary";
        case Stop::COLLAPSED: return "collapsed";
        case Stop::STRAYED: return "strayed";
        case Stop::MAX_ITER: return "max_iter";
        case Stop::INTERRUPTED: return "interrupted";
    }
    return "";
}

using Measures = std::tuple<double, double, double, double, double>;
using UnitsGiven = std::tuple<double, double, double>;  // centre, unit, jacobian
using Climbed = std::tuple<std::string, int, std::string, Matrix, std::optional<Measures>, std::optional<Matrix>>;

// Why it stopped, the component that collapsed or -1, a letter for every step, the trace, certificate and covariance.
Climbed give(Climb&& climb, const UnitsGiven& given) {
    const auto& [centre, unit, jacobian] = given;
    raise(climb, {centre, unit, jacobian});
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

Climbed climb(const AnyColumn& values, const std::optional<AnyColumn>& sample_weight, double centre, double factor,
              const Column& weights, const Column& means, const Column& stds, const std::string& method, double tol,
              std::int64_t max_iter, bool penalised, bool equal_stds, const std::vector<bool>& fixed, const UnitsGiven& units, int threads, const std::string& instruction_set) {
    const Parameters start = parameters(weights, means, stds);
    const Constraints fetters = constraints(equal_stds, fixed, start.k());
    const Rules how = rules(method, tol, max_iter, penalised ? 0 : 5);
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, instruction_set};
    Accumulator points = data.accumulator(start.k());
    const std::optional<Nodes> seen = seen_if(penalised, data);
    Climb found;
    {
        nb::gil_scoped_release release;
        Model model(points, start.k(), seen ? seen->penalty(equal_stds) : Penalty{}, fetters);
        found = gmm1d::climb(model, start, how);
    }
    data.raise(!found.steps.empty());
    return give(std::move(found), units);
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
    Search(const Column& values, const Column& counts, bool equal_stds, const UnitsGiven& units, int threads)
        : equal_stds_(equal_stds),
          units_(units),
          finder_(checked(values, counts), copy(counts), equal_stds, threads, kernel(""), std::ref(signals_)) {}

    void look(int k) {
        bool done;
        {
            nb::gil_scoped_release release;
            done = finder_.look(k);
        }
        if (!done) signals_.raise();
    }

    // The climb, the reason why it is penalised, or none, the components that are held, and S, by which searches compare.
    std::tuple<Climbed, std::optional<std::string>, std::vector<int>, double> best(int k, const std::vector<Plain>& starts, const std::vector<bool>& fixed,
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
        static const std::optional<std::string> REASONS[] = {std::nullopt, "support", "ties"};
        return {give(std::move(found.climb), units_), REASONS[static_cast<int>(found.reason)], std::move(found.held), found.objective};
    }

private:
    const bool equal_stds_;
    const UnitsGiven units_;
    Signals signals_;
    Finder finder_;
};

Climbed exact(const AnyColumn& values, const std::optional<AnyColumn>& sample_weight, double centre, double factor,
              const Column& node_values, const Column& node_counts, const Column& weights, const Column& means,
              const Column& stds, double weight_scale, bool equal_stds, const std::vector<bool>& fixed, const UnitsGiven& units,
              int threads) {
    const Parameters start = parameters(weights, means, stds);
    const Constraints fetters = constraints(equal_stds, fixed, start.k());
    const Nodes few = nodes(node_values, node_counts);
    Readings data{source_of(values), source_of(sample_weight, values.size()), centre, factor, threads, "", weight_scale};
    Accumulator points = data.accumulator(start.k()), compressed = few.accumulator(start.k(), threads, kernel(""), std::ref(data.signals));
    Climb found;
    {
        nb::gil_scoped_release release;
        Model model(points, start.k(), {}, fetters), twin(compressed, start.k(), {}, fetters);
        found = gmm1d::exact(model, twin, start);
    }
    data.raise(!found.steps.empty());
    return give(std::move(found), units);
}

}  // namespace bound

void bind_climbs(nanobind::module_& m) {
    using namespace nanobind::literals;
    namespace nb = nanobind;
    m.def("climb", &bound::climb, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "weights"_a, "means"_a,
          "stds"_a, nb::kw_only(), "method"_a, "tol"_a, "max_iter"_a, "penalised"_a = false,
          "equal_stds"_a = false, "fixed"_a = std::vector<bool>(), "units"_a = bound::UnitsGiven(0.0, 1.0, 0.0), "threads"_a = 1,
          "instruction_set"_a = "",
          "Climb from a start: why it stopped, the component that collapsed or -1, the kinds of steps (s start, e EM,\n"
          "q SQUAREM, n Newton), the trace, a row for every point of the climb: objective, weights, means, stds; then\n"
          "log-likelihood, gradient norm, Newton decrement, smallest eigenvalue and entropy at the end; and the covariance\n"
          "of log weights, means and log stds. All in units of the caller's: centre, unit, and n log(unit).\n"
          "Penalised: of distinct values in ascending order, S is climbed, from near its optimum.");
    nb::class_<bound::Search>(m, "Search", "The search for the best mixture, kept from one number of components to the next.")
        .def(nb::init<const bound::Column&, const bound::Column&, bool, const bound::UnitsGiven&, int>(), "values"_a, "counts"_a, "equal_stds"_a, "units"_a, "threads"_a)
        .def("look", &bound::Search::look, "k"_a, "Search on the path to k components.")
        .def("best", &bound::Search::best, "k"_a, "starts"_a, "fixed"_a, "values"_a, "method"_a, "tol"_a, "max_iter"_a,
             "The best climb as `climb` returns it, why it is penalised or None, which components are held, and S.");
    m.def("exact", &bound::exact, "values"_a, "sample_weight"_a.none(), "centre"_a, "factor"_a, "node_values"_a,
          "node_counts"_a, "weights"_a, "means"_a, "stds"_a, nb::kw_only(), "weight_scale"_a, "equal_stds"_a, "fixed"_a, "units"_a, "threads"_a,
          "From an optimum of the nodes to that of the data, as `climb` returns it.");
}

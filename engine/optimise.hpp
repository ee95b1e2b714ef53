// Climbing from a start to a stationary point, and what is known there.
#pragma once

#include "region.hpp"

namespace gmm1d {

enum class Method { EM, SQUAREM, NEWTON };

struct Rules {
    Method method = Method::NEWTON;
    double tol = -1.0;  // stop when the objective changes by less (negative: at a certified optimum)
    std::int64_t max_iter = 1000;
    int em_steps = 5;     // before Newton's: they keep it in EM's basin
    double leash = std::numeric_limits<double>::infinity();  // how far the log of a std may go from the start
};

enum class Stop { TOLERANCE, STATIONARY, COLLAPSED, STRAYED, MAX_ITER, INTERRUPTED };
enum class Step : char { START, EM, SQUAREM, NEWTON };

struct Climb {
    Stop stop = Stop::INTERRUPTED;
    int collapsed = -1;  // the component that fell below what the data resolve
    Here end;
    Certificate certificate{};
    bool certified = false;
    double penalised_stds = 0.0;  // c for each free std: of data times a, S is so many log a higher
    std::vector<double> trace;  // rows: objective, weights, means, stds; the first is the start, the last the result
    std::vector<Step> steps;
};

// Of standardised values (x - centre) / unit; the log-likelihood of x is lower by the jacobian, n log(unit).
struct Units {
    double centre = 0.0, unit = 1.0, jacobian = 0.0;
};

// Turns what a climb found into the units of x: trace, log-likelihood and covariance.
void raise(Climb& climb, const Units& units);

// Climbs by EM (Dempster, Laird and Rubin 1977), SQUAREM (Varadhan and Roland 2008) or by five EM steps and then a
// trust-region Newton method in the metric of the complete-data information, which falls back to EM steps.
// The objective never falls. It stops when a standard deviation falls below what the data resolve.
Climb climb(Model& model, const Parameters& start, const Rules& rules);

// From an optimum of the nodes to that of the data: each step is one EM pass over the data and the Hessian of the nodes.
Climb exact(Model& data, Model& nodes, const Parameters& start);

}  // namespace gmm1d

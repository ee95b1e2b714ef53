// Climbing: what an optimiser is given and what it returns. Everything is in standardised units.
#pragma once

#include "accumulate.hpp"

namespace gmm1d {

struct Parameters {
    std::vector<double> weights, means, stds;
    int k() const { return static_cast<int>(weights.size()); }
};

// The weak penalty -a sum_j (v0 / s_j^2 + log(s_j^2 / v0) - 1) of Chen, Tan and Zhang (2008); a = 0 for none.
struct Penalty {
    double a, v0;
};

struct Rules {
    double tol;           // stop when the objective changes by less (negative: never)
    double gradient_tol;  // stop when gradient_norm is below
    std::int64_t max_iter;
};

enum class Stop { TOLERANCE, GRADIENT, COLLAPSED, MAX_ITER, INTERRUPTED };

struct Climb {
    Stop stop;
    int collapsed;              // the component that fell below the floor, or -1
    std::vector<double> trace;  // rows: objective, weights, means, stds; the first is the start, the last the result
};

// Plain EM (Dempster, Laird and Rubin 1977). Without a penalty it stops when a standard deviation falls below what
// the data resolve there: the component sits on a single value.
Climb em(Accumulator& data, Parameters start, const Penalty& penalty, const Rules& rules);

// One E+M pass: the log-likelihood, then N, S1 and S2 of every component; false if interrupted.
bool em_pass(Accumulator& data, const Parameters& at, std::vector<double>& out);

// The log-likelihood, the gradient (3k) and the Hessian (3k x 3k) of the penalised log-likelihood in
// (log-odds of the weights, mean / std, log std); false if interrupted.
struct Derivatives {
    double log_likelihood;
    std::vector<double> counts, gradient, hessian;
};
bool derivatives(Accumulator& data, const Parameters& at, const Penalty& penalty, Derivatives& out);

}  // namespace gmm1d

// The objective: the log-likelihood of a mixture, perhaps penalised, perhaps constrained, and its derivatives.
// Everything is in standardised units.
#pragma once

#include "accumulate.hpp"

namespace gmm1d {

struct Parameters {
    std::vector<double> weights, means, stds;
    int k() const { return static_cast<int>(weights.size()); }
};

// The weak penalty -a sum_j (v0 / s_j^2 + log(s_j^2 / v0) - 1) of Chen, Tan and Zhang (2008); a = 0 for none.
struct Penalty {
    double a = 0.0, v0 = 1.0;
};

// What may not move: true where a weight, mean or standard deviation is fixed (empty: all are free).
struct Constraints {
    bool equal_stds = false;
    std::vector<bool> weights, means, stds;
};

// A point and what a pass found there. Gradient, information and Hessian are in free coordinates: log-odds of the
// free weights, mean / std, log std. `information` is that of the complete data, n (pi, pi, 2 pi).
struct Here {
    Parameters at, next;  // next: where the EM step leads; n: the total weight
    double n = 0.0, log_likelihood = 0.0, objective = 0.0, gradient_norm = 0.0, entropy = 0.0;
    std::vector<double> gradient, information, hessian;
};

class Model {
public:
    Model(Accumulator& data, int k, const Penalty& penalty = {}, const Constraints& constraints = {});
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    // One pass at here.at; Detail::INFORMATION for the Hessian, too. False if interrupted.
    bool evaluate(Here& here, Detail detail);

    // The parameters after a step in free coordinates.
    void move(const Parameters& from, const std::vector<double>& step, Parameters& to);

    // The nearest parameters that keep the constraints: equal standard deviations are pooled.
    Parameters constrained(Parameters at) const;

    // The coordinates in which steps are taken: n_free of the 3k full ones (weights, means, stds); owner is -1 for a
    // fixed one, the same for shared ones.
    int n_free() const { return n_free_; }
    int owner(int full) const { return owner_[full]; }
    bool free_weight(int j) const { return owner_[j] >= 0; }
    double largest_step(const std::vector<double>& step) const;  // in units of what one step may change

    const double* sums() const { return sums_.data(); }  // of the last pass, as the kernel gives them
    Accumulator& data() const { return data_; }
    const Penalty& penalty() const { return penalty_; }

private:
    bool fixed(const std::vector<bool>& which, int j) const { return !which.empty() && which[j]; }
    double free_mass(const Parameters& at) const;
    void m_step(const double* sums, const Parameters& from, Parameters& to) const;
    void add_gradient(const double* sums, Here& here) const;
    void add_hessian(const double* sums, Here& here);

    Accumulator& data_;
    const int k_;
    const Penalty penalty_;
    const Constraints constraints_;
    std::vector<int> owner_;
    int n_free_ = 0;
    std::vector<double> sums_, full_;  // full_: in full coordinates
    double* logs_;                     // after the sums: 3k numbers of one evaluation
};

}  // namespace gmm1d

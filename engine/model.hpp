// The objective: the log-likelihood of a mixture, perhaps penalised, perhaps constrained, and its derivatives.
// Everything is in standardised units.
#pragma once

#include <limits>

#include "accumulate.hpp"

namespace gmm1d {

struct Parameters {
    std::vector<double> weights, means, stds;
    int k() const { return static_cast<int>(weights.size()); }
};

// How many of ascending values are below x: a search without branches, which a processor cannot foresee.
inline std::int64_t below(const double* values, std::int64_t size, double x) {
    const double* from = values;
    while (size > 1) {
        const std::int64_t half = size / 2;
        from = from[half - 1] < x ? from + half : from;
        size -= half;
    }
    return from - values + (size == 1 && *from < x);
}

// Distinct values in ascending order and their weights, where they lie.
struct Distinct {
    const double *values = nullptr, *weights = nullptr;
    std::int64_t size = 0;
    bool compressed = false;  // whether each may stand for many that differ

    // The value nearest to x, and how far its own nearest neighbour is.
    std::int64_t nearest(double x) const;
    double gap(std::int64_t i) const;

    // Below it a std at value i says nothing: the value is tied, or stands for others on either side.
    double resolution(std::int64_t i) const;
};

// S = log-likelihood + c sum_j log s_j + d sum_j log pi_j, the sums over what is free. It has no scale in it: of data times
// a it is k c log a higher everywhere. A component of few values that lie close by chance gains about log(1 / s) for each
// of them and pays for it c times (c = 1: the restricted likelihood with flat means); d keeps every component alive (the
// modified likelihood of Chen and Kalbfleisch 1996). Without penalty c = d = 0, and no std is widest.
struct Penalty {
    double c = 0.0, d = 0.0;
    double widest = std::numeric_limits<double>::infinity();  // no std grows further: one of c values or less would, for ever
    Distinct values{};  // on one of weight c or more a std would shrink for ever
    bool any() const { return c > 0.0 || d > 0.0; }
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
    void add_gradient(const double* sums, Here& here);
    void add_hessian(const double* sums, Here& here);

    Accumulator& data_;
    const int k_;
    const Penalty penalty_;
    const Constraints constraints_;
    std::vector<int> owner_;
    int n_free_ = 0, free_weights_ = 0;
    std::vector<bool> held_;  // stds that would grow beyond the widest
    std::vector<double> sums_, full_;  // full_: in full coordinates
    double* logs_;                     // after the sums: 3k numbers of one evaluation
};

}  // namespace gmm1d

// One step of Newton's method in a trust region, and what the derivatives tell about a point.
#pragma once

#include "model.hpp"

namespace gmm1d {

// The conditions of Ending.CONVERGED.
constexpr double GRADIENT = 1e-8, DECREMENT = 1e-6, CURVATURE = 1e-6;

// Differences of the objective below so many (|L| + n) mean nothing.
constexpr double ROUNDING = 1e-13;

// Gradient and Hessian in a few numbers: see gmm1d.certificate.
struct Certificate {
    double log_likelihood, gradient_norm, newton_decrement, smallest_eigenvalue, entropy;
    std::vector<double> covariance;  // 3k x 3k, of (log weights, means, log stds); empty where there is none
};

// From a Here with derivatives.
Certificate certify(const Model& model, const Here& here);

bool same(const Parameters& a, const Parameters& b);

// B' = I^-1/2 (-H) I^-1/2, in which the null direction (1, ..., 1) of the log-odds has the eigenvalue 1.
struct Metric {
    std::vector<double> root, inverse, curvature, slope, null;  // inverse: of the roots
};

// Steps that promise most within a radius, in the metric of the complete-data information (More and Sorensen 1983).
class TrustRegion {
public:
    void start(double total_weight);

    // Prepares the next step; with `spectrum` the smallest eigenvalue of B' is computed, too.
    void propose(const Model& model, const Here& here, bool spectrum);

    const std::vector<double>& step() const { return step_; }

    // Takes the step or, where it does not rise as promised, a shorter one, or else the EM step, if that may be.
    enum class Move { NEWTON, EM, COLLAPSED, FIXED, INTERRUPTED };
    Move move(Model& model, Here& here, bool or_em = true);

    double promise = 0.0, smallest_eigenvalue = 1.0;  // of the step ahead; 1 or -1 where only its sign is known
    bool below_rounding = false;                      // whether the promise is too small to be measured
    int stalls = 0;                                   // such steps in a row

private:
    double noise(const Here& here) const;
    bool by_factors(int n, const Kernel& kernel);
    void by_eigenvectors(int n);

    double total_weight_ = 0.0, radius_ = 0.0, length_ = 0.0, slope_ = 0.0;  // slope_: of the objective along the step
    double shift_ = 0.0;  // the last that made B' positive definite: the next is not far
    std::vector<double> step_, scaled_, along_, factor_;  // scaled_: the step in the metric
    Metric metric_;
    Here to_;
};

// The component whose standard deviation is below what the data resolve there, or -1: of S, on a tied value.
int collapsed(const Model& model, const Parameters& at);

}  // namespace gmm1d

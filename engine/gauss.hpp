// Gauss quadrature of what lies in a leaf, from its moments alone.
#pragma once

#include "binning.hpp"

namespace gmm1d {

constexpr int NODES = 3;  // q: they match the moments of orders 0 ... 5; order 6 tells the error

// Points u in [-1, 1], strictly ascending, and their positive weights, which add up to sums[0] > 0.
struct Rule {
    int size;
    double u[NODES], w[NODES];

    // ||pi_q||^2 = sum_0^n w pi_q(u)^2, what the nodes lack of the moment of order 6.
    double defect(const Moments8& moments) const;
};
Rule gauss(const Moments8& moments);

// Adds the sums of a leaf to those of another interval, where its u is offset + ratio u.
void add_moved(const Moments8& from, double offset, double ratio, Moments8& to);

}  // namespace gmm1d

// Distinct values in ascending order with their weights: what searches and climbs work on, instead of the data.
#pragma once

#include <cstdint>
#include <vector>

#include "model.hpp"

namespace gmm1d {

struct Nodes {
    std::vector<double> values, weights;
    double n = 0.0, std = 0.0, range = 0.0;  // total weight; standard deviation and range, of coarse nodes those of all values
    bool plain = true;          // whether every weight is 1
    bool compressed = false;    // whether each may stand for many values that differ

    Nodes(std::vector<double> values, std::vector<double> weights, double known_std = -1.0);
    std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
    Accumulator accumulator(int k, int threads, const Kernel& kernel, Poll poll, const Neglected& neglected = NOTHING) const;

    // What S adds to the log-likelihood: nothing where all components share their std, for then there are no needles.
    Penalty penalty(bool equal_stds) const;

    // The indices first ... last - 1 of the values within radius of mean.
    std::pair<std::int64_t, std::int64_t> within(double mean, double radius) const;
};

// The same values seen alike in every unit: (value - centre) / scale on a fine grid, skewed to the right. Data that are
// equal up to units, direction and the rounding of values become the same, so that a search takes the same turns.
struct Canonical {
    Nodes nodes;
    double centre, scale;  // negative where the direction was turned

    Parameters seen(Parameters at) const;    // from units of the values
    Parameters raised(Parameters at) const;  // to units of the values
};
Canonical canonical(const std::vector<double>& values, const std::vector<double>& weights, bool compressed = false);

// Where neighbouring nodes are closer than those on either side, from one value to another.
struct Crowd {
    double low, high;
};

// Of values seen in units of their spread about their middle, about 2 nodes for each of so many groups of consecutive values of equal weight,
// and for more around crowds, by Gauss quadrature.
Nodes coarsened(const Nodes& nodes, int groups, const std::vector<Crowd>& crowds = {});

// k groups of consecutive values of equal weight.
Parameters quantile_start(const Nodes& nodes, int k);

// Means at quantiles that no sequence spreads more evenly (Weyl 1916), mirrored every other time.
Parameters scattered(const Nodes& nodes, int k, int number);

}  // namespace gmm1d

// Values in ascending order, each once, with how often they count: what a fit needs of a small sample.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "source.hpp"
#include "weighing.hpp"

namespace gmm1d {

struct Ordered {
    std::vector<double> values;  // ascending, no negative zero
    std::vector<double> counts;  // positive
    bool importance = false;     // whether the counts are scale * weight
    double scale = 1.0;          // no normal number, and not applied, if the weights have no normal sum
};

// Orders points, leaving out those of weight zero; equal ones become one, their weights added in ascending order, so that
// the order of the points leaves no trace. Returns -1, or the first index of a fault and leaves `out` as it is: a point
// that is not finite, else a weight (there are as many) that is not finite or negative. Importance weights are scaled to
// counts before they are added; of equal ones each counts once.
std::int64_t condense(const Source& points, const std::optional<Source>& weights, Meaning asked, Ordered& out);

// The sum of counts; what is no normal float64 may end as infinity or NaN.
double total(const double* counts, std::int64_t size);

// The first values with a quarter, half and three quarters of all counts up to them; values and counts lie a stride apart.
// They refuse nothing: there must be values, here and below.
struct Quartiles {
    double lower, median, upper;
};
Quartiles quartiles(const double* values, const double* counts, std::int64_t size, std::int64_t stride = 1);

// sum c_i v_i / n and sqrt(sum c_i (v_i - mean)^2 / n), without overflow or cancellation.
struct Moments {
    double mean, std;
};
Moments moments(const double* values, const double* counts, std::int64_t size);

// Values as (value - centre) / unit: from their median, in the power of two just below the interquartile range or, where
// that is zero, below the standard deviation, which may underflow; of values that are all equal, below their magnitude. Values that become
// equal become one.
struct Standardised {
    static constexpr double SMALLEST = 0x1p-511, LARGEST = 0x1p511;  // of spread and unit: their squares are normal numbers
    Ordered nodes;  // as they are where they have no scale
    double n = 0.0, low = 0.0, high = 0.0, centre = 0.0, unit = 0.0;
    bool has_scale() const;  // whether the squares of spread, unit and their ratio are normal numbers
};
Standardised standardised(Ordered&& ordered);

}  // namespace gmm1d

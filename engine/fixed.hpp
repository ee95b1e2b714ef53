// What of a mixture is fixed, and what components of an optimum may take its place.
#pragma once

#include "nodes.hpp"

namespace gmm1d {

// Values of what is fixed, in the caller's order; anything where nothing is.
struct Fixed {
    Constraints which;
    Parameters values;
};

inline bool is_fixed(const std::vector<bool>& row, int j) { return !row.empty() && row[j]; }

// Whether the same is fixed of both components.
bool alike(const Fixed& fixed, int i, int j);

// The components in an order that the caller's leaves no trace in: those of which more is fixed, or smaller values, first.
std::vector<int> by_what_is_fixed(const Fixed& fixed);
Fixed reordered(const Fixed& from, const std::vector<int>& order);

// The components of an optimum in such orders that they are closest to what is fixed of those in as many slots.
std::vector<std::vector<int>> orders(const Fixed& fixed, const Parameters& at, const std::vector<int>& slots);

}  // namespace gmm1d

// The search for the best mixture of which something is fixed: on few nodes, whatever the number of values.
#pragma once

#include "fixed.hpp"
#include "search.hpp"

namespace gmm1d {

class FixedSearch {
public:
    // Of values seen alike in every unit; what is fixed is seen so, too.
    FixedSearch(const Nodes& full, const Fixed& fixed, const Kernel& kernel, const Poll& poll);

    // Climbs from free optima, and from those of one component less. False if interrupted, here and below.
    bool run(const std::vector<Optimum>& optima, const std::vector<Optimum>& fewer);

    // Climbs from one more start.
    bool add(const Parameters& start);

    bool is_for(const Fixed& fixed) const;

    // What was found, with the components in the caller's order.
    Level level() const;

private:
    struct Seat {
        double mean, std, share;
    };
    using Row = std::vector<bool> Constraints::*;

    bool keeps(Row row, int j) const { return is_fixed(fixed_.which.*row, j); }
    Parameters fitted_in(const Parameters& at, const std::vector<int>& slots, const std::vector<int>& order) const;
    Parameters kept(Parameters at) const;
    std::vector<Seat> windows() const;
    std::vector<Seat> crowded(double std) const;
    std::vector<Seat> seats(const Parameters& base, int j);
    bool climb_in_orders(const Parameters& at);
    bool extend(const Parameters& fewer);
    bool improve();
    bool place(const Parameters& base, int j, int count);
    bool ascend(const Parameters& start);
    Parameters in_callers_order(const Parameters& at) const;

    const Nodes& full_;
    const Fixed given_;
    const std::vector<int> order_;  // of the components, so that the caller's leaves no trace
    const Fixed fixed_;             // in that order
    const Nodes coarse_;
    Accumulator data_;
    Model model_;
    Level level_;
    std::vector<Seat> windows_;
    Places places_;
    std::vector<std::vector<Seat>> crowded_;  // for each component of fixed standard deviation
};

}  // namespace gmm1d

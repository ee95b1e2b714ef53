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

    // Climbs the penalised likelihood, and then the likelihood, from where climbs of the likelihood alone began.
    bool tame();

    bool is_for(const Fixed& fixed) const;
    Parameters in_callers_order(const Parameters& at) const;

    // Optima, where climbs ran into spikes, and optima of the penalised likelihood: the best first.
    std::vector<Optimum> found, spikes, tamed;

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
    bool climbed(Model& model, const Parameters& start, std::vector<Optimum>& ends, Climb& climb);

    const Nodes& full_;
    const Fixed given_;
    const std::vector<int> order_;  // of the components, so that the caller's leaves no trace
    const Fixed fixed_;             // in that order
    const Nodes coarse_;
    Accumulator data_;
    Model model_, penalised_;
    std::vector<Seat> windows_;
    Places places_;
    std::vector<std::vector<Seat>> crowded_;  // for each component of fixed standard deviation
    std::vector<Parameters> begins_;
};

}  // namespace gmm1d

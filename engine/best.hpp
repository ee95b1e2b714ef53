// From a search to the fit that is returned: survivors are polished, the best sound one is chosen.
#pragma once

#include "fixed_search.hpp"

namespace gmm1d {

struct Choice {
    Climb climb;
    bool penalised = false;
    std::vector<Parameters> spikes;  // of a penalised one: what the climbs without a penalty ran into
};

class Finder {
public:
    Finder(std::vector<double> values, std::vector<double> weights, bool equal_stds, int threads, const Kernel& kernel, Poll poll);

    // The best mixture of k components. More starts may be given to climb from. The search is kept for a larger k.
    // Interrupted: a climb that stopped so, perhaps without a step.
    Choice best(int k, const Rules& rules, const std::vector<Parameters>& starts = {});

    // The best of those that keep what is fixed. The search is kept for more starts.
    Choice best_fixed(const Fixed& fixed, const Rules& rules, const std::vector<Parameters>& starts = {});

    // Searches for all optima of up to k components; false if interrupted. The others do so, too.
    bool look(int k);

    const Nodes& nodes() const { return nodes_; }

private:
    // What to make of optima that a search found.
    struct Aim {
        Constraints which;
        Penalty penalty;  // in units of the values seen alike
        std::function<Parameters(const Parameters&)> raised;
        std::function<bool(const Climb&)> acceptable;
        bool settled = false;  // whether they are those of all values, so that where they lie flat they need not move
    };

    Climb best_of(const std::vector<Optimum>& list, double slack, const Aim& aim, const Rules& rules);
    bool adds(const Climb& climb, int k) const;
    Choice penalised(const Level& level, int k, const Rules& rules);
    Climb polished(const Nodes& nodes, const Parameters& from, const Penalty& penalty, const Constraints& which, const Rules& rules);

    const Canonical seen_;  // every choice is made there, so that units and direction leave no trace
    const Nodes nodes_;
    const bool equal_stds_;
    const int threads_;
    const Kernel& kernel_;
    const Poll poll_;
    Search search_;
    std::vector<Level> levels_;
    std::unique_ptr<FixedSearch> fixed_;
};

}  // namespace gmm1d

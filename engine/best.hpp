// From a search to the fit that is returned: survivors are polished, the best sound one is chosen.
#pragma once

#include "search.hpp"

namespace gmm1d {

struct Choice {
    Climb climb;
    bool penalised = false;
    std::vector<Parameters> spikes;  // of a penalised one: what the climbs without a penalty ran into
};

// Values of what is fixed, in the caller's order; empty where nothing is.
struct Fixed {
    Constraints which;
    Parameters values;
};

class Finder {
public:
    Finder(Nodes nodes, bool equal_stds, int threads, const Kernel& kernel, Poll poll);

    // The best mixture of k components. More starts may be given to climb from. The search is kept for a larger k.
    // Interrupted: a climb that stopped so, perhaps without a step.
    Choice best(int k, const Rules& rules, const std::vector<Parameters>& starts = {});

    // The best of those that keep what is fixed.
    Choice best_fixed(const Fixed& fixed, const Rules& rules, const std::vector<Parameters>& starts = {});

    const Nodes& nodes() const { return nodes_; }

private:
    bool look(int k, const std::vector<Parameters>& starts, Level& level);
    Choice choose(const Level& level, int k, const Rules& rules);
    bool adds(const Climb& climb, int k) const;
    Choice penalised(const Level& level, int k, const Rules& rules);
    Climb polished(const Parameters& from, const Penalty& penalty, const Constraints& constraints, const Rules& rules);

    const Nodes nodes_;
    const Canonical seen_;
    const bool equal_stds_;
    const int threads_;
    const Kernel& kernel_;
    const Poll poll_;
    Search search_;
    std::vector<Level> levels_;
};

}  // namespace gmm1d

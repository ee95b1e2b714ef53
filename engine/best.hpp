// From a search to the fit that is returned: the best optimum of S, or the maximum of the likelihood near it.
#pragma once

#include "fixed_search.hpp"

namespace gmm1d {

// Why no maximum of the likelihood with k living components is near: the data support fewer, or a component sits on ties.
enum class Reason { NONE, SUPPORT, TIES };

struct Choice {
    Climb climb;
    Reason reason = Reason::NONE;
    std::vector<int> held;  // the components that the penalty alone holds, or that sit on ties
    double objective = 0.0;  // S of the optimum, in units of the values seen alike, by which choices are ranked
};

class Finder {
public:
    // Compressed: each value may stand for many that differ.
    Finder(std::vector<double> values, std::vector<double> weights, bool equal_stds, bool compressed, int threads, const Kernel& kernel, Poll poll);

    // The best mixture of k components. More starts may be given to climb from. The search is kept for a larger k.
    // Interrupted: a climb that stopped so, perhaps without a step.
    Choice best(int k, const Rules& rules, const std::vector<Parameters>& starts = {});

    // The best of those that keep what is fixed. The search is kept for more starts.
    Choice best_fixed(const Fixed& fixed, const Rules& rules, const std::vector<Parameters>& starts = {});

    // Searches on the path to k components; false if interrupted.
    bool look(int k);

private:
    // What is free, and how parameters seen alike become those of the values.
    struct Aim {
        Constraints which, seen;  // in the order of the values, and of what is seen alike
        std::function<Parameters(const Parameters&)> raised;
        bool turned = false;  // whether that turns the order of the components

        std::vector<int> in_order(std::vector<int> components, int k) const {
            for (int& j : components) j = turned ? k - 1 - j : j;
            return components;
        }
    };

    Choice chosen(const Level& level, const Aim& aim, const Rules& rules);
    std::vector<int> beside(const std::vector<int>& twins, const Parameters& at, const Nodes& fine, Constraints which);
    Choice on_ties(const Level& level, const Aim& aim, const Rules& rules);
    Climb climbed(const Nodes& nodes, const Parameters& from, const Penalty& penalty, const Constraints& which, const Rules& rules);

    const Canonical seen_;  // every choice is made there, so that units and direction leave no trace
    const Nodes nodes_;
    const std::vector<Crowd> crowds_;
    const bool equal_stds_;
    const int threads_;
    const Kernel& kernel_;
    const Poll poll_;
    Search search_;
    std::vector<Level> path_;
    std::unique_ptr<FixedSearch> fixed_;
};

}  // namespace gmm1d

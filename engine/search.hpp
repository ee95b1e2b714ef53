// The search for the best regular optimum: deterministic, from one component up.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "optimise.hpp"
#include "places.hpp"

namespace gmm1d {

// An optimum, as far as a short climb knows it.
struct Optimum {
    Parameters at;
    double objective;
    bool expanded;  // whether its neighbours have been looked at
};

// Into a list of which the best is first.
inline void insert(Optimum optimum, std::vector<Optimum>& list) {
    const auto higher = [](const Optimum& a, const Optimum& b) { return a.objective > b.objective; };
    const auto at = std::upper_bound(list.begin(), list.end(), optimum, higher);
    list.insert(at, std::move(optimum));
}

// All components but j.
inline Parameters without(const Parameters& at, int j) {
    Parameters out = at;
    for (auto* row : {&out.weights, &out.means, &out.stds}) row->erase(row->begin() + j);
    for (double& w : out.weights) w /= 1.0 - at.weights[j];
    return out;
}

// The optima for one number of components, the best first; spikes: what ran into a singularity or is not sound.
struct Level {
    std::vector<Optimum> found, spikes;
    double slack = 0.0;  // by so much their log-likelihoods may be wrong
};

// How far to look; more for more components, where there is more to miss, and for few values, where it costs little.
struct Effort {
    int first_groups, first;  // a first look: groups of values, broad and narrow places; the last if it is clear
    int groups;      // of values, in the coarse nodes on which the search climbs
    int kept;        // optima of a level
    int broad;       // windows of down to n / 2^broad points are all looked at closely ...
    int halvings;    // ... of down to n / 2^halvings the most crowded ones
    int parents;     // optima with one component less to which one is added ...
    int candidates;  // ... at so many broad and so many narrow places
    int scattered;   // starts that spread over the data
    int width;       // the best optima, of which every component is moved elsewhere ...
    int again;       // ... to so many broad and narrow places
    int spikes;      // the best spikes, of which the spike is moved elsewhere
    int rounds;      // such optima and spikes at most
    int few;         // where fewer optima are found than these, ties are in the way
    static Effort of(int k, std::int64_t size);
};

class Search {
public:
    Search(const Nodes& nodes, const Kernel& kernel, Poll poll, bool equal_stds, int threads);

    // Extends `levels` to those of 1 ... k components; false if interrupted.
    bool run(int k, std::vector<Level>& levels);

    // Climbs from one more start.
    bool add(const Parameters& start, Level& level);

private:
    void prepare(int k, int groups);
    bool fill(int k, std::vector<Level>& levels);
    bool survey(int k, const std::vector<Optimum>& parents, Level& level);
    bool settled(const Level& level) const;
    bool improve(Level& level);
    bool place(const Parameters& base, int count, Level& level);
    bool ascend(std::vector<Parameters> starts, Level& level);
    struct Worker {
        Accumulator data;
        TrustRegion region;
    };
    enum class Rise { DONE, KNOWN, DEAD, INTERRUPTED };
    Rise rise(Worker& worker, Here& here, const Level& level, const Penalty& penalty) const;
    bool known(const Here& here, double promise, const Level& level) const;
    bool hopeless(const Here& here, double promise, const Level& level) const;
    void file(Here&& here, bool dead, Level& level) const;

    const Nodes& full_;
    const Kernel& kernel_;
    const Poll poll_;
    const bool equal_stds_;
    const int threads_;
    int most_k_ = 0, groups_ = 0;
    bool gentle_ = false;
    Effort effort_{};
    std::optional<std::vector<Crowd>> crowds_;
    std::unique_ptr<Nodes> coarse_;
    std::vector<std::unique_ptr<Worker>> workers_;  // one for each thread
    std::unique_ptr<Places> places_;
};

}  // namespace gmm1d

// The search for the best optimum of S (model.hpp): deterministic, from one component up.
#pragma once

#include <algorithm>
#include <memory>

#include "moves.hpp"
#include "optimise.hpp"
#include "places.hpp"

namespace gmm1d {

// A finite local maximum of S, as far as a short climb knows it.
struct Optimum {
    Parameters at;
    double objective;
};

// Of the range of the data: a std that none but a component of fewer than three values has, on its way to the widest.
constexpr double SPREAD = 0.7;

// Into a list of which the best is first.
inline void insert(Optimum optimum, std::vector<Optimum>& list) {
    const auto higher = [](const Optimum& a, const Optimum& b) { return a.objective > b.objective; };
    const auto at = std::upper_bound(list.begin(), list.end(), optimum, higher);
    list.insert(at, std::move(optimum));
}

// What is known of one number of components: optima, the best first; and, which are no optima and are only ranked among
// themselves, where climbs stood when a component of theirs fell onto a tied value, and ends with one as wide as can be.
struct Level {
    std::vector<Optimum> found, spread;
    std::vector<Parameters> collapsed;
    double slack = 0.0;  // by so much an objective may be wrong

    const Optimum* best() const { return !found.empty() ? &found[0] : !spread.empty() ? &spread[0] : nullptr; }

    void add(const Level& other) {
        for (const Optimum& each : other.found) insert(each, found);
        for (const Optimum& each : other.spread) insert(each, spread);
        collapsed.insert(collapsed.end(), other.collapsed.begin(), other.collapsed.end());
    }
};

// The path adds one component at a time to the best of one less. Then, for each k by itself and on more nodes, a component is
// deleted, or two neighbours are merged, and one is added elsewhere, as long as that leads higher.
class Search {
public:
    Search(const Nodes& nodes, const std::vector<Crowd>& crowds, const Kernel& kernel, Poll poll, bool equal_stds, int threads);

    // Extends the path to k components; false if interrupted, here and below.
    bool run(int k, std::vector<Level>& path);

    // The end of the path, improved, and climbed on the fine nodes; `fewer` is what the path has for one component less.
    bool improve(int k, const Level& fewer, Level& level);

    // Climbs from more starts.
    bool add(const std::vector<Parameters>& starts, Level& level);

    // Few nodes that are as good as all for anything but the last steps of a climb to k components.
    const Nodes& fine(int k);

private:
    struct Worker {
        Accumulator data;
        TrustRegion region;
    };
    enum class Rise { DONE, KNOWN, DEAD, INTERRUPTED };

    void prepare(int k, bool on_path);
    double slack() const;
    void place(const Parameters& base, int count, const Parameters& from, const std::vector<int>& gone, std::vector<Parameters>& starts);
    bool ascend(const std::vector<Parameters>& starts, int movable, Level& level);
    bool extend(int k, const Level& fewer, Level& level);
    bool rearrange(int k, const Level& fewer, Level& level);
    bool again(const Nodes& nodes, int threads, Level& level);
    Rise begin(const Penalty& penalty, Here& here) const;
    Rise rise(Worker& worker, const Penalty& penalty, Here& here, const Level& level) const;
    void file(Here&& here, Rise how, Level& level) const;
    bool known(Model& model, const Here& here, const TrustRegion& region, const Level& level) const;
    bool hopeless(const Here& here, double rise, const Level& level) const;

    const Nodes& full_;
    const std::vector<Crowd>& crowds_;
    const Kernel& kernel_;
    const Poll poll_;
    const bool equal_stds_;
    const int threads_;
    int k_ = 0, groups_ = 0;  // components for which everything below is made, and groups in the coarse nodes
    std::unique_ptr<Nodes> fine_, coarse_;
    std::unique_ptr<Worker> worker_;
    std::unique_ptr<Places> places_;
};

}  // namespace gmm1d

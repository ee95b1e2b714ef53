// Where one more component would gain most: Gaussians that fit windows of the data, ranked by what S gains.
#pragma once

#include "nodes.hpp"

namespace gmm1d {

class Places {
public:
    Places(const Nodes& coarse, const Kernel& kernel, bool equal_stds, const std::vector<Crowd>& crowds = {});

    // The base with one component added: at so many places that differ, also from those components of `from` that are gone,
    // at one more of few values, and with the component that is the easiest to double in two halves.
    std::vector<Parameters> candidates(const Parameters& base, int count, const Penalty& penalty, const Parameters& from = {},
                                       const std::vector<int>& gone = {});

private:
    struct Window {
        double mean, std, share, gain;
        std::int64_t first, last;  // within reach of it
    };
    struct Range {
        std::int64_t first, last, middle;
        double weight, log_density;  // without the constant
    };

    void cut();
    void add(std::int64_t first, std::int64_t last, bool narrow);
    Window window(const Range& range) const;
    void reach(Window& window) const;
    std::vector<Range> crowded();
    void densities(const Parameters& base);
    void consider(Window window, const Parameters& base, const Penalty& penalty, std::vector<Window>& windows);
    void settle(Window& window);
    std::int64_t ratios(const Window& window);
    Parameters parted(const Parameters& base, int j);

    const Nodes& coarse_;
    const Kernel& kernel_;
    const bool equal_stds_;
    std::vector<Window> broad_;
    std::vector<Range> narrow_;
    std::vector<double> log_density_, buffer_, ratio_, logs_, upto_;  // upto_: the weights of the coarse nodes before each of them
};

}  // namespace gmm1d

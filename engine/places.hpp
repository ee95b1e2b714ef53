// Where one more component would gain most: Gaussians that fit windows of the data, ranked by the directional derivative.
#pragma once

#include "nodes.hpp"

namespace gmm1d {

class Places {
public:
    // Windows of down to n / 2^broad points are all looked at closely, of down to n / 2^halvings the most crowded ones.
    Places(const Nodes& full, const Nodes& coarse, const Kernel& kernel, bool equal_stds, int broad, int halvings,
           const std::vector<Crowd>& crowds = {});

    // The base with one component added: so many broad ones, so many narrow ones and so many of the crowds, that differ.
    std::vector<Parameters> candidates(const Parameters& base, int count);

    // The weights of the coarse nodes before each of them.
    const std::vector<double>& upto() const { return upto_; }

private:
    struct Window {
        double mean, std, share, gain;
        std::int64_t first, last;
    };
    struct Range {
        std::int64_t first, last;
    };

    void cut(std::vector<Range>& broad, std::vector<Range>& narrow) const;
    void crowded(const std::vector<Range>& ranges, const Parameters& base, std::size_t most, std::vector<Window>& windows);
    void densities(const Parameters& base);
    void consider(std::int64_t first, std::int64_t last, const Parameters& base, std::vector<Window>& windows, double stretch = 1.0);
    void settle(Window& window);
    std::int64_t ratios(const Window& window);

    const Nodes &full_, &coarse_;
    const Kernel& kernel_;
    const bool equal_stds_;
    const int broad_, halvings_;
    std::vector<Range> crowds_;
    std::vector<double> log_density_, buffer_, ratio_, upto_;
};

}  // namespace gmm1d

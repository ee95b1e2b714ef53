#include "crowds.hpp"

#include <algorithm>
#include <cmath>

namespace gmm1d {
namespace {

constexpr std::int64_t FEWEST = 100;   // so few nodes hide nothing
constexpr std::int64_t FLANK = 4;       // times the weight of a window, on either side, with which it is compared
constexpr double LARGEST = 1.0 / 40;     // of all weight in a window: coarse nodes show more than that
constexpr double BLURRED = 0.1;         // of the weights of the outer nodes may belong outside a window
constexpr std::size_t MOST = 6;         // crowds that are kept

struct Window {
    std::int64_t first, last;  // of the nodes, the last included
    double gain;               // by how many nats it stands out
};

// Windows of so many neighbours, their weight compared with what the flanks lead to expect.
class Scan {
public:
    explicit Scan(const Nodes& nodes) : nodes_(nodes), x_(nodes.values.data()), upto_(nodes.size()), chance_(std::log(double(nodes.size()))) {
        double before = 0.0;
        for (std::int64_t i = 0; i < nodes.size(); ++i) {
            upto_[i] = before + 0.5 * nodes.weights[i];  // a node stands for as much below as above it
            before += nodes.weights[i];
        }
    }

    void look(std::int64_t count, std::vector<Window>& found) const {
        const std::int64_t size = nodes_.size(), stride = std::max<std::int64_t>(1, count / 4), block = FLANK * count;
        for (std::int64_t begin = 0; begin + count <= size; begin += block) {
            double weight = 0.0, width = 1.0;
            std::int64_t at = -1;
            for (std::int64_t a = begin; a < std::min(begin + block, size - count + 1); a += stride) {
                const double h = x_[a + count - 1] - x_[a], w = upto_[a + count - 1] - upto_[a];
                if (w * width <= weight * h || w > LARGEST * nodes_.n) continue;
                at = a;  // the densest
                weight = w;
                width = h;
            }
            if (at >= 0) compare(at, at + count - 1, found);
        }
    }

private:
    // The nodes a ... b with what is on either side, more dense there than here or not.
    void compare(std::int64_t a, std::int64_t b, std::vector<Window>& found) const {
        const double w = upto_[b] - upto_[a] - BLURRED * (nodes_.weights[a] + nodes_.weights[b]);
        const auto low = std::lower_bound(upto_.begin(), upto_.begin() + a, upto_[a] - FLANK * w) - upto_.begin();
        const auto high = std::lower_bound(upto_.begin() + b, upto_.end() - 1, upto_[b] + FLANK * w) - upto_.begin();
        const double e = (x_[b] - x_[a]) * std::max(density(low, a), density(b, high));
        const double gain = w > e ? w * std::log(w / e) - (w - e) : 0.0;
        if (gain > chance_) found.push_back({a, b, gain});
    }

    double density(std::int64_t a, std::int64_t b) const { return b > a ? (upto_[b] - upto_[a]) / (x_[b] - x_[a]) : 0.0; }

    const Nodes& nodes_;
    const double* x_;
    std::vector<double> upto_;
    const double chance_;  // nats that no window gains by chance: there are about n of them
};

}  // namespace

std::vector<Crowd> crowds(const Nodes& nodes) {
    std::vector<Window> found, kept;
    if (nodes.size() < FEWEST) return {};
    const Scan scan(nodes);
    for (std::int64_t count = 4; count * FLANK <= nodes.size(); count *= 2) {
        scan.look(count, found);
        scan.look(count + count / 2, found);
    }
    std::stable_sort(found.begin(), found.end(), [](const Window& a, const Window& b) { return a.gain > b.gain; });
    std::vector<Crowd> crowds;
    for (const Window& window : found) {
        const bool apart = std::all_of(kept.begin(), kept.end(), [&](const Window& other) { return window.first > other.last || window.last < other.first; });
        if (!apart) continue;
        kept.push_back(window);
        crowds.push_back({nodes.values[window.first], nodes.values[window.last]});
        if (kept.size() == MOST) break;
    }
    return crowds;
}

}  // namespace gmm1d

// A pass over all the points, by several threads, with the same bits for any number of them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "pass.hpp"

namespace gmm1d {

// Asked now and then by the calling thread; true stops the work.
using Poll = std::function<bool()>;

// The points are cut into at most 64 chunks, at places that depend on their number alone, and the chunks' sums
// are added in order. Memory is O(k^2), whatever the number of points.
class Accumulator {
public:
    Accumulator(const Points& points, int k, int threads, const Kernel& kernel, Poll poll);

    // Writes em_sums(k) or sums(INFORMATION, k) numbers; false if the poll stopped it.
    bool run(const Components& components, Detail detail, double* out);

    const Kernel& kernel() const { return kernel_; }

    // The centre in standardised units: where the caller's zero is, with the opposite sign.
    double origin() const { return points_.centre * points_.factor; }

private:
    bool poll_now();

    const Points points_;
    const Kernel& kernel_;
    const Poll poll_;
    const std::int64_t chunk_, n_chunks_;
    const int threads_;
    std::vector<std::vector<double>> scratch_;
    std::vector<Sum> sums_;
    std::chrono::steady_clock::time_point next_poll_;
};

}  // namespace gmm1d

// A pass over all the points, by several threads, with the same bits for any number of them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "pass.hpp"
#include "source.hpp"

namespace gmm1d {

// The points are cut into at most 64 chunks, at places that depend on their number alone, and the chunks' sums
// are added in order. Memory is O(k^2), whatever the number of points.
class Accumulator {
public:
    // The sums are those of weights that are so many times as large as those given.
    Accumulator(const Source& points, const std::optional<Source>& weights, double centre, double factor, int k,
                int threads, const Kernel& kernel, Poll poll, double weight_scale = 1.0, const Neglected& neglected = NOTHING);

    // Writes em_sums(k) or sums(INFORMATION, k) numbers; false if the poll stopped it.
    bool run(const Components& components, Detail detail, double* out);

    const Kernel& kernel() const { return kernel_; }
    const Neglected& neglected() const { return neglected_; }

    // The centre in standardised units: where the caller's zero is, with the opposite sign.
    double origin() const { return centre_ * factor_; }

private:
    bool poll_now(std::int64_t count);

    // The points first ... first + count - 1 as the kernel reads them: where they lie, or converted in `memory`.
    Points seen(std::int64_t first, std::int64_t count, std::vector<double>& memory) const;

    const Source points_;
    const std::optional<Source> weights_;
    const double centre_, factor_, weight_scale_;
    const Kernel& kernel_;
    const Neglected neglected_;
    const Poll poll_;
    const std::int64_t chunk_, n_chunks_;
    const int threads_;
    std::vector<std::vector<double>> scratch_, converted_;
    std::vector<Sum> sums_;
    std::int64_t unseen_ = 0;  // points since the last look at the clock
    std::chrono::steady_clock::time_point next_poll_;
};

}  // namespace gmm1d

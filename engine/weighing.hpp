// What the weights of observations mean: how often each of them counts, or how much each of them matters.
#pragma once

#include <cstdint>

#include "parallel.hpp"
#include "source.hpp"

namespace gmm1d {

enum class Meaning { EITHER, COUNTS, IMPORTANCE };  // EITHER: what the weights themselves show

// Statistics of weights that tell what they mean; zeros leave no trace. Sums of whole numbers are exact in any order.
struct Weighing {
    static constexpr double MOST_COUNTED = 0x1p53;  // beyond, a float64 tells no whole numbers from others

    double squares = 0.0;  // sum_i w_i^2 = squares * 4^exponent, which overflows nowhere; NaN if nobody knows
    int exponent = 0;      // of the largest weight
    bool whole = true;     // whether all of them are whole numbers

    // Of so many points without weights.
    static Weighing of(std::int64_t points) { return {static_cast<double>(points), 0, true}; }

    void add(const Weighing& other);
    void scale_by(double factor);

    // sqrt(sum_i w_i^2).
    double norm() const;

    // Whether weights with this total are importance weights: they are not whole, or too large to count.
    bool is_importance(double total, Meaning asked) const;

    // What takes importance weights to counts, so that their sum is Kish's effective number of observations,
    //   n_eff = (sum w)^2 / sum w^2,   scale = n_eff / sum w   (Kish, 1965, Survey Sampling, section 11.7);
    // no normal number if there is no such number.
    double scale(double total) const { return total / norm() / norm(); }
};

// The same bits for any number of threads, and for any unit that is a power of two. Weights that are no finite numbers from
// zero on may end as anything. False if the poll stopped it.
bool weigh(const Source& weights, int threads, const Poll& poll, Weighing& out);

}  // namespace gmm1d

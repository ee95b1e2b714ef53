// The contract of the kernel: what one pass over the data takes and what it adds up.
#pragma once

#include <cstddef>
#include <cstdint>

// Everything here is inlined or has internal linkage: a function shared between the copies of the kernel could be
// kept by the linker in a copy that not every processor can run.
#define GMM1D_INLINE static inline __attribute__((always_inline))

namespace gmm1d {

// Observations as the caller holds them; the kernel sees (x - centre) * factor.
struct Points {
    const char* values;         // float64, `value_stride` bytes apart
    std::ptrdiff_t value_stride;
    const char* weights;        // float64, or nullptr: every point counts once
    std::ptrdiff_t weight_stride;
    std::int64_t size;
    double centre, factor;
};

// Of BATCH times eight points next to each other, a component whose log responsibilities are all lower is left out, and out of
// products where its responsibilities are all lower.
struct Neglected {
    double log_share, product;
};
constexpr int BATCH = 4;
constexpr Neglected NOTHING{-708.0, 1e-25};  // all that leaves no trace
constexpr Neglected LITTLE{-23.0, 1e-5};     // what a search does not miss

// A mixture in standardised units. log_scale_j = log(weight_j / std_j), -inf for a weight of zero.
struct Components {
    int k;
    const double *log_scale, *means, *inverse_stds;
    Neglected neglected;
};

// A sum with the rounding errors of its additions (Knuth's two-sum): value = high + low.
struct Sum {
    double high, low;
    __attribute__((always_inline)) void add(double x) {
        const double s = high + x, part = s - high;
        low += (high - (s - part)) + (x - part);
        high = s;
    }
    __attribute__((always_inline)) void add(const Sum& other) {
        add(other.high);
        low += other.low;
    }
    double value() const { return high + low; }
};

// What a pass adds up, with z = (x - mean_j) / std_j and r_j the responsibilities, a row of sums each:
//   EM           log-likelihood without -n/2 log(2 pi);  for every j: sum w r, sum w r z, sum w r z^2
//   INFORMATION  then for every j: sum w r z^3, sum w r z^4;  then the upper triangle, row by row, of
//                C = sum w v v',  v = (r_1 ... r_k, r_1 z_1 ... r_k z_k, r_1 (z_1^2 - 1) ... r_k (z_k^2 - 1))
enum class Detail { EM, INFORMATION };

static constexpr std::int64_t em_sums(std::int64_t k) { return 1 + 3 * k; }
static constexpr std::int64_t sums(Detail detail, std::int64_t k) {
    return detail == Detail::EM ? em_sums(k) : em_sums(k) + 2 * k + 3 * k * (3 * k + 1) / 2;
}

// One block of points at a time is added in plain lanes, blocks are added with their rounding errors.
constexpr std::int64_t BLOCK = 512;

// Doubles of scratch memory that a kernel needs.
static constexpr std::int64_t scratch_size(std::int64_t k) { return 8 * ((5 * BATCH + 1) * k + sums(Detail::INFORMATION, k)); }

// Adds the points first ... first + count - 1 to `total`.
using AddPoints = void (*)(const Points&, std::int64_t first, std::int64_t count, const Components&, Detail,
                           double* scratch, Sum* total);

// Rows of a matrix of n columns are padded to so many for a kernel.
constexpr int LANES = 8;
static constexpr std::int64_t padded(std::int64_t n) { return (n + LANES - 1) / LANES * LANES; }

struct Kernel {
    const char* name;
    AddPoints add_points;
    bool (*cholesky)(double*, int);  // see cholesky.hpp
    void (*exp)(const double*, double*, std::int64_t);
    void (*log)(const double*, double*, std::int64_t);
};

}  // namespace gmm1d

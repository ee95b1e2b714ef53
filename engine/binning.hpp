// The contract of the kernel of a sketch: points go into the sums of the leaves in which they lie.
#pragma once

#include <cstdint>
#include <string>

namespace gmm1d {

constexpr int ORDERS = 8;                         // of moments, 0 ... 7: one cache line
constexpr int BIN_BLOCK = 1024;                   // points at a time
constexpr std::uint16_t NO_LEAF = 0xffff;         // not to be had from the table

// sum w u^p with u = (x - centre) / half the width of the leaf, p = 0 ... 7
struct alignas(64) Moments8 {
    double sums[ORDERS];
};

struct Place {
    double centre, inverse_half;
};

// The leaf of x is ids[t + 1], where t = floor(x scale - first) is from 0 to steps - 1; ids[0] and ids[steps + 1] stand
// for what lies beyond, and are NO_LEAF.
struct GridView {
    double scale, first;
    int steps;
    const std::uint16_t* ids;
    const Place* places;
};

// What a kernel tells of a block: the extremes of the points of positive weight, how many points are left to the caller,
// in `left`, because the table has no leaf for them (NaN and infinities are among them), and whether a weight is no
// finite number >= 0.
struct Binned {
    double low, high;
    int n_left;
    bool bad_weight;
};

// Adds at most BIN_BLOCK points to the leaves; `weights` may be null.
using AddBlock = Binned (*)(const GridView&, const double* values, const double* weights, int count, Moments8* leaves,
                            std::uint16_t* left);

// A point of which the caller knows the leaf.
struct Found {
    double value, weight;
    std::int64_t leaf;
};
using AddFound = void (*)(const Place* places, const Found* found, int count, Moments8* leaves);

struct BinKernel {
    const char* name;
    AddBlock add_block;
    AddFound add_found;
};

// By the name of the instruction set, which must be one of those of dispatch.hpp.
const BinKernel& bin_kernel(const std::string& name);

// One point, in the order of operations that all kernels share.
inline void add_one(const Place& place, double x, double w, Moments8& leaf) {
    const double u = (x - place.centre) * place.inverse_half;
    const double u2 = u * u, u4 = u2 * u2;
    for (int p = 0; p < ORDERS; ++p)
        leaf.sums[p] += (((p & 1 ? u : 1.0) * (p & 2 ? u2 : 1.0)) * (p & 4 ? u4 : 1.0)) * w;
}

}  // namespace gmm1d

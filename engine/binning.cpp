// One copy per instruction set, like pass.cpp: no function here is shared between them.
#include "binning.hpp"

#include <limits>

#include "lanes.hpp"

#define GMM1D_JOIN2(a, b) a##b
#define GMM1D_JOIN(a, b) GMM1D_JOIN2(a, b)

namespace gmm1d {
namespace {

typedef std::int32_t Steps __attribute__((vector_size(WIDTH * sizeof(std::int32_t))));

// The bit of every lane's order p, as a mask: WIDTH orders from `first` on.
GMM1D_INLINE Ints orders_with(int bit, int first) {
    Ints mask{};
    for (int lane = 0; lane < WIDTH; ++lane) mask[lane] = (first + lane) & bit ? -1 : 0;
    return mask;
}

// low and high over the points of positive weight, and for every point its place in the table.
template <bool WEIGHTED>
GMM1D_INLINE void look_up(const GridView& grid, const double* x, const double* w, int padded, std::int32_t* steps,
                          Binned& out) {
    const Vector infinity = all(std::numeric_limits<double>::infinity());
    const Vector scale = all(grid.scale), first = all(grid.first - 1.0), top = all(grid.steps + 1.0);
    Vector low = infinity, high = -infinity;
    Ints bad{};
    for (int i = 0; i < padded; i += WIDTH) {
        const Vector v = load(reinterpret_cast<const char*>(x + i));
        Vector t = v * scale - first;
        t = t > 0.0 ? t : Vector{};  // of NaN, too
        t = t < top ? t : top;
        const Steps step = __builtin_convertvector(t, Steps);
        std::memcpy(steps + i, &step, sizeof step);
        if (WEIGHTED) {
            const Vector weight = load(reinterpret_cast<const char*>(w + i));
            const Ints some = weight > 0.0;
            low = (some & (v < low)) ? v : low;
            high = (some & (v > high)) ? v : high;
            bad |= ~((weight >= 0.0) & (weight < infinity));
        } else {
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
    }
    for (int lane = 0; lane < WIDTH; ++lane) {
        if (low[lane] < out.low) out.low = low[lane];
        if (high[lane] > out.high) out.high = high[lane];
        if (bad[lane]) out.bad_weight = true;
    }
}

// (1, u, ..., u^7) as three products, in the order that all instruction sets share.
template <bool WEIGHTED>
GMM1D_INLINE void add_point(const Place& place, double x, double w, Moments8& leaf) {
    const double u = (x - place.centre) * place.inverse_half;
    const double u2 = u * u;
    const Vector one = all(1.0), v = all(u), v2 = all(u2), v4 = all(u2 * u2);
    for (int part = 0; part < PARTS; ++part) {
        const int order = part * WIDTH;
        Vector power = (orders_with(1, order) ? v : one) * (orders_with(2, order) ? v2 : one);
        power *= orders_with(4, order) ? v4 : one;
        if (WEIGHTED) power *= all(w);
        Vector sum = load(reinterpret_cast<const char*>(leaf.sums + order));
        sum += power;
        std::memcpy(leaf.sums + order, &sum, sizeof sum);
    }
}

template <bool WEIGHTED>
GMM1D_INLINE Binned add(const GridView& grid, const double* x, const double* w, int count, Moments8* leaves,
                        std::uint16_t* left) {
    alignas(64) std::int32_t steps[BIN_BLOCK];
    const double infinity = std::numeric_limits<double>::infinity();
    Binned out{infinity, -infinity, 0, false};
    const int whole = count / LANES * LANES;
    look_up<WEIGHTED>(grid, x, w, whole, steps, out);
    if (whole < count) {  // the last ones again and again
        double last[LANES], last_w[LANES];
        for (int i = 0; i < LANES; ++i) {
            const int from = whole + i < count ? whole + i : count - 1;
            last[i] = x[from];
            last_w[i] = WEIGHTED ? w[from] : 1.0;
        }
        std::int32_t last_steps[LANES];
        look_up<WEIGHTED>(grid, last, last_w, LANES, last_steps, out);
        for (int i = whole; i < count; ++i) steps[i] = last_steps[i - whole];
    }
    for (int i = 0; i < count; ++i) {
        if (i % LANES == 0) __builtin_prefetch(x + i + BIN_BLOCK);  // the next block, if it lies there
        const std::uint16_t id = grid.ids[steps[i]];
        if (id == NO_LEAF) {
            left[out.n_left++] = static_cast<std::uint16_t>(i);
        } else {
            add_point<WEIGHTED>(grid.places[id], x[i], WEIGHTED ? w[i] : 1.0, leaves[id]);
        }
    }
    return out;
}

Binned add_block(const GridView& grid, const double* x, const double* w, int count, Moments8* leaves, std::uint16_t* left) {
    return w ? add<true>(grid, x, w, count, leaves, left) : add<false>(grid, x, nullptr, count, leaves, left);
}

void add_found(const Place* places, const Found* found, int count, Moments8* leaves) {
    for (int i = 0; i < count; ++i)
        add_point<true>(places[found[i].leaf], found[i].value, found[i].weight, leaves[found[i].leaf]);
}

}  // namespace

#define GMM1D_STRING2(name) #name
#define GMM1D_STRING(name) GMM1D_STRING2(name)

extern const BinKernel GMM1D_JOIN(bin_kernel_, GMM1D_ISA);
const BinKernel GMM1D_JOIN(bin_kernel_, GMM1D_ISA) = {GMM1D_STRING(GMM1D_ISA), add_block, add_found};

}  // namespace gmm1d

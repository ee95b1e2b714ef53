// One fused E and M pass over blocks of points, compiled once per instruction set (GMM1D_ISA).
//
//   a_j = log(pi_j / s_j) - z_j^2 / 2,  m = max_j a_j,  t = sum_j exp(a_j - m),  r_j = exp(a_j - m) / t
//   log-likelihood = sum w (m + log t) - n/2 log(2 pi)
//
// The statistics are taken about the current means in units of the current standard deviations, so that the
// M-step does not cancel. Nothing of size n x k is ever stored.
#include "pass.hpp"

#include "lanes.hpp"

#define GMM1D_JOIN2(a, b) a##b
#define GMM1D_JOIN(a, b) GMM1D_JOIN2(a, b)

namespace gmm1d {
namespace {

// Unweighted log t are multiplied, one log for so many: t <= k, so the product is far from overflow.
constexpr int PRODUCT = 16;

constexpr double NOTHING = 1e-25;  // responsibilities of less leave no trace in products

// Rows of eight lanes: [row * PARTS + part].
struct Scratch {
    Vector *z, *r, *v, *sums;
    int* held;  // rows of C
};

Scratch divide(double* memory, int k) {
    auto rows = reinterpret_cast<Vector*>(memory);
    Vector* totals = rows + 5 * k * PARTS;
    return {rows, rows + k * PARTS, rows + 2 * k * PARTS, totals,
            reinterpret_cast<int*>(totals + sums(Detail::INFORMATION, k) * PARTS)};
}

double read(const char* base, std::ptrdiff_t stride, std::int64_t i) {
    double value;
    std::memcpy(&value, base + stride * i, sizeof value);
    return value;
}

GMM1D_INLINE Vector gather(const char* base, std::ptrdiff_t stride, std::int64_t first) {
    if (stride == sizeof(double)) return load(base + stride * first);
    Vector v;
    for (int i = 0; i < WIDTH; ++i) v[i] = read(base, stride, first + i);
    return v;
}

#define GMM1D_PARTS for (int q = 0; q < PARTS; ++q)

// Responsibilities of eight points into s.r; sets m and t.
GMM1D_INLINE void e_step(const Vector* x, const Components& c, const Scratch& s, Vector* m, Vector* t) {
    GMM1D_PARTS m[q] = all(-__builtin_inf());
    for (int j = 0; j < c.k; ++j) {
        GMM1D_PARTS {
            const Vector z = (x[q] - c.means[j]) * c.inverse_stds[j];
            const Vector a = c.log_scale[j] - 0.5 * (z * z);
            s.z[j * PARTS + q] = z;
            s.r[j * PARTS + q] = a;
            m[q] = max(m[q], a);
        }
    }
    if (c.k == 2) {  // the larger term is 1: the same bits with one exp
        GMM1D_PARTS {
            const Vector a = s.r[q], b = s.r[PARTS + q], e = exp((a > b ? b : a) - m[q]);
            t[q] = 1.0 + e;
            const Vector high = 1.0 / t[q], low = e * high;
            s.r[q] = a > b ? high : low;
            s.r[PARTS + q] = a > b ? low : high;
        }
        return;
    }
    GMM1D_PARTS t[q] = Vector{};
    for (int j = 0; j < c.k; ++j) {
        GMM1D_PARTS {
            const Vector e = exp(s.r[j * PARTS + q] - m[q]);
            s.r[j * PARTS + q] = e;
            t[q] += e;
        }
    }
    Vector share[PARTS];
    GMM1D_PARTS share[q] = 1.0 / t[q];
    for (int j = 0; j < c.k; ++j) GMM1D_PARTS s.r[j * PARTS + q] *= share[q];
}

// C += w v v'. Of values in order, most components hold nothing: they are left out.
GMM1D_INLINE void add_outer(const Vector* weight, int k, const Scratch& s, Vector* c) {
    const int size = 3 * k;
    int held = 0;
    for (int j = 0; j < k; ++j) {
        if (sum(s.r + j * PARTS) > NOTHING) s.held[held++] = j;
    }
    if (held == k) {
        for (int a = 0; a < size; ++a) {
            Vector left[PARTS];
            GMM1D_PARTS left[q] = weight[q] * s.v[a * PARTS + q];
            for (int b = a; b < size; ++b) {
                GMM1D_PARTS c[q] += left[q] * s.v[b * PARTS + q];
                c += PARTS;
            }
        }
        return;
    }
    for (int i = 1; i < 3; ++i) {
        for (int h = 0; h < held; ++h) s.held[i * held + h] = i * k + s.held[h];
    }
    for (int i = 0; i < 3 * held; ++i) {
        const int a = s.held[i];
        Vector* row = c + (a * size - a * (a + 1) / 2) * PARTS;
        Vector left[PARTS];
        GMM1D_PARTS left[q] = weight[q] * s.v[a * PARTS + q];
        for (int l = i; l < 3 * held; ++l) {
            const int b = s.held[l] * PARTS;
            GMM1D_PARTS row[b + q] += left[q] * s.v[b + q];
        }
    }
}

template <bool WEIGHTED, Detail DETAIL>
GMM1D_INLINE void m_step(const Vector* weight, int k, const Scratch& s) {
    const int row = k * PARTS;
    Vector* n = s.sums + PARTS;
    Vector* higher = n + 3 * row;
    for (int j = 0; j < row; ++j) {
        const Vector z = s.z[j], r = WEIGHTED ? weight[j % PARTS] * s.r[j] : s.r[j], rz = r * z, rz2 = rz * z;
        n[j] += r;
        n[row + j] += rz;
        n[2 * row + j] += rz2;
        if (DETAIL == Detail::INFORMATION) {
            higher[j] += rz2 * z;
            higher[row + j] += rz2 * z * z;
            s.v[j] = s.r[j];
            s.v[row + j] = s.r[j] * z;
            s.v[2 * row + j] = s.r[j] * (z * z - 1.0);
        }
    }
    if (DETAIL == Detail::INFORMATION) {
        add_outer(weight, k, s, higher + 2 * row);
    }
}

template <bool WEIGHTED, Detail DETAIL>
void add_block(const Points& p, std::int64_t first, std::int64_t count, const Components& c, const Scratch& s) {
    Vector log_likelihood[PARTS], product[PARTS], x[PARTS], weight[PARTS], m[PARTS], t[PARTS];
    GMM1D_PARTS {
        log_likelihood[q] = Vector{};
        product[q] = weight[q] = all(1.0);
    }
    int pending = 0;
    std::int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        GMM1D_PARTS {
            const std::int64_t at = first + i + q * WIDTH;
            x[q] = (gather(p.values, p.value_stride, at) - p.centre) * p.factor;
            if (WEIGHTED) weight[q] = gather(p.weights, p.weight_stride, at);
        }
        e_step(x, c, s, m, t);
        if (WEIGHTED) {
            GMM1D_PARTS log_likelihood[q] += weight[q] * (m[q] + log(t[q]));
        } else {
            GMM1D_PARTS {
                log_likelihood[q] += m[q];
                product[q] *= t[q];
            }
            if (++pending == PRODUCT) {
                GMM1D_PARTS {
                    log_likelihood[q] += log(product[q]);
                    product[q] = all(1.0);
                }
                pending = 0;
            }
        }
        m_step<WEIGHTED, DETAIL>(weight, c.k, s);
    }
    if (!WEIGHTED) GMM1D_PARTS log_likelihood[q] += log(product[q]);
    if (i < count) {  // the rest: repeat the last point with weight zero
        double last[LANES], share[LANES];
        for (int l = 0; l < LANES; ++l) {
            const bool there = i + l < count;
            const std::int64_t at = first + (there ? i + l : count - 1);
            last[l] = (read(p.values, p.value_stride, at) - p.centre) * p.factor;
            share[l] = !there ? 0.0 : WEIGHTED ? read(p.weights, p.weight_stride, at) : 1.0;
        }
        std::memcpy(x, last, sizeof last);
        std::memcpy(weight, share, sizeof share);
        e_step(x, c, s, m, t);
        GMM1D_PARTS log_likelihood[q] += weight[q] * (m[q] + log(t[q]));
        m_step<true, DETAIL>(weight, c.k, s);
    }
    GMM1D_PARTS s.sums[q] += log_likelihood[q];
}

template <bool WEIGHTED, Detail DETAIL>
void add_blocks(const Points& p, std::int64_t first, std::int64_t count, const Components& c, double* scratch,
                Sum* total) {
    const Scratch s = divide(scratch, c.k);
    const std::int64_t n_sums = sums(DETAIL, c.k);
    for (std::int64_t done = 0; done < count; done += BLOCK) {
        for (std::int64_t i = 0; i < n_sums * PARTS; ++i) s.sums[i] = Vector{};
        add_block<WEIGHTED, DETAIL>(p, first + done, count - done < BLOCK ? count - done : BLOCK, c, s);
        for (std::int64_t i = 0; i < n_sums; ++i) total[i].add(sum(s.sums + i * PARTS));
    }
}

void add_points(const Points& p, std::int64_t first, std::int64_t count, const Components& c, Detail detail,
                double* scratch, Sum* total) {
    const bool em = detail == Detail::EM;
    if (p.weights) {
        (em ? add_blocks<true, Detail::EM> : add_blocks<true, Detail::INFORMATION>)(p, first, count, c, scratch, total);
    } else {
        (em ? add_blocks<false, Detail::EM> : add_blocks<false, Detail::INFORMATION>)(p, first, count, c, scratch, total);
    }
}

template <Vector F(Vector)>
void map(const double* from, double* to, std::int64_t size) {
    std::int64_t i = 0;
    Vector v;
    for (; i + WIDTH <= size; i += WIDTH) {
        std::memcpy(&v, from + i, sizeof v);
        v = F(v);
        std::memcpy(to + i, &v, sizeof v);
    }
    if (i == size) return;
    double rest[WIDTH];
    for (int l = 0; l < WIDTH; ++l) rest[l] = i + l < size ? from[i + l] : 1.0;
    std::memcpy(&v, rest, sizeof v);
    v = F(v);
    std::memcpy(rest, &v, sizeof v);
    for (int l = 0; i + l < size; ++l) to[i + l] = rest[l];
}

}  // namespace

#define GMM1D_STRING2(name) #name
#define GMM1D_STRING(name) GMM1D_STRING2(name)

extern const Kernel GMM1D_JOIN(kernel_, GMM1D_ISA);
const Kernel GMM1D_JOIN(kernel_, GMM1D_ISA) = {GMM1D_STRING(GMM1D_ISA), add_points, map<exp>, map<log>};

}  // namespace gmm1d

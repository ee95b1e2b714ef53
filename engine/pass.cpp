// One fused E and M pass over blocks of points, compiled once per instruction set (GMM1D_ISA).
//
//   a_j = log(pi_j / s_j) - z_j^2 / 2,  m = max_j a_j,  t = sum_j exp(a_j - m),  r_j = exp(a_j - m) / t
//   log-likelihood = sum w (m + log t) - n/2 log(2 pi)
//
// The statistics are taken about the current means in units of the current standard deviations, so that the
// M-step does not cancel. Nothing of size n x k is ever stored.
#include "pass.hpp"

#include "cholesky.hpp"
#include "lanes.hpp"

#define GMM1D_JOIN2(a, b) a##b
#define GMM1D_JOIN(a, b) GMM1D_JOIN2(a, b)

namespace gmm1d {
namespace {

// Unweighted log t are multiplied, one log for so many: t <= k, so the product is far from overflow.
constexpr int PRODUCT = 16;

constexpr int FEW = 3;  // components, of which none is left out: looking costs more

// Rows of BATCH times eight lanes: [row * STRIDE + group * PARTS + part].
constexpr int STRIDE = BATCH * PARTS;
struct Scratch {
    Vector *z, *r, *v;
    Vector* sums;       // rows of eight lanes
    int *held, *rows;   // components that hold any of the points, and their rows of C
};

Scratch divide(double* memory, int k) {
    auto rows = reinterpret_cast<Vector*>(memory);
    Vector* totals = rows + 5 * k * STRIDE;
    auto held = reinterpret_cast<int*>(totals + sums(Detail::INFORMATION, k) * PARTS);
    return {rows, rows + k * STRIDE, rows + 2 * k * STRIDE, totals, held, held + k};
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
#define GMM1D_ALL for (int p = 0; p < groups * PARTS; ++p)

GMM1D_INLINE bool none_above(const Vector* parts, int groups, double limit) {
    bool none = true;
    GMM1D_ALL none &= at_most(parts[p], limit);
    return none;
}

// Responsibilities into s.r, of those components alone that hold any of the points; returns how many do. Of values in
// order, most hold none. Sets m and t.
GMM1D_INLINE int e_step(const Vector* x, int groups, const Components& c, const Scratch& s, Vector* m, Vector* t) {
    GMM1D_ALL m[p] = all(-__builtin_inf());
    for (int j = 0; j < c.k; ++j) {
        GMM1D_ALL {
            const Vector z = (x[p] - c.means[j]) * c.inverse_stds[j];
            const Vector a = c.log_scale[j] - 0.5 * (z * z);
            s.z[j * STRIDE + p] = z;
            s.r[j * STRIDE + p] = a;
            m[p] = max(m[p], a);
        }
    }
    if (c.k == 2) {  // the larger term is 1: the same bits with one exp
        GMM1D_ALL {
            const Vector a = s.r[p], b = s.r[STRIDE + p], e = exp((a > b ? b : a) - m[p]);
            t[p] = 1.0 + e;
            const Vector high = 1.0 / t[p], low = e * high;
            s.r[p] = a > b ? high : low;
            s.r[STRIDE + p] = a > b ? low : high;
        }
        s.held[0] = 0;
        s.held[1] = 1;
        return 2;
    }
    GMM1D_ALL t[p] = Vector{};
    int held = 0;
    for (int j = 0; j < c.k; ++j) {
        Vector log_r[STRIDE];
        GMM1D_ALL log_r[p] = s.r[j * STRIDE + p] - m[p];
        if (c.k > FEW && none_above(log_r, groups, c.neglected.log_share)) continue;
        GMM1D_ALL {
            const Vector e = exp(log_r[p]);
            s.r[held * STRIDE + p] = e;
            s.z[held * STRIDE + p] = s.z[j * STRIDE + p];
            t[p] += e;
        }
        s.held[held++] = j;
    }
    Vector share[STRIDE];
    GMM1D_ALL share[p] = 1.0 / t[p];
    for (int h = 0; h < held; ++h) GMM1D_ALL s.r[h * STRIDE + p] *= share[p];
    return held;
}

// C += w v v'.
GMM1D_INLINE void add_outer(const Vector* weight, int groups, int k, int held, double nothing, const Scratch& s, Vector* c) {
    const int size = 3 * k;
    int left_in = 0;
    for (int h = 0; h < held; ++h) {
        if (k <= FEW || !none_above(s.r + h * STRIDE, groups, nothing)) s.rows[left_in++] = h;
    }
    for (int i = 0; i < left_in; ++i) {
        const int h = s.rows[i];
        GMM1D_ALL {
            const Vector z = s.z[h * STRIDE + p], r = s.r[h * STRIDE + p];
            s.v[i * STRIDE + p] = r;
            s.v[(left_in + i) * STRIDE + p] = r * z;
            s.v[(2 * left_in + i) * STRIDE + p] = r * (z * z - 1.0);
        }
        s.rows[i] = s.held[h];
        s.rows[left_in + i] = k + s.held[h];
        s.rows[2 * left_in + i] = 2 * k + s.held[h];
    }
    for (int i = 0; i < 3 * left_in; ++i) {
        const int a = s.rows[i];
        Vector* row = c + (a * size - a * (a + 1) / 2) * PARTS;
        Vector left[STRIDE];
        GMM1D_ALL left[p] = weight[p] * s.v[i * STRIDE + p];
        for (int l = i; l < 3 * left_in; ++l) {
            GMM1D_PARTS {
                Vector sum = row[s.rows[l] * PARTS + q];
                for (int p = q; p < groups * PARTS; p += PARTS) sum += left[p] * s.v[l * STRIDE + p];
                row[s.rows[l] * PARTS + q] = sum;
            }
        }
    }
}

// The sums of the components that are held.
template <bool WEIGHTED, Detail DETAIL>
GMM1D_INLINE void m_step(const Vector* weight, int groups, const Components& c, int held, const Scratch& s) {
    const int row = c.k * PARTS;
    Vector* n = s.sums + PARTS;
    Vector* higher = n + 3 * row;
    for (int h = 0; h < held; ++h) {
        GMM1D_PARTS {
            const int j = s.held[h] * PARTS + q;
            Vector m0 = n[j], m1 = n[row + j], m2 = n[2 * row + j], m3{}, m4{};
            if (DETAIL == Detail::INFORMATION) {
                m3 = higher[j];
                m4 = higher[row + j];
            }
            for (int p = q; p < groups * PARTS; p += PARTS) {
                const Vector z = s.z[h * STRIDE + p], share = s.r[h * STRIDE + p];
                const Vector r = WEIGHTED ? weight[p] * share : share, rz = r * z, rz2 = rz * z;
                m0 += r;
                m1 += rz;
                m2 += rz2;
                if (DETAIL == Detail::INFORMATION) {
                    m3 += rz2 * z;
                    m4 += rz2 * z * z;
                }
            }
            n[j] = m0;
            n[row + j] = m1;
            n[2 * row + j] = m2;
            if (DETAIL == Detail::INFORMATION) {
                higher[j] = m3;
                higher[row + j] = m4;
            }
        }
    }
    if (DETAIL == Detail::INFORMATION) add_outer(weight, groups, c.k, held, c.neglected.product, s, higher + 2 * row);
}

template <bool WEIGHTED, Detail DETAIL>
void add_block(const Points& p, std::int64_t first, std::int64_t count, const Components& c, const Scratch& s) {
    Vector log_likelihood[PARTS], product[PARTS], x[STRIDE], weight[STRIDE], m[STRIDE], t[STRIDE];
    GMM1D_PARTS {
        log_likelihood[q] = Vector{};
        product[q] = all(1.0);
    }
    for (int q = 0; q < STRIDE; ++q) weight[q] = all(1.0);
    int pending = 0;
    std::int64_t i = 0;
    for (; i + BATCH * LANES <= count; i += BATCH * LANES) {
        for (int q = 0; q < STRIDE; ++q) {
            const std::int64_t at = first + i + q * WIDTH;
            x[q] = (gather(p.values, p.value_stride, at) - p.centre) * p.factor;
            if (WEIGHTED) weight[q] = gather(p.weights, p.weight_stride, at);
        }
        const int held = e_step(x, BATCH, c, s, m, t);
        for (int q = 0; q < STRIDE; ++q) {
            if (WEIGHTED) {
                log_likelihood[q % PARTS] += weight[q] * (m[q] + log(t[q]));
            } else {
                log_likelihood[q % PARTS] += m[q];
                product[q % PARTS] *= t[q];
            }
        }
        if (!WEIGHTED && (pending += BATCH) == PRODUCT) {
            GMM1D_PARTS {
                log_likelihood[q] += log(product[q]);
                product[q] = all(1.0);
            }
            pending = 0;
        }
        m_step<WEIGHTED, DETAIL>(weight, BATCH, c, held, s);
    }
    if (!WEIGHTED) GMM1D_PARTS log_likelihood[q] += log(product[q]);
    if (i < count) {  // the rest: the last point is repeated with weight zero
        const int groups = static_cast<int>((count - i + LANES - 1) / LANES);
        for (int q = 0; q < groups * PARTS; ++q) {
            const std::int64_t at = first + i + q * WIDTH, last = first + count - 1;
            if (at + WIDTH - 1 <= last) {
                x[q] = gather(p.values, p.value_stride, at);
                if (WEIGHTED) weight[q] = gather(p.weights, p.weight_stride, at);
            } else {
                for (int l = 0; l < WIDTH; ++l) {
                    const std::int64_t there = at + l < last ? at + l : last;
                    x[q][l] = read(p.values, p.value_stride, there);
                    weight[q][l] = at + l > last ? 0.0 : WEIGHTED ? read(p.weights, p.weight_stride, there) : 1.0;
                }
            }
            x[q] = (x[q] - p.centre) * p.factor;
        }
        const int held = e_step(x, groups, c, s, m, t);
        for (int q = 0; q < groups * PARTS; ++q) log_likelihood[q % PARTS] += weight[q] * (m[q] + log(t[q]));
        m_step<true, DETAIL>(weight, groups, c, held, s);
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

bool factor(double* matrix, int n) { return cholesky(matrix, n); }

}  // namespace

#define GMM1D_STRING2(name) #name
#define GMM1D_STRING(name) GMM1D_STRING2(name)

extern const Kernel GMM1D_JOIN(kernel_, GMM1D_ISA);
const Kernel GMM1D_JOIN(kernel_, GMM1D_ISA) = {GMM1D_STRING(GMM1D_ISA), add_points, factor, map<exp>, map<log>};

}  // namespace gmm1d

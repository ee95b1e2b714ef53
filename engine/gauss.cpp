#include "gauss.hpp"

#include <algorithm>
#include <cmath>

namespace gmm1d {
namespace {

// In units of a leaf's half-width squared, and squared again: less than this is rounding of the sums, and changes a
// log-likelihood by nothing that shows in a float64.
constexpr double NO_SPREAD = 1e-13;

constexpr double CLOSE = 1e-11;     // a step of Newton's after which only rounding is left
constexpr double LEGENDRE = 0.342;  // of equally spread points: from the zeros of p_2 to the outer ones of p_3

// p(x) = (x - a0)(x - a1)(x - a2) - b1 (x - a2) - b2 (x - a0), the characteristic polynomial.
struct Cubic {
    double a0, a1, a2, b1, b2;
    double at(double x) const { return ((x - a0) * (x - a1) - b1) * (x - a2) - b2 * (x - a0); }
    double slope(double x) const { return ((x - a0) + (x - a1)) * (x - a2) + ((x - a0) * (x - a1) - b1) - b2; }

    // The one between two bounds, from x on: Newton's steps, kept between bounds that close in.
    double zero(double low, double high, bool rising, double x) const {
        for (int i = 0; i < 100; ++i) {
            const double value = at(x), next = x - value / slope(x);
            ((value > 0.0) == rising ? high : low) = x;
            if (std::fabs(next - x) <= CLOSE) return std::clamp(next, low, high);
            x = next > low && next < high ? next : 0.5 * (low + high);
            if (high - low <= CLOSE * CLOSE) break;
        }
        return x;
    }
};

// Recurrence p_{i+1}(u) = (u - a_i) p_i - b_i p_{i-1} of the monic orthogonal polynomials; size <= 3 of them.
struct Jacobi {
    int size;
    double a[NODES], b[NODES];  // b[0] unused
};

// From the central moments, unstandardised: what rounding leaves of a small variance does no harm.
Jacobi recurrence(const Moments8& moments) {
    double m[6];
    for (int p = 0; p < 6; ++p) m[p] = moments.sums[p] / moments.sums[0];
    const double c = std::clamp(m[1], -1.0, 1.0), c2 = c * c;
    const double v = m[2] - c2;
    Jacobi out{1, {c, 0, 0}, {0, 0, 0}};
    if (!(v > NO_SPREAD)) return out;
    const double k3 = m[3] - 3 * c * m[2] + 2 * c * c2;
    const double k4 = m[4] - 4 * c * m[3] + 6 * c2 * m[2] - 3 * c2 * c2;
    const double k5 = m[5] - 5 * c * m[4] + 10 * c2 * m[3] - 10 * c * c2 * m[2] + 4 * c2 * c2 * c;
    const double s = k3 / v;  // p_2 = t^2 - s t - v with t = u - c
    out.size = 2;
    out.b[1] = v;
    out.a[1] = std::clamp(c + s, -1.0, 1.0);
    const double norm = k4 - s * k3 - v * v;  // <p_2, p_2>
    if (!(norm > NO_SPREAD)) return out;
    // <t p_2, p_2> = k5 - 2 s k4 + (s^2 - 2 v) k3 + 2 s v^2 (with k1 = 0, k2 = v)
    const double first = k5 - 2 * s * k4 + (s * s - 2 * v) * k3 + 2 * s * v * v;
    out.size = 3;
    out.b[2] = norm / v;
    out.a[2] = std::clamp(c + first / norm, -1.0, 1.0);
    return out;
}

}  // namespace

// Golub and Welsch (1969), Math. Comp. 23: the nodes are the eigenvalues of the Jacobi matrix, here the zeros of its
// characteristic polynomial, which those of the leading 2 x 2 matrix separate; the weights are 1 / sum_i p_i^2 / ||p_i||^2.
Rule gauss(const Moments8& moments) {
    const Jacobi j = recurrence(moments);
    Rule rule{j.size, {j.a[0], 0, 0}, {moments.sums[0], 0, 0}};
    if (j.size == 1) return rule;
    const double middle = 0.5 * (j.a[0] + j.a[1]), half = 0.5 * (j.a[0] - j.a[1]);
    const double reach = std::sqrt(half * half + j.b[1]);
    rule.u[0] = middle - reach;
    rule.u[1] = middle + reach;
    if (j.size == 3) {
        const Cubic cubic{j.a[0], j.a[1], j.a[2], j.b[1], j.b[2]};
        const double low = rule.u[0], high = rule.u[1];
        const double far = 2.0 + reach + std::sqrt(j.b[2]);
        rule.u[0] = cubic.zero(low - far, low, true, low - LEGENDRE * reach);
        rule.u[1] = cubic.zero(low, high, false, middle);
        rule.u[2] = cubic.zero(high, high + far, true, high + LEGENDRE * reach);
    }
    double total = 0.0;
    for (int i = 0; i < j.size; ++i) {
        const double p1 = rule.u[i] - j.a[0];
        double norms = 1.0 + p1 * p1 / j.b[1];
        if (j.size == 3) {
            const double p2 = (rule.u[i] - j.a[1]) * p1 - j.b[1];
            norms += p2 * p2 / (j.b[1] * j.b[2]);
        }
        rule.w[i] = 1.0 / norms;
        total += rule.w[i];
    }
    for (int i = 0; i < j.size; ++i) {
        rule.w[i] *= moments.sums[0] / total;
        rule.u[i] = std::clamp(rule.u[i], -1.0, 1.0);
    }
    return rule;
}

double Rule::defect(const Moments8& moments) const {
    double lacking = moments.sums[6];
    for (int i = 0; i < size; ++i) {
        const double u2 = u[i] * u[i];
        lacking -= w[i] * (u2 * u2 * u2);
    }
    return std::max(lacking, 0.0);
}

void add_moved(const Moments8& from, double offset, double ratio, Moments8& to) {
    // sum w (b + a u)^p, all orders at once: the Horner scheme of the binomial theorem
    double terms[ORDERS];
    double scale = 1.0;
    for (int p = 0; p < ORDERS; ++p, scale *= ratio) terms[p] = from.sums[p] * scale;
    for (int p = 0; p < ORDERS; ++p) {
        to.sums[p] += terms[0];
        // terms[q] becomes sum w (b + a u)^(p+1) (a u)^q
        for (int q = 0; q + p + 1 < ORDERS; ++q) terms[q] = offset * terms[q] + terms[q + 1];
    }
}

}  // namespace gmm1d

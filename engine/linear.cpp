#include "linear.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "pass.hpp"

namespace gmm1d {
namespace {

// Reduces v to tridiagonal form: diagonal d, subdiagonal e[1 ...], the rows of v the orthogonal transformation.
void tridiagonal(double* v, double* d, double* e, int n) {
    for (int j = 0; j < n; ++j) d[j] = v[j * n + n - 1];
    for (int i = n - 1; i > 0; --i) {
        double scale = 0.0, h = 0.0;
        for (int k = 0; k < i; ++k) scale += std::abs(d[k]);
        if (scale == 0.0) {
            e[i] = d[i - 1];
            for (int j = 0; j < i; ++j) {
                d[j] = v[j * n + i - 1];
                v[j * n + i] = v[i * n + j] = 0.0;
            }
        } else {
            for (int k = 0; k < i; ++k) {
                d[k] /= scale;
                h += d[k] * d[k];
            }
            const double f = d[i - 1], g = f > 0.0 ? -std::sqrt(h) : std::sqrt(h);
            e[i] = scale * g;
            h -= f * g;
            d[i - 1] = f - g;
            std::fill(e, e + i, 0.0);
            for (int j = 0; j < i; ++j) {
                v[i * n + j] = d[j];
                double sum = e[j] + v[j * n + j] * d[j];
                for (int k = j + 1; k < i; ++k) {
                    sum += v[j * n + k] * d[k];
                    e[k] += v[j * n + k] * d[j];
                }
                e[j] = sum;
            }
            double inner = 0.0;
            for (int j = 0; j < i; ++j) {
                e[j] /= h;
                inner += e[j] * d[j];
            }
            for (int j = 0; j < i; ++j) e[j] -= inner / (h + h) * d[j];
            for (int j = 0; j < i; ++j) {
                for (int k = j; k < i; ++k) v[j * n + k] -= d[j] * e[k] + e[j] * d[k];
                d[j] = v[j * n + i - 1];
                v[j * n + i] = 0.0;
            }
        }
        d[i] = h;
    }
    for (int i = 0; i < n - 1; ++i) {
        v[i * n + n - 1] = v[i * n + i];
        v[i * n + i] = 1.0;
        const double h = d[i + 1];
        if (h != 0.0) {
            for (int k = 0; k <= i; ++k) d[k] = v[(i + 1) * n + k] / h;
            for (int j = 0; j <= i; ++j) {
                double g = 0.0;
                for (int k = 0; k <= i; ++k) g += v[(i + 1) * n + k] * v[j * n + k];
                for (int k = 0; k <= i; ++k) v[j * n + k] -= g * d[k];
            }
        }
        for (int k = 0; k <= i; ++k) v[(i + 1) * n + k] = 0.0;
    }
    for (int j = 0; j < n; ++j) {
        d[j] = v[j * n + n - 1];
        v[j * n + n - 1] = j == n - 1 ? 1.0 : 0.0;
    }
    e[0] = 0.0;
}

void rotate(double* __restrict a, double* __restrict b, int n, double c, double s) {
    for (int k = 0; k < n; ++k) {
        const double x = a[k], y = b[k];
        a[k] = c * x - s * y;
        b[k] = s * x + c * y;
    }
}

// Diagonalises by QL steps with implicit shifts; d becomes the eigenvalues.
void diagonalise(double* v, double* d, double* e, int n) {
    constexpr double EPSILON = std::numeric_limits<double>::epsilon();
    std::copy(e + 1, e + n, e);
    e[n - 1] = 0.0;
    double shift = 0.0, largest = 1e-130;  // squares of what is far smaller underflow
    for (int l = 0; l < n; ++l) {
        largest = std::max(largest, std::abs(d[l]) + std::abs(e[l]));
        int m = l;
        while (m < n - 1 && std::abs(e[m]) > EPSILON * largest) ++m;
        for (int round = 0; m > l && round < 60; ++round) {
            double g = d[l], p = (d[l + 1] - g) / (2.0 * e[l]), r = std::sqrt(p * p + 1.0);
            if (p < 0.0) r = -r;
            d[l] = e[l] / (p + r);
            d[l + 1] = e[l] * (p + r);
            const double dl1 = d[l + 1];
            double h = g - d[l];
            for (int i = l + 2; i < n; ++i) d[i] -= h;
            shift += h;
            p = d[m];
            double c = 1.0, c2 = 1.0, c3 = 1.0, s = 0.0, s2 = 0.0;
            const double el1 = e[l + 1];
            for (int i = m - 1; i >= l; --i) {
                c3 = c2;
                c2 = c;
                s2 = s;
                g = c * e[i];
                h = c * p;
                r = std::sqrt(p * p + e[i] * e[i]);
                e[i + 1] = s * r;
                s = e[i] / r;
                c = p / r;
                p = c * d[i] - s * g;
                d[i + 1] = h + s * (c * g + s * d[i]);
                rotate(v + i * n, v + (i + 1) * n, n, c, s);
            }
            p = -s * s2 * c3 * el1 * e[l] / dl1;
            e[l] = s * p;
            d[l] = c * p;
            if (std::abs(e[l]) <= EPSILON * largest) break;
        }
        d[l] += shift;
        e[l] = 0.0;
    }
}

}  // namespace

Eigen eigen(std::vector<double> v, int n) {
    std::vector<double> d(n), e(n);
    tridiagonal(v.data(), d.data(), e.data(), n);
    diagonalise(v.data(), d.data(), e.data(), n);
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int a, int b) { return d[a] < d[b]; });
    Eigen out{std::vector<double>(n), std::vector<double>(n * n)};
    for (int j = 0; j < n; ++j) {
        out.values[j] = d[order[j]];
        for (int i = 0; i < n; ++i) out.vectors[i * n + j] = v[order[j] * n + i];
    }
    return out;
}

void substitute(const std::vector<double>& factor, std::vector<double>& b) {
    const std::int64_t n = static_cast<std::int64_t>(b.size()), width = padded(n);
    for (std::int64_t j = 0; j < n; ++j) {
        const double* row = &factor[j * width];
        const double x = b[j] /= row[j];
        for (std::int64_t i = j + 1; i < n; ++i) b[i] -= row[i] * x;
    }
}

void substitute_back(const std::vector<double>& factor, std::vector<double>& b) {
    const std::int64_t n = static_cast<std::int64_t>(b.size()), width = padded(n);
    for (std::int64_t i = n - 1; i >= 0; --i) {
        for (std::int64_t k = i + 1; k < n; ++k) b[i] -= factor[i * width + k] * b[k];
        b[i] /= factor[i * width + i];
    }
}

}  // namespace gmm1d

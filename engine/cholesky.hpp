// The Cholesky factor of small matrices, a few lanes at a time.
#pragma once

#include <cmath>

#include "lanes.hpp"

namespace gmm1d {

// A = U' U, U in place of the upper triangle of A, whose rows are padded to whole lanes; what is below is overwritten.
// False where A is not safely positive definite.
GMM1D_INLINE bool cholesky(double* a, int n) {
    constexpr double LEAST_PIVOT = 1e-10;
    const std::int64_t width = padded(n);
    for (int j = 0; j < n; ++j) {
        double* row = a + j * width;
        if (!(row[j] > LEAST_PIVOT)) return false;
        const double inverse = 1.0 / std::sqrt(row[j]);
        for (std::int64_t i = j / WIDTH * WIDTH; i < width; i += WIDTH) store(row + i, load(row + i) * inverse);
        for (int k = j + 1; k < n; ++k) {
            const double factor = row[k];
            double* below = a + k * width;
            for (std::int64_t i = k / WIDTH * WIDTH; i < width; i += WIDTH) store(below + i, load(below + i) - load(row + i) * factor);
        }
    }
    return true;
}

}  // namespace gmm1d

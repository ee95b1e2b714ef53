// Small symmetric matrices, row by row in one vector.
#pragma once

#include <vector>

namespace gmm1d {

// Eigenvalues, ascending, and eigenvectors: vectors[i * n + j] is component i of the j-th.
struct Eigen {
    std::vector<double> values, vectors;
};

// Householder tridiagonalisation and implicit QL: Bowdler, Martin, Reinsch and Wilkinson (1968), as in EISPACK.
Eigen eigen(std::vector<double> matrix, int n);

// Solve U' x = b and U x = b in place of b, with U as a kernel's Cholesky decomposition leaves it.
void substitute(const std::vector<double>& factor, std::vector<double>& b);
void substitute_back(const std::vector<double>& factor, std::vector<double>& b);

}  // namespace gmm1d

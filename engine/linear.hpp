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

// Solves A x = b in place of b if A is safely positive definite (Cholesky); false if it is not.
bool solve(std::vector<double>& matrix, std::vector<double>& b);

}  // namespace gmm1d

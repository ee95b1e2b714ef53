// What a search does to the components of an optimum.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "model.hpp"

namespace gmm1d {

// All components but j.
inline Parameters without(const Parameters& at, int j) {
    Parameters out = at;
    for (auto* row : {&out.weights, &out.means, &out.stds}) row->erase(row->begin() + j);
    for (double& w : out.weights) w /= 1.0 - at.weights[j];
    return out;
}

// Components i and j as one of the same mean and variance.
inline Parameters merged(const Parameters& at, int i, int j) {
    const double w = at.weights[i] + at.weights[j], p = at.weights[i] / w, q = at.weights[j] / w;
    const double d = at.means[i] - at.means[j], si = at.stds[i], sj = at.stds[j];
    Parameters out = at;
    out.weights[i] = w;
    out.means[i] = p * at.means[i] + q * at.means[j];
    out.stds[i] = std::sqrt(p * si * si + q * sj * sj + p * q * d * d);
    for (auto* row : {&out.weights, &out.means, &out.stds}) row->erase(row->begin() + j);
    return out;
}

// Two halves of component j in its place: the likelihood stays.
inline Parameters doubled(Parameters at, int j) {
    at.weights[j] *= 0.5;
    for (auto* row : {&at.weights, &at.means, &at.stds}) row->push_back((*row)[j]);
    return at;
}

// Whether component j is all but equal to component i, within 5 % of its std.
inline bool alike(const Parameters& at, int i, int j) {
    const double near = 0.05 * at.stds[j];
    return std::abs(at.means[i] - at.means[j]) < near && std::abs(at.stds[i] - at.stds[j]) < near;
}

// The components that are copies of one before them.
inline std::vector<int> copies(const Parameters& at) {
    std::vector<int> out;
    for (int j = 1; j < at.k(); ++j) {
        for (int i = 0; i < j && (out.empty() || out.back() != j); ++i) {
            if (alike(at, i, j)) out.push_back(j);
        }
    }
    return out;
}

// Each of them put back into the one before it.
inline Parameters gathered(const Parameters& at, const std::vector<int>& twins) {
    Parameters out = at;
    for (auto j = twins.rbegin(); j != twins.rend(); ++j) {
        int i = 0;
        while (!alike(at, i, *j)) ++i;
        out = merged(out, i, *j);
    }
    return out;
}

// By mean.
inline void sort(Parameters& at) {
    if (std::is_sorted(at.means.begin(), at.means.end())) return;
    const Parameters from = at;
    std::vector<int> order(at.k());
    for (int j = 0; j < at.k(); ++j) order[j] = j;
    std::sort(order.begin(), order.end(), [&](int a, int b) { return from.means[a] < from.means[b]; });
    for (int j = 0; j < at.k(); ++j) {
        at.weights[j] = from.weights[order[j]];
        at.means[j] = from.means[order[j]];
        at.stds[j] = from.stds[order[j]];
    }
}

}  // namespace gmm1d

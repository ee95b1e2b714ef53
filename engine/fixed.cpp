#include "fixed.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace gmm1d {
namespace {

constexpr int ORDERS = 3;         // ways in which components of an optimum may become those of which something is fixed
constexpr int PERMUTED = 6;       // so many components at most are tried in every order

double square(double x) { return x * x; }

// How far component i of an optimum is from what is fixed of component j.
double distance(const Fixed& fixed, const Parameters& at, int i, int j) {
    double far = 0.0;
    if (is_fixed(fixed.which.means, j)) far += square((at.means[i] - fixed.values.means[j]) / at.stds[i]);
    if (is_fixed(fixed.which.stds, j)) far += square(std::log(at.stds[i] / fixed.values.stds[j]));
    if (is_fixed(fixed.which.weights, j)) far += square(std::log(at.weights[i] / std::max(fixed.values.weights[j], 1e-300)));
    return far;
}

}  // namespace

std::vector<int> by_what_is_fixed(const Fixed& fixed) {
    const auto key = [&](int j) {
        const auto one = [&](const std::vector<bool>& row, const std::vector<double>& values) {
            return std::pair{!is_fixed(row, j), is_fixed(row, j) ? values[j] : 0.0};
        };
        return std::tuple{one(fixed.which.means, fixed.values.means), one(fixed.which.stds, fixed.values.stds),
                          one(fixed.which.weights, fixed.values.weights)};
    };
    std::vector<int> order(fixed.values.k());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return key(a) < key(b); });
    return order;
}

Fixed reordered(const Fixed& from, const std::vector<int>& order) {
    Fixed to = from;
    for (std::size_t j = 0; j < order.size(); ++j) {
        for (auto row : {&Constraints::weights, &Constraints::means, &Constraints::stds}) {
            if (!(from.which.*row).empty()) (to.which.*row)[j] = (from.which.*row)[order[j]];
        }
        for (auto row : {&Parameters::weights, &Parameters::means, &Parameters::stds}) (to.values.*row)[j] = (from.values.*row)[order[j]];
    }
    return to;
}

bool alike(const Fixed& fixed, int i, int j) {
    const auto one = [&](const std::vector<bool>& row, const std::vector<double>& values) {
        return is_fixed(row, i) == is_fixed(row, j) && (!is_fixed(row, i) || values[i] == values[j]);
    };
    return one(fixed.which.weights, fixed.values.weights) && one(fixed.which.means, fixed.values.means) &&
           one(fixed.which.stds, fixed.values.stds);
}

std::vector<std::vector<int>> orders(const Fixed& fixed, const Parameters& at, const std::vector<int>& slots) {
    const int k = at.k();
    std::vector<int> order(k);
    std::iota(order.begin(), order.end(), 0);
    if (k > PERMUTED) {  // one after the other, the closest
        for (int j = 0; j < k; ++j) {
            const auto closer = [&](int a, int b) { return distance(fixed, at, a, slots[j]) < distance(fixed, at, b, slots[j]); };
            std::iter_swap(order.begin() + j, std::min_element(order.begin() + j, order.end(), closer));
        }
        return {order};
    }
    std::vector<std::pair<double, std::vector<int>>> all;
    do {
        double far = 0.0;
        bool first = true;  // of those that differ in nothing that is fixed
        for (int j = 0; j < k; ++j) {
            far += distance(fixed, at, order[j], slots[j]);
            first = first && !(j > 0 && order[j] < order[j - 1] && alike(fixed, slots[j], slots[j - 1]));
        }
        if (first) all.emplace_back(far, order);
    } while (std::next_permutation(order.begin(), order.end()));
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::vector<int>> out;
    for (int i = 0; i < std::min<int>(ORDERS, all.size()); ++i) out.push_back(all[i].second);
    return out;
}

}  // namespace gmm1d

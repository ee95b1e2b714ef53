#pragma once

#include <cstdint>
#include <vector>

namespace gmm1d {

// The k-means partition of ascending values with the least sum of squares, among all partitions: the first index
// of every cluster. Needs k <= values.size().
std::vector<std::int64_t> kmeans(const std::vector<double>& values, const std::vector<double>& weights, int k);

}  // namespace gmm1d

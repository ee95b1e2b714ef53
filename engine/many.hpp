// Many data sets in one call, each fitted by one thread, as it would be alone.
#pragma once

#include <optional>
#include <vector>

#include "best.hpp"
#include "weighing.hpp"

namespace gmm1d {

struct DataSet {
    Source points;
    std::optional<Source> weights;  // as many
    Meaning meaning = Meaning::EITHER;
};

// What is known of one fit is a row of numbers: these, then k weights, means and stds in the units of the data, by mean.
enum Fact { N, UNIT, TOLERANCE, REASON, LOG_LIKELIHOOD, GRADIENT_NORM, NEWTON_DECREMENT, SMALLEST_EIGENVALUE, ENTROPY, FACTS };

// Of the standardised data: subtract n log(unit) for the log-likelihood of the data themselves. TOLERANCE: 0 or 1. REASON: of `Reason`.
inline std::int64_t row_size(int k) { return FACTS + 3 * std::int64_t(k); }

// Writes row_size(k) numbers for each data set. What cannot be fitted leaves its row as it is: `fit` says why.
// False if the poll, asked by the calling thread alone, stopped it.
bool fit_many(const std::vector<DataSet>& data, int k, bool equal_stds, const Rules& rules, int threads, const Kernel& kernel,
              const Poll& poll, double* rows);

}  // namespace gmm1d

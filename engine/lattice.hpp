// Where the leaves of a sketch lie: dyadic cells in raw coordinates, chosen from some of the data, and found by value.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "binning.hpp"

namespace gmm1d {

struct Weighted {
    double value, weight;
};

// For exponents from -1022 to 1023.
inline double power_of_two(int exponent) {
    const std::uint64_t bits = static_cast<std::uint64_t>(exponent + 1023) << 52;
    double out;
    std::memcpy(&out, &bits, sizeof out);
    return out;
}

// [index 2^exponent, (index + 1) 2^exponent). Two cells are disjoint, or one lies in the other.
struct Cell {
    std::int64_t index;
    int exponent;
    double left() const { return static_cast<double>(index) * power_of_two(exponent); }
    double right() const { return static_cast<double>(index + 1) * power_of_two(exponent); }
    double centre() const { return static_cast<double>(2 * index + 1) * power_of_two(exponent - 1); }
    double half() const { return power_of_two(exponent - 1); }
    bool contains(double x) const { return left() <= x && x < right(); }
};

// The half of a cell and its inverse are normal numbers, and so is its centre an exact one.
constexpr int LOWEST_EXPONENT = -1021, HIGHEST_EXPONENT = 1023, INDEX_BITS = 50;

// By left edge, the larger of two that share it first.
bool before(const Cell& a, const Cell& b);

// The cell of this width around x; the exponent must be at least finest(|x|).
Cell cell_at(double x, int exponent);
int finest(double magnitude);

// Disjoint ascending cells that cover ascending distinct values, as narrow as `gaps` of the values stand, and everywhere
// within a fraction of the distance to narrower ones, so that the flanks of a narrow component are resolved, too. They
// are at most `most`, for which they may be `widened`, and stay clear of those that are taken.
std::vector<Cell> choose_cells(const std::vector<double>& values, int gaps, std::size_t most, const std::vector<Cell>& taken,
                               bool* widened = nullptr);

// Whether the cell overlaps none of those taken, which are disjoint and ascend.
bool is_clear(const std::vector<Cell>& taken, const Cell& cell);

// The index of the cell that contains x, among disjoint ascending ones, or -1.
std::int64_t search(const std::vector<Cell>& cells, double x);

// Finds the cells of many values: by one look into a table of equal steps over the part of the axis where most values
// are, by a second one where cells are narrower than these, by bisection elsewhere.
class Grid {
public:
    // `values` are some of those to come, in ascending order; `exact` those that do not go into the cell in which they lie.
    Grid(std::vector<Cell> cells, const std::vector<double>& values, const std::vector<double>& exact);

    const std::vector<Cell>& cells() const { return cells_; }
    GridView view() const { return {scale_, first_, steps_, fast_.data(), places_.data()}; }

    // The cell of x, or -1.
    std::int64_t find(double x) const;
    bool holds_exact(std::int64_t leaf) const { return holds_exact_[leaf]; }

private:
    struct Finer {
        double scale, first;
        int steps;
        std::size_t offset;
    };

    std::int64_t bisect(double x) const;
    void place_window(const std::vector<double>& values);
    void refine(std::int64_t begin, std::int64_t end, std::int64_t step, int exponent);

    std::vector<Cell> cells_;
    std::vector<double> lefts_;
    std::vector<Place> places_;
    std::vector<bool> holds_exact_;
    double scale_ = 1.0, first_ = 0.0;
    int steps_ = 0, exponent_ = 0;
    std::vector<std::uint16_t> fast_, plain_, finer_ids_;
    std::vector<std::int32_t> finer_at_;
    std::vector<Finer> finer_;
};

}  // namespace gmm1d

#include "lattice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gmm1d {
namespace {

constexpr double SLOPE = 1.0 / 32;  // of the width of a cell in the distance to a narrower one

// How wide a cell may be around each of the values.
std::vector<double> widths(const std::vector<double>& x, std::int64_t gaps, double slope) {
    const auto size = static_cast<std::int64_t>(x.size());
    std::vector<double> out(size);
    for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t a = std::max<std::int64_t>(i - gaps, 0), b = std::min(i + gaps, size - 1);
        const double share = static_cast<double>(2 * gaps) / static_cast<double>(b - a);
        out[i] = (x[b] * 0.5 - x[a] * 0.5) * share;  // halved: no overflow, and half of the gaps in a cell
    }
    for (std::int64_t i = 1; i < size; ++i) out[i] = std::min(out[i], out[i - 1] + slope * (x[i] - x[i - 1]));
    for (std::int64_t i = size - 1; i-- > 0;) out[i] = std::min(out[i], out[i + 1] + slope * (x[i + 1] - x[i]));
    return out;
}

struct Splitter {
    const std::vector<double>& values;
    const std::vector<double>& width;
    double slope;
    int lowest;
    std::size_t most;
    const std::vector<Cell>& taken;
    std::vector<Cell>& out;

    // The values begin ... end - 1 lie in the cell.
    void split(Cell cell, std::int64_t begin, std::int64_t end) {
        if (out.size() > most || cell.right() <= values.front() || cell.left() > values.back()) return;
        double may = std::numeric_limits<double>::infinity();
        if (begin > 0) may = std::min(may, width[begin - 1] + slope * (cell.left() - values[begin - 1]));
        if (end < std::int64_t(values.size())) may = std::min(may, width[end] + slope * (values[end] - cell.right()));
        for (std::int64_t i = begin; i < end; ++i) may = std::min(may, width[i]);
        const bool free = is_clear(taken, cell);
        if (!free && (begin == end || cell.exponent <= lowest)) return;
        if (free && (2.0 * cell.half() <= may || cell.exponent <= lowest)) {
            out.push_back(cell);
            return;
        }
        const Cell lower{2 * cell.index, cell.exponent - 1}, upper{2 * cell.index + 1, cell.exponent - 1};
        const auto from = values.begin();
        const std::int64_t middle = std::lower_bound(from + begin, from + end, upper.left()) - from;
        split(lower, begin, middle);
        split(upper, middle, end);
    }
};

// The last one of 2^16 has to be searched for.
std::uint16_t id_of(std::int64_t leaf) { return leaf < NO_LEAF ? static_cast<std::uint16_t>(leaf) : NO_LEAF; }

}  // namespace

bool before(const Cell& a, const Cell& b) {
    const double x = a.left(), y = b.left();
    return x < y || (x == y && a.exponent > b.exponent);
}

int finest(double magnitude) {
    return magnitude > 0.0 ? std::max(LOWEST_EXPONENT, std::ilogb(magnitude) - INDEX_BITS) : LOWEST_EXPONENT;
}

Cell cell_at(double x, int exponent) {
    return {static_cast<std::int64_t>(std::floor(std::ldexp(x, -exponent))), exponent};
}

std::vector<Cell> choose_cells(const std::vector<double>& values, int gaps, std::size_t most, const std::vector<Cell>& taken,
                               bool* widened) {
    std::vector<Cell> out;
    const double low = values.front(), high = values.back();
    const double magnitude = std::max(std::fabs(low), std::fabs(high)), reach = 0.5 * high - 0.5 * low;
    const int lowest = finest(magnitude);
    const int root = std::clamp(reach > 0.0 ? std::ilogb(reach) + 2 : lowest, lowest, HIGHEST_EXPONENT);
    double slope = SLOPE;
    do {
        out.clear();
        const std::vector<double> width = widths(values, gaps, slope);
        Splitter splitter{values, width, slope, lowest, most, taken, out};
        std::int64_t begin = 0;
        for (Cell cell = cell_at(low, root); cell.left() <= high && std::isfinite(cell.left()); ++cell.index) {
            const std::int64_t end = std::lower_bound(values.begin(), values.end(), cell.right()) - values.begin();
            splitter.split(cell, begin, end);
            begin = end;
        }
        gaps *= 2;
        slope *= 2.0;
        if (widened && out.size() > most) *widened = true;
    } while (out.size() > most);
    return out;
}

bool is_clear(const std::vector<Cell>& taken, const Cell& cell) {
    if (taken.empty()) return true;
    const auto next = std::partition_point(taken.begin(), taken.end(), [&](const Cell& t) { return t.right() <= cell.left(); });
    return next == taken.end() || next->left() >= cell.right();
}

std::int64_t search(const std::vector<Cell>& cells, double x) {
    const auto above = std::upper_bound(cells.begin(), cells.end(), x, [](double v, const Cell& c) { return v < c.left(); });
    if (above == cells.begin() || !(x < (above - 1)->right())) return -1;
    return above - cells.begin() - 1;
}

namespace {

constexpr int STEPS = 1 << 15, FINER_BITS = 16;
constexpr std::size_t MOST_FINER = 1 << 19;

// Which of `steps` equal steps x is in, from 1 on; 0 and steps + 1 for what lies beyond.
std::int64_t step_of(double x, double scale, double first, int steps) {
    double t = x * scale - (first - 1.0);
    t = t > 0.0 ? t : 0.0;
    return static_cast<std::int64_t>(std::min(t, steps + 1.0));
}

}  // namespace

Grid::Grid(std::vector<Cell> cells, const std::vector<double>& values, const std::vector<double>& exact)
    : cells_(std::move(cells)), holds_exact_(cells_.size(), false) {
    places_.reserve(cells_.size());
    lefts_.reserve(cells_.size());
    for (const Cell& cell : cells_) {
        places_.push_back({cell.centre(), 1.0 / cell.half()});
        lefts_.push_back(cell.left());
    }
    for (double x : exact) {
        const std::int64_t leaf = bisect(x);
        if (leaf >= 0) holds_exact_[leaf] = true;
    }
    if (cells_.empty()) {
        fast_ = plain_ = {NO_LEAF, NO_LEAF};
        finer_at_ = {-1, -1};
        return;
    }
    place_window(values);
    plain_.assign(steps_ + 2, NO_LEAF);
    finer_at_.assign(steps_ + 2, -1);
    const auto size = static_cast<std::int64_t>(cells_.size());
    for (std::int64_t leaf = 0; leaf < size;) {
        const Cell& cell = cells_[leaf];
        const double from = std::clamp(cell.left() * scale_ - first_, 0.0, double(steps_));  // cells may lie far beyond the table
        const double to = std::min(cell.right() * scale_ - first_, double(steps_));
        std::int64_t next = leaf + 1;
        if (cell.exponent >= exponent_) {
            for (auto t = std::int64_t(from); double(t) < to; ++t) plain_[t + 1] = id_of(leaf);
        } else if (from < to) {
            const double edge = std::floor(from) + 1.0;
            while (next < size && cells_[next].right() * scale_ - first_ <= edge) ++next;
            refine(leaf, next, std::int64_t(from), exponent_);
        }
        leaf = next;
    }
    fast_ = plain_;
    for (std::uint16_t& id : fast_)
        if (id != NO_LEAF && holds_exact_[id]) id = NO_LEAF;
}

// The step, a power of two, and where the table begins: so that most of the values are in it.
void Grid::place_window(const std::vector<double>& values) {
    const auto size = static_cast<std::int64_t>(cells_.size());
    std::vector<double> count(size, 1e-3);  // where no value is, more cells are better than fewer
    std::int64_t at = 0;
    for (double x : values) {
        while (at < size && cells_[at].right() <= x) ++at;
        if (at < size && cells_[at].left() <= x) count[at] += 1.0;
    }
    int lowest = HIGHEST_EXPONENT, highest = LOWEST_EXPONENT;
    for (const Cell& cell : cells_) {
        lowest = std::min(lowest, cell.exponent);
        highest = std::max(highest, cell.exponent);
    }
    double best = -1.0;
    for (int e = lowest; e <= highest; ++e) {
        const auto worth = [&](std::int64_t leaf) {
            const int finer = e - cells_[leaf].exponent;
            return finer <= 0 ? count[leaf] : finer <= FINER_BITS ? 0.3 * count[leaf] : 0.0;
        };
        const double scale = std::ldexp(1.0, -e);
        double inside = 0.0;
        for (std::int64_t a = 0, b = 0; a < size; ++a) {
            const double first = std::floor(cells_[a].left() * scale);
            for (; b < size && cells_[b].right() * scale - first <= STEPS; ++b) inside += worth(b);
            if (inside >= best && b > a) {
                best = inside;
                exponent_ = e;
                scale_ = scale;
                first_ = first;
                steps_ = static_cast<int>(std::ceil(cells_[b - 1].right() * scale - first));
            }
            if (b > a) inside -= worth(a);
            else b = a + 1;
        }
    }
}

// A table of its own for one step in which narrower cells begin ... end - 1 lie.
void Grid::refine(std::int64_t begin, std::int64_t end, std::int64_t step, int exponent) {
    int e = exponent;
    for (std::int64_t leaf = begin; leaf < end; ++leaf) e = std::min(e, cells_[leaf].exponent);
    e = std::max(e, exponent - FINER_BITS);
    const int steps = 1 << (exponent - e);
    if (finer_ids_.size() + steps + 2 > MOST_FINER) return;
    const double scale = std::ldexp(1.0, -e), first = std::ldexp(first_ + double(step), exponent - e);
    finer_at_[step + 1] = static_cast<std::int32_t>(finer_.size());
    finer_.push_back({scale, first, steps, finer_ids_.size()});
    finer_ids_.resize(finer_ids_.size() + steps + 2, NO_LEAF);
    std::uint16_t* ids = finer_ids_.data() + finer_.back().offset;
    for (std::int64_t leaf = begin; leaf < end; ++leaf) {
        if (cells_[leaf].exponent < e) continue;
        const double to = cells_[leaf].right() * scale - first;
        for (auto t = std::int64_t(cells_[leaf].left() * scale - first); double(t) < to; ++t) ids[t + 1] = id_of(leaf);
    }
}

std::int64_t Grid::find(double x) const {
    if (cells_.empty()) return -1;
    const std::int64_t step = step_of(x, scale_, first_, steps_);
    if (plain_[step] != NO_LEAF) return plain_[step];
    if (finer_at_[step] >= 0) {
        const Finer& finer = finer_[finer_at_[step]];
        const std::uint16_t id = finer_ids_[finer.offset + step_of(x, finer.scale, finer.first, finer.steps)];
        if (id != NO_LEAF) return id;
    }
    return bisect(x);
}

std::int64_t Grid::bisect(double x) const {
    const std::int64_t leaf = std::upper_bound(lefts_.begin(), lefts_.end(), x) - lefts_.begin() - 1;
    return leaf >= 0 && x < cells_[leaf].right() ? leaf : -1;
}

}  // namespace gmm1d

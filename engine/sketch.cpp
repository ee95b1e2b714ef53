#include "sketch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "gauss.hpp"
#include "pass.hpp"

namespace gmm1d {
namespace {

constexpr std::size_t MOST_EXACT = 1 << 15;  // single values, those of large weight not counted
constexpr std::size_t MOST_BESIDE = 1 << 13;  // where there are leaves
constexpr double LARGE = 1.0 / 2500;         // of all weight: such a value stays exact within a leaf
constexpr int GAPS = 16;
constexpr double FEW = 3.0;                  // points that three nodes stand for exactly
constexpr double NO_DEFECT = 1e-13;

void add_leaf(const Leaf& from, Leaf& to) {
    const double half = to.cell.half();
    if (from.cell.exponent == to.cell.exponent) {
        for (int p = 0; p < ORDERS; ++p) to.moments.sums[p] += from.moments.sums[p];
    } else {
        add_moved(from.moments, (from.cell.centre() - to.cell.centre()) / half, from.cell.half() / half, to.moments);
    }
}

void add_value(const Weighted& value, Leaf& to) {
    add_one({to.cell.centre(), 1.0 / to.cell.half()}, value.value, value.weight, to.moments);
}

// The smallest cell that contains two; of exponent HIGHEST_EXPONENT + 1 if there is none.
Cell common(Cell a, Cell b) {
    while ((a.exponent != b.exponent || a.index != b.index) && a.exponent <= HIGHEST_EXPONENT && b.exponent <= HIGHEST_EXPONENT) {
        Cell& finer = a.exponent <= b.exponent ? a : b;
        finer = {finer.index >> 1, finer.exponent + 1};
    }
    return a.exponent >= b.exponent ? a : b;
}

}  // namespace

std::vector<Cell> cells_of(const std::vector<Leaf>& leaves) {
    std::vector<Cell> cells;
    cells.reserve(leaves.size());
    for (const Leaf& leaf : leaves) cells.push_back(leaf.cell);
    return cells;
}

Sketch::Sketch(std::int64_t most_leaves, std::vector<Leaf> leaves, std::vector<Weighted> exact, std::int64_t size, double low,
               double high, bool coarsened, const Weighing& weighing)
    : most_leaves_(most_leaves),
      leaves_(std::move(leaves)),
      exact_(std::move(exact)),
      size_(size),
      low_(low),
      high_(high),
      coarsened_(coarsened),
      weighing_(weighing) {}

double Sketch::n() const {
    Sum total{0.0, 0.0};
    for (const Leaf& leaf : leaves_) total.add(leaf.moments.sums[0]);
    for (const Weighted& value : exact_) total.add(value.weight);
    return total.value();
}

void Sketch::add(const Sketch& other) {
    const std::size_t leaves = other.leaves_.size(), exact = other.exact_.size();  // of this one, perhaps
    leaves_.reserve(leaves_.size() + leaves);
    exact_.reserve(exact_.size() + exact);
    for (std::size_t i = 0; i < leaves; ++i) leaves_.push_back(other.leaves_[i]);
    for (std::size_t i = 0; i < exact; ++i) exact_.push_back(other.exact_[i]);
    size_ += other.size_;
    low_ = std::min(low_, other.low_);
    high_ = std::max(high_, other.high_);
    coarsened_ = coarsened_ || other.coarsened_;
    weighing_.add(other.weighing_);
    settle();
}

// Brings everything in order after leaves and exact values were appended.
void Sketch::settle() {
    unite_leaves();
    release_few();
    unite_exact();
    sink_exact();
    if (condense_exact()) unite_leaves();
    coarsen();
    sink_exact();
}

// Leaves that lie in others go into them: where resolutions differ the coarser one stays.
void Sketch::unite_leaves() {
    const auto order = [](const Leaf& a, const Leaf& b) { return before(a.cell, b.cell); };
    if (!std::is_sorted(leaves_.begin(), leaves_.end(), order)) std::stable_sort(leaves_.begin(), leaves_.end(), order);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
        if (kept > 0 && leaves_[kept - 1].cell.contains(leaves_[i].cell.left())) {
            add_leaf(leaves_[i], leaves_[kept - 1]);
        } else {
            leaves_[kept++] = leaves_[i];
        }
    }
    leaves_.resize(kept);
}

// A leaf of a few points only becomes these points.
void Sketch::release_few() {
    const double few = FEW * n() / static_cast<double>(std::max<std::int64_t>(size_, 1));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
        const Leaf leaf = leaves_[i];
        const double weight = leaf.moments.sums[0];
        if (weight <= few) {
            if (!(weight > 0.0)) continue;
            const Rule rule = gauss(leaf.moments);
            if (rule.defect(leaf.moments) <= NO_DEFECT * weight) {
                for (int j = 0; j < rule.size; ++j)
                    exact_.push_back({std::clamp(leaf.cell.centre() + leaf.cell.half() * rule.u[j], low_, high_) + 0.0, rule.w[j]});
                continue;
            }
        }
        leaves_[kept++] = leaf;
    }
    leaves_.resize(kept);
}

void Sketch::unite_exact() {
    const auto order = [](const Weighted& a, const Weighted& b) {
        return a.value < b.value || (a.value == b.value && a.weight < b.weight);
    };
    if (!std::is_sorted(exact_.begin(), exact_.end(), order)) std::sort(exact_.begin(), exact_.end(), order);
    std::size_t kept = 0;
    for (const Weighted& value : exact_) {
        if (kept > 0 && exact_[kept - 1].value == value.value) {
            exact_[kept - 1].weight += value.weight;
        } else {
            exact_[kept++] = value;
        }
    }
    exact_.resize(kept);
}

// Exact values where a leaf is go into it, unless their weight is large.
void Sketch::sink_exact() {
    if (leaves_.empty()) return;
    const double large = LARGE * n();
    std::size_t kept = 0, at = 0;
    for (const Weighted value : exact_) {
        while (at < leaves_.size() && leaves_[at].cell.right() <= value.value) ++at;
        if (value.weight <= large && at < leaves_.size() && leaves_[at].cell.left() <= value.value) {
            add_value(value, leaves_[at]);
        } else {
            exact_[kept++] = value;
        }
    }
    exact_.resize(kept);
}

// Too many exact values become leaves, where these hold more than a few. Says whether there are new ones.
bool Sketch::condense_exact() {
    const double large = LARGE * n();
    std::vector<Weighted> light, heavy;
    for (const Weighted& value : exact_) (value.weight <= large ? light : heavy).push_back(value);
    const std::size_t most = leaves_.empty() ? MOST_EXACT : MOST_BESIDE;
    if (light.size() <= most) return false;
    std::vector<double> values;
    values.reserve(light.size());
    for (const Weighted& value : light) values.push_back(value.value);
    const std::vector<Cell> cells = choose_cells(values, GAPS, most_leaves_, cells_of(leaves_), &coarsened_);
    for (std::size_t few = 2 * NODES; light.size() > most / 2; few /= 2) {
        std::vector<Weighted> kept;
        std::size_t at = 0;
        for (const Cell& cell : cells) {
            for (; at < light.size() && light[at].value < cell.left(); ++at) kept.push_back(light[at]);
            std::size_t end = at;
            while (end < light.size() && light[end].value < cell.right()) ++end;
            if (end - at <= few) continue;  // the next cell begins above them
            Leaf leaf{cell, {}};
            for (; at < end; ++at) add_value(light[at], leaf);
            leaves_.push_back(leaf);
        }
        kept.insert(kept.end(), light.begin() + at, light.end());
        light = std::move(kept);
        if (few == 0) break;
    }
    exact_ = std::move(light);
    exact_.insert(exact_.end(), heavy.begin(), heavy.end());
    unite_exact();
    return true;
}

// Within the bound on leaves: neighbours are put together where the error that n_b h^6 stands for is smallest.
void Sketch::coarsen() {
    while (static_cast<std::int64_t>(leaves_.size()) > most_leaves_) {
        std::vector<std::pair<double, Cell>> costs;
        for (std::size_t i = 0; i + 1 < leaves_.size(); ++i) {
            const Cell cell = common(leaves_[i].cell, leaves_[i + 1].cell);
            if (cell.exponent > HIGHEST_EXPONENT) continue;
            const double weight = leaves_[i].moments.sums[0] + leaves_[i + 1].moments.sums[0];
            costs.push_back({std::log2(weight) + 2.0 * NODES * cell.exponent, cell});
        }
        if (costs.empty()) return;
        // a fraction of the pairs at a time, as the next costs depend on them
        const std::size_t excess = std::min(leaves_.size() - most_leaves_, costs.size() / 4 + 1);
        const auto cheapest = [](const auto& a, const auto& b) {
            return a.first < b.first || (a.first == b.first && before(a.second, b.second));
        };
        std::nth_element(costs.begin(), costs.begin() + excess - 1, costs.end(), cheapest);
        costs.resize(excess);
        for (const auto& [cost, cell] : costs) leaves_.push_back({cell, {}});
        unite_leaves();
        coarsened_ = true;
    }
}

Sketch Sketch::coarse(std::int64_t most_leaves) const {
    Sketch out = *this;
    out.most_leaves_ = most_leaves;
    out.coarsen();
    out.sink_exact();
    return out;
}

Sketch Sketch::scaled(double factor) const {
    Sketch out = *this;
    for (Leaf& leaf : out.leaves_)
        for (double& sum : leaf.moments.sums) sum *= factor;
    for (Weighted& value : out.exact_) value.weight = std::max(factor * value.weight, std::numeric_limits<double>::denorm_min());
    const auto none = [](const Leaf& leaf) { return !(leaf.moments.sums[0] > 0.0); };
    out.leaves_.erase(std::remove_if(out.leaves_.begin(), out.leaves_.end(), none), out.leaves_.end());
    out.weighing_.scale_by(factor);
    return out;
}

Ordered Sketch::nodes(double centre, double unit) const {
    const double low = (low_ - centre) / unit, high = (high_ - centre) / unit;
    std::vector<Weighted> found;
    found.reserve(NODES * leaves_.size() + exact_.size());
    for (const Leaf& leaf : leaves_) {
        const Rule rule = gauss(leaf.moments);
        const double middle = (leaf.cell.centre() - centre) / unit, half = leaf.cell.half() / unit;
        for (int i = 0; i < rule.size; ++i)
            found.push_back({std::clamp(middle + half * rule.u[i], low, high) + 0.0, rule.w[i]});
    }
    for (const Weighted& value : exact_) found.push_back({(value.value - centre) / unit + 0.0, value.weight});
    std::stable_sort(found.begin(), found.end(), [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
    Ordered out;
    for (const Weighted& node : found) {
        if (!out.values.empty() && out.values.back() == node.value) {
            out.counts.back() += node.weight;
        } else if (node.weight > 0.0) {
            out.values.push_back(node.value);
            out.counts.push_back(node.weight);
        }
    }
    return out;
}

}  // namespace gmm1d

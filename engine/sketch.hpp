// Many points as moments on dyadic cells, and as themselves where they are few: made in one reading, added to another.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lattice.hpp"
#include "ordered.hpp"
#include "source.hpp"
#include "weighing.hpp"

namespace gmm1d {

struct Leaf {
    Cell cell;
    Moments8 moments;
};

// A mixture in raw coordinates.
struct Normals {
    std::vector<double> weights, means, stds;
};

std::vector<Cell> cells_of(const std::vector<Leaf>& leaves);

class Sketch {
public:
    explicit Sketch(std::int64_t most_leaves) : most_leaves_(most_leaves) {}  // at most 2^16

    // Takes what was saved. Leaves ascend and are disjoint; exact values ascend; nothing is checked here.
    Sketch(std::int64_t most_leaves, std::vector<Leaf> leaves, std::vector<Weighted> exact, std::int64_t size, double low,
           double high, bool coarsened, const Weighing& weighing);

    // Adds points. FAULT if one, or a weight, is not finite, or a weight negative; STOPPED by the poll: both leave the
    // sketch as it was. The same bits for any number of threads and any instruction set.
    enum class Reading { DONE, FAULT, STOPPED };
    Reading add(const Source& points, const std::optional<Source>& weights, int threads, const Poll& poll,
                const std::string& instruction_set);
    void add(const Sketch& other);

    // Empty, on these cells, so that reading the data again gives a finer sketch: see refinement().
    std::vector<Cell> refinement(const Normals& mixture, double tolerance) const;
    // Likewise for the cells of a second reading of what was added to this one since, where that left groups unresolved.
    std::vector<Cell> without_piles(const Sketch& next) const;
    void prepare(std::vector<Cell> cells) { prepared_ = std::move(cells); }
    bool is_prepared() const { return !prepared_.empty(); }

    // The same with fewer leaves, for a rough look.
    Sketch coarse(std::int64_t most_leaves) const;

    // The same of weights that are so many times as large.
    Sketch scaled(double factor) const;

    // The nodes as (value - centre) / unit: ascending, distinct, with positive counts.
    Ordered nodes(double centre, double unit) const;

    // An estimate of sum log p over the nodes minus sum log p over the points.
    double error(const Normals& mixture) const;

    double n() const;
    std::int64_t size() const { return size_; }
    double low() const { return low_; }
    double high() const { return high_; }
    bool coarsened() const { return coarsened_; }
    const Weighing& weighing() const { return weighing_; }  // of the weights as they came
    std::int64_t most_leaves() const { return most_leaves_; }
    const std::vector<Leaf>& leaves() const { return leaves_; }
    const std::vector<Weighted>& exact() const { return exact_; }

private:
    friend class Pass;

    void settle();
    void unite_leaves();
    void unite_exact();
    void sink_exact();
    bool condense_exact();
    void release_few();
    void coarsen();

    std::int64_t most_leaves_;
    std::vector<Leaf> leaves_;
    std::vector<Weighted> exact_;
    std::vector<Cell> prepared_;
    std::int64_t size_ = 0;
    double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
    bool coarsened_ = false;
    Weighing weighing_;
};

}  // namespace gmm1d

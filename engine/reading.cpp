// The one reading of the points that makes a sketch of them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "counter.hpp"
#include "piles.hpp"
#include "dispatch.hpp"
#include "sketch.hpp"

namespace gmm1d {

extern const BinKernel bin_kernel_baseline;
#ifdef GMM1D_X86_KERNELS
extern const BinKernel bin_kernel_v3, bin_kernel_v4;
#endif

const BinKernel& bin_kernel(const std::string& name) {
    const std::string found = kernel(name).name;  // that runs on this processor
#ifdef GMM1D_X86_KERNELS
    if (found == bin_kernel_v4.name) return bin_kernel_v4;
    if (found == bin_kernel_v3.name) return bin_kernel_v3;
#endif
    return bin_kernel_baseline;
}

namespace {

constexpr std::int64_t FEW_POINTS = 1 << 14;  // which are taken one by one
constexpr std::int64_t PILOT = 20'000;
constexpr double MANY = 8.0 / PILOT;          // of the pilot: such a value stays exact
constexpr double GOLDEN = 0.6180339887498949; // a stride of this part of a circle meets no period of the data
constexpr int GAPS = 16;
constexpr std::size_t MOST_CELLS = 1 << 14, MOST_VALUES = 1 << 15;
constexpr std::int64_t TABLES = 8;            // at most, whatever the number of threads
constexpr std::int64_t SMALLEST_CHUNK = 1 << 17;
constexpr std::int64_t ROUND = 1 << 19;       // points of each table between two looks at the clock
constexpr std::chrono::milliseconds POLL_EVERY{50};

}  // namespace

// The points are cut into as many chunks as there are tables, at places that depend on their number alone; the tables are
// added in order.
class Pass {
public:
    Pass(Sketch& sketch, const Source& points, const std::optional<Source>& weights, int threads, const Poll& poll,
         const BinKernel& kernel)
        : sketch_(sketch),
          points_(points),
          weights_(weights),
          threads_(threads),
          poll_(poll),
          kernel_(kernel),
          chunk_(std::max(SMALLEST_CHUNK, (points.size + TABLES - 1) / TABLES)),
          n_chunks_((points.size + chunk_ - 1) / chunk_) {}

    Sketch::Reading run() {
        look_at_some();
        std::vector<Cell> cells = sketch_.prepared_;
        if (cells.empty()) cells = new_cells();
        auto next_poll = std::chrono::steady_clock::now() + POLL_EVERY;
        std::vector<std::int64_t> read(n_chunks_, 0);
        const auto some_left = [&] { return *std::min_element(read.begin(), read.end()) < chunk_; };
        while (some_left()) {
            const Grid grid = make_grid(std::move(cells));
            std::vector<Table> tables(n_chunks_, Table(grid, exact_));
            for (bool full = false; some_left() && !full;) {
                parallel(n_chunks_, threads_, nullptr, [&](std::int64_t i, int) { read[i] = read_some(grid, i, read[i], tables[i]); });
                for (const Table& table : tables) {
                    if (table.fault) return Sketch::Reading::FAULT;
                    full = full || !table.spilled.empty();
                }
                if (poll_ && std::chrono::steady_clock::now() >= next_poll) {
                    if (poll_()) return Sketch::Reading::STOPPED;
                    next_poll = std::chrono::steady_clock::now() + POLL_EVERY;
                }
            }
            fold(grid, tables);
            cells = cells_after(grid);
        }
        return Sketch::Reading::DONE;
    }

private:
    struct Table {
        Table(const Grid& grid, const std::vector<double>& exact) : leaves(grid.cells().size(), Moments8{}) {
            for (double value : exact) counted.add(value, 0.0);
        }
        std::vector<Moments8> leaves;
        Counter counted{MOST_VALUES};
        std::vector<Weighted> spilled;
        double low = std::numeric_limits<double>::infinity(), high = -low;
        bool fault = false;
    };

    // Distinct values of the pilot that lie in no leaf yet, and those that come so often that they stay exact.
    void look_at_some() {
        const std::int64_t taken = std::min(points_.size, PILOT);
        std::vector<double> values;
        values.reserve(taken);
        for (std::int64_t i = 0; i < taken; ++i) {
            const double part = GOLDEN * static_cast<double>(i);
            const auto at = static_cast<std::int64_t>((part - std::floor(part)) * static_cast<double>(points_.size));
            double x, w = 1.0;
            read(points_, at, 1, &x);
            if (weights_) read(*weights_, at, 1, &w);
            if (w > 0.0 && x - x == 0.0) values.push_back(x + 0.0);
        }
        std::sort(values.begin(), values.end());
        const double many = MANY * static_cast<double>(taken);
        for (std::size_t a = 0, b; a < values.size(); a = b) {
            for (b = a; b < values.size() && values[b] == values[a];) ++b;
            if (static_cast<double>(b - a) > many) {
                exact_.push_back(values[a]);
            } else {
                pilot_.push_back(values[a]);
                n_pilot_ += b - a;
            }
        }
    }

    // Those of the sketch, and new ones where it has none: unless the values repeat so much that counting them will do.
    std::vector<Cell> new_cells() const {
        std::vector<Cell> cells;
        for (const Leaf& leaf : sketch_.leaves_) cells.push_back(leaf.cell);
        std::vector<double> outside;
        std::size_t at = 0;
        for (double x : pilot_) {
            while (at < cells.size() && cells[at].right() <= x) ++at;
            if (at == cells.size() || x < cells[at].left()) outside.push_back(x);
        }
        if (2 * pilot_.size() < n_pilot_ || outside.size() < 4 * GAPS) return cells;
        const std::vector<Cell> more = choose_cells(outside, GAPS, MOST_CELLS, cells);
        const auto old = static_cast<std::ptrdiff_t>(cells.size());
        cells.insert(cells.end(), more.begin(), more.end());
        std::inplace_merge(cells.begin(), cells.begin() + old, cells.end(), before);
        return cells;
    }

    // The leaves as they have become, and the cells that were and are still empty.
    std::vector<Cell> cells_after(const Grid& grid) const {
        std::vector<Cell> cells;
        for (const Leaf& leaf : sketch_.leaves_) cells.push_back(leaf.cell);
        const std::vector<Cell> leaves = cells;
        const auto old = static_cast<std::ptrdiff_t>(cells.size());
        for (const Cell& cell : grid.cells())
            if (is_clear(leaves, cell)) cells.push_back(cell);
        std::inplace_merge(cells.begin(), cells.begin() + old, cells.end(), before);
        return cells;
    }

    Grid make_grid(std::vector<Cell> cells) {
        for (const Weighted& value : sketch_.exact_)
            if (search(cells, value.value) >= 0) exact_.push_back(value.value);
        return Grid(std::move(cells), pilot_, exact_);
    }

    // Some numbers of a source: where they lie, or converted into a buffer.
    static const double* block(const Source& source, std::int64_t first, int count, double* buffer) {
        const char* from = source.data + first * source.stride;
        const bool aligned = reinterpret_cast<std::uintptr_t>(from) % alignof(double) == 0;
        if (source.type == Type::F64 && source.stride == sizeof(double) && aligned) return reinterpret_cast<const double*>(from);
        read(source, first, count, buffer);
        return buffer;
    }

    // Points of chunk i into table i, from where it stands on; returns where it stands then.
    std::int64_t read_some(const Grid& grid, std::int64_t i, std::int64_t at, Table& table) const {
        const std::int64_t begin = std::min(points_.size, i * chunk_), size = std::min(points_.size - begin, chunk_);
        const std::int64_t end = begin + std::min(size, at + ROUND);
        alignas(64) double x[BIN_BLOCK], w[BIN_BLOCK];
        std::uint16_t left[BIN_BLOCK];
        Found found[BIN_BLOCK];
        const GridView view = grid.view();
        std::int64_t first = begin + at;
        for (; first < end && !table.fault && table.spilled.size() < MOST_VALUES; first += BIN_BLOCK) {
            const int count = static_cast<int>(std::min<std::int64_t>(BIN_BLOCK, end - first));
            const double* values = block(points_, first, count, x);
            const double* weights = weights_ ? block(*weights_, first, count, w) : nullptr;
            const Binned binned = kernel_.add_block(view, values, weights, count, table.leaves.data(), left);
            table.low = std::min(table.low, binned.low);
            table.high = std::max(table.high, binned.high);
            table.fault = binned.bad_weight;
            int n_found = 0;
            for (int j = 0; j < binned.n_left; ++j) {
                const double value = values[left[j]], weight = weights ? weights[left[j]] : 1.0;
                const std::int64_t leaf = leaf_of(grid, value, weight, table);
                if (leaf >= 0) found[n_found++] = {value, weight, leaf};
            }
            kernel_.add_found(view.places, found, n_found, table.leaves.data());
        }
        return first < begin + size ? first - begin : chunk_;
    }

    // The leaf of a point, or -1 when it was counted as it is, or is none.
    std::int64_t leaf_of(const Grid& grid, double x, double w, Table& table) const {
        if (!(x - x == 0.0)) table.fault = true;
        if (!(x - x == 0.0) || !(w > 0.0)) return -1;
        const std::int64_t leaf = grid.find(x);
        if (leaf < 0) {
            if (!table.counted.add(x, w)) table.spilled.push_back({x, w});
            return -1;
        }
        return grid.holds_exact(leaf) && table.counted.add_known(x, w) ? -1 : leaf;
    }

    void fold(const Grid& grid, const std::vector<Table>& tables) {
        std::vector<Leaf> leaves;
        for (const Cell& cell : grid.cells()) leaves.push_back({cell, {}});
        for (const Table& table : tables) {
            for (std::size_t i = 0; i < leaves.size(); ++i)
                for (int p = 0; p < ORDERS; ++p) leaves[i].moments.sums[p] += table.leaves[i].sums[p];
            table.counted.give(sketch_.exact_);
            sketch_.exact_.insert(sketch_.exact_.end(), table.spilled.begin(), table.spilled.end());
            sketch_.low_ = std::min(sketch_.low_, table.low + 0.0);
            sketch_.high_ = std::max(sketch_.high_, table.high + 0.0);
        }
        sketch_.leaves_.insert(sketch_.leaves_.end(), leaves.begin(), leaves.end());
        sketch_.settle();
    }

    Sketch& sketch_;
    const Source& points_;
    const std::optional<Source>& weights_;
    const int threads_;
    const Poll& poll_;
    const BinKernel& kernel_;
    const std::int64_t chunk_, n_chunks_;
    std::vector<double> pilot_, exact_;
    std::size_t n_pilot_ = 0;
};

// The cells for a second reading, in which crowded values come one by one and find leaves as narrow as they ask for;
// none where no leaf is new and crowded.
std::vector<Cell> Sketch::without_piles(const Sketch& next) const {
    std::vector<Cell> out, old = cells_of(leaves_), crowded = piled_cells(next);
    crowded.erase(std::remove_if(crowded.begin(), crowded.end(), [&](const Cell& cell) { return !is_clear(old, cell); }), crowded.end());
    if (crowded.empty()) return out;
    for (const Leaf& leaf : next.leaves_) {
        if (is_clear(crowded, leaf.cell)) out.push_back(leaf.cell);
    }
    return out;
}

Sketch::Reading Sketch::add(const Source& points, const std::optional<Source>& weights, int threads, const Poll& poll,
                            const std::string& instruction_set) {
    const BinKernel& kernel = bin_kernel(instruction_set);
    Sketch next = *this;
    next.size_ += points.size;
    if (points.size <= FEW_POINTS && prepared_.empty()) {
        Ordered ordered;
        if (condense(points, weights, Meaning::COUNTS, ordered) >= 0) return Reading::FAULT;
        if (!ordered.values.empty()) {
            next.low_ = std::min(low_, ordered.values.front());
            next.high_ = std::max(high_, ordered.values.back());
        }
        for (std::size_t i = 0; i < ordered.values.size(); ++i)
            next.exact_.push_back({ordered.values[i], ordered.counts[i]});
        next.settle();
    } else {
        Reading reading = Pass(next, points, weights, threads, poll, kernel).run();
        if (reading == Reading::DONE && prepared_.empty() && !next.coarsened_) {
            std::vector<Cell> cells = without_piles(next);
            if (!cells.empty()) {
                next = *this;
                next.size_ += points.size;
                next.prepared_ = std::move(cells);
                reading = Pass(next, points, weights, threads, poll, kernel).run();
            }
        }
        if (reading != Reading::DONE) return reading;
    }
    Weighing weighing = Weighing::of(points.size);
    if (weights && !weigh(*weights, threads, poll, weighing)) return Reading::STOPPED;
    next.weighing_.add(weighing);
    next.prepared_.clear();
    *this = std::move(next);
    return Reading::DONE;
}

}  // namespace gmm1d

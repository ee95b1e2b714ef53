// What the nodes of a sketch leave out of a mixture's log-likelihood, and which cells would be narrow enough.
#include <algorithm>
#include <cmath>

#include "gauss.hpp"
#include "pass.hpp"
#include "sketch.hpp"

namespace gmm1d {
namespace {

constexpr int ORDER = 2 * NODES;   // of the derivative in the error of Gauss quadrature
constexpr double UNRESOLVED = 1.0; // stds of a component in a leaf's width, from where on that derivative says nothing
constexpr double NARROW = 0.25;    // resolved well
constexpr double REACH = 9.0;      // stds beyond which a component does not count
constexpr double MOST_NATS = 745.0;  // of a density, which is no less than the smallest number
constexpr int MOST_HALVINGS = 12;

// The log density of a mixture, and its derivatives.
class Curve {
public:
    explicit Curve(const Normals& mixture) : mixture_(mixture), scores_(mixture.means.size()) {
        for (std::size_t j = 0; j < scores_.size(); ++j)
            heights_.push_back(std::log(mixture.weights[j]) - std::log(mixture.stds[j]));
    }

    // (half d/dx)^6 log p / 6! at x. With b_j = -z_j / s_j, gam_j = -1 / (2 s_j^2), all in units of `half`:
    //   e_0 = 1, e_1 = b, (m + 1) e_{m+1} = b e_m + 2 gam e_{m-1};  P_m = sum_j r_j e_jm;
    //   c_m = P_m - sum_{0 < i < m} (i / m) c_i P_{m-i}
    double derivative(double x, double half) {
        double total = 0.0, sums[ORDER + 1] = {};
        const double most = score(x);
        for (std::size_t j = 0; j < scores_.size(); ++j) {
            const double r = std::exp(scores_[j] - most);
            if (!(r > 0.0)) continue;
            total += r;
            const double step = half / mixture_.stds[j];
            const double b = -(x - mixture_.means[j]) / mixture_.stds[j] * step, twice_gam = -step * step;
            double e[ORDER + 1] = {1.0, b};
            for (int m = 1; m < ORDER; ++m) e[m + 1] = (b * e[m] + twice_gam * e[m - 1]) / (m + 1);
            for (int m = 1; m <= ORDER; ++m) sums[m] += r * e[m];
        }
        double c[ORDER + 1];
        for (int m = 1; m <= ORDER; ++m) {
            c[m] = sums[m] / total;
            for (int i = 1; i < m; ++i) c[m] -= i * c[i] * (sums[m - i] / total) / m;
        }
        return c[ORDER];
    }

    bool touches(std::size_t j, const Cell& cell) const {
        const double reach = REACH * mixture_.stds[j];
        return cell.left() - mixture_.means[j] <= reach && mixture_.means[j] - cell.right() <= reach;
    }

    // Whether a component that the cell touches is narrower than so much of the cell's width.
    bool is_too_wide(const Cell& cell, double part) const {
        for (std::size_t j = 0; j < scores_.size(); ++j)
            if (mixture_.weights[j] > 0.0 && cell.half() > 0.5 * part * mixture_.stds[j] && touches(j, cell)) return true;
        return false;
    }

    // How many nats the points of unresolved components stand to lose where they share a leaf with others, and its nodes
    // miss their peaks: log(1 + peak / rest of the density) each, of n pi_j P(leaf | j) points.
    double missed(const Cell& cell, double n) {
        std::vector<double> points(scores_.size());
        double all = 0.0, out = 0.0;
        for (std::size_t j = 0; j < points.size(); ++j) {
            const double scale = std::sqrt(2.0) * mixture_.stds[j];
            points[j] = 0.5 * n * mixture_.weights[j] *
                        (std::erfc((cell.left() - mixture_.means[j]) / scale) - std::erfc((cell.right() - mixture_.means[j]) / scale));
            all += points[j];
        }
        for (std::size_t j = 0; j < points.size(); ++j) {
            if (2.0 * cell.half() <= UNRESOLVED * mixture_.stds[j] || !(points[j] > 0.0)) continue;
            const double peak = share(j, std::clamp(mixture_.means[j], cell.left(), cell.right()));
            out += points[j] * std::min(1.0, std::max(all - points[j], 0.0)) * std::min(-std::log1p(-peak), MOST_NATS);
        }
        return out;
    }

private:
    // Fills the scores and returns the largest.
    double score(double x) {
        double most = -std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < scores_.size(); ++j) {
            const double z = (x - mixture_.means[j]) / mixture_.stds[j];
            scores_[j] = heights_[j] - 0.5 * z * z;
            most = std::max(most, scores_[j]);
        }
        return most;
    }

    // r_j
    double share(std::size_t j, double x) {
        const double most = score(x);
        double total = 0.0;
        for (double each : scores_) total += std::exp(each - most);
        return std::exp(scores_[j] - most) / total;
    }

    const Normals& mixture_;
    std::vector<double> heights_, scores_;
};

// What a leaf adds to sum log p over the nodes, more than over the points: Gauss quadrature of f is too small by
// f^(2q)(x) / (2q)! ||pi_q||^2 for some x in it.
double error_of(const Leaf& leaf, Curve& curve, double n) {
    const double defect = gauss(leaf.moments).defect(leaf.moments);
    if (!(defect > 0.0)) return 0.0;
    if (curve.is_too_wide(leaf.cell, UNRESOLVED)) return -curve.missed(leaf.cell, n);
    return -defect * curve.derivative(leaf.cell.centre(), leaf.cell.half());
}

void halve(const Cell& cell, int times, const Curve& curve, std::vector<Cell>& out) {
    const double magnitude = std::max(std::fabs(cell.left()), std::fabs(cell.right()));
    if (cell.exponent > finest(magnitude) && (times > 0 || curve.is_too_wide(cell, NARROW))) {
        halve({2 * cell.index, cell.exponent - 1}, times - 1, curve, out);
        halve({2 * cell.index + 1, cell.exponent - 1}, times - 1, curve, out);
    } else {
        out.push_back(cell);
    }
}

}  // namespace

double Sketch::error(const Normals& mixture) const {
    Curve curve(mixture);
    Sum out{0.0, 0.0};
    const double all = n();
    for (const Leaf& leaf : leaves_) out.add(error_of(leaf, curve, all));
    return out.value();
}

// An error falls with the sixth power of the width: so often halved, each leaf has its share of the tolerance.
std::vector<Cell> Sketch::refinement(const Normals& mixture, double tolerance) const {
    Curve curve(mixture);
    const double share = tolerance / static_cast<double>(std::max<std::size_t>(leaves_.size(), 1)), all = n();
    std::vector<int> times;
    for (const Leaf& leaf : leaves_) {
        const double excess = curve.is_too_wide(leaf.cell, UNRESOLVED) ? 0.0 : std::fabs(error_of(leaf, curve, all)) / share;
        times.push_back(excess > 1.0 ? std::min(static_cast<int>(std::ceil(std::log2(excess) / ORDER)), MOST_HALVINGS) : 0);
    }
    std::vector<Cell> out;
    for (int most = MOST_HALVINGS; most >= 0; --most) {
        out.clear();
        for (std::size_t i = 0; i < leaves_.size(); ++i) halve(leaves_[i].cell, std::min(times[i], most), curve, out);
        if (static_cast<std::int64_t>(out.size()) <= most_leaves_) break;
    }
    return out;
}

}  // namespace gmm1d

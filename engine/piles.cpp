#include "piles.hpp"

#include <algorithm>
#include <cmath>

#include "gauss.hpp"

namespace gmm1d {
namespace {

constexpr int FIRST = 3, GRID = 33;      // orders from which on a smooth density shows nothing in a leaf; places in it
constexpr double CLEAR = 8.0;            // standard errors
constexpr double STEEP = 4.0;            // times as dense
constexpr std::size_t ASIDE = 2;         // leaves over which a density must not change so much
constexpr std::size_t BESIDE = 3;        // leaves on either side of a pile with which it is compared
constexpr double CLIFF = 1.3;            // times as dense as those
constexpr double PILED = 1.5;            // times as dense as all around
constexpr double SLIM = 1.5e-3;          // of all values' std: a wider group needs no more nodes than it has
constexpr double SHARE = 0.2;            // of a leaf's points at one place: more than a sharp edge makes of them
constexpr double BLOCK = 0.04;           // of all points, within which the median density is that of the surroundings
constexpr std::size_t MOST_GROUPS = 32;  // of more there is structure everywhere: rounding, for one

// The polynomials P_q of Legendre at places between -1 and 1, and sum (2 q + 1) P_q^2.
struct Legendre {
    double p[GRID][ORDERS], norm[GRID];
    Legendre() {
        for (int i = 0; i < GRID; ++i) {
            const double u = 2.0 * i / (GRID - 1) - 1.0;
            p[i][0] = 1.0;
            p[i][1] = u;
            for (int q = 1; q + 1 < ORDERS; ++q) p[i][q + 1] = ((2 * q + 1) * u * p[i][q] - q * p[i][q - 1]) / (q + 1);
            norm[i] = 0.0;
            for (int q = FIRST; q < ORDERS; ++q) norm[i] += (2 * q + 1) * p[i][q] * p[i][q];
        }
    }
};

// The sums of P_0 and of P_3 ... P_7 from those of the powers.
void legendre_sums(const Moments8& m, double* out) {
    const double* s = m.sums;
    out[0] = s[0];
    out[3] = (5 * s[3] - 3 * s[1]) / 2;
    out[4] = (35 * s[4] - 30 * s[2] + 3 * s[0]) / 8;
    out[5] = (63 * s[5] - 70 * s[3] + 15 * s[1]) / 8;
    out[6] = (231 * s[6] - 315 * s[4] + 105 * s[2] - 5 * s[0]) / 16;
    out[7] = (429 * s[7] - 693 * s[5] + 315 * s[3] - 35 * s[1]) / 16;
}

// Whether some of the points of a leaf pile up within it: by the projection of their density on a point and the
// polynomials of degrees 3 to 7, of which a smooth density has next to nothing.
bool piles_up(const Leaf& leaf, double weight_of_one) {
    static const Legendre table;
    double sums[ORDERS];
    legendre_sums(leaf.moments, sums);
    const double all = sums[0];
    double most = 0.0;  // no projection is larger than this (Cauchy and Schwarz)
    for (int q = FIRST; q < ORDERS; ++q) most += (2 * q + 1) * sums[q] * sums[q];
    if (most <= CLEAR * CLEAR * all * weight_of_one) return false;
    for (int i = 0; i < GRID; ++i) {
        double excess = 0.0;
        for (int q = FIRST; q < ORDERS; ++q) excess += (2 * q + 1) * table.p[i][q] * sums[q];
        const double error = std::sqrt(all * weight_of_one * table.norm[i]);
        if (excess > CLEAR * error && excess > SHARE * all * table.norm[i]) return true;
    }
    return false;
}

double width_of(const Leaf& leaf) { return 2.0 * leaf.cell.half(); }

double density_of(const Leaf& leaf) { return leaf.moments.sums[0] / width_of(leaf); }

double median_density(std::vector<Leaf>::const_iterator begin, std::vector<Leaf>::const_iterator end) {
    std::vector<std::pair<double, double>> found;
    double half = 0.0;
    for (auto leaf = begin; leaf != end; ++leaf) {
        found.emplace_back(density_of(*leaf), width_of(*leaf));
        half += leaf->cell.half();
    }
    std::sort(found.begin(), found.end());
    for (const auto& [density, width] : found) {
        if ((half -= width) <= 0.0) return density;
    }
    return found.back().first;
}

// The density around each leaf, whatever narrow groups there are: that of blocks, or of those on either side.
std::vector<double> surroundings(const std::vector<Leaf>& leaves, double all) {
    std::vector<double> blocks, out;
    std::vector<std::size_t> block_of;
    double inside = 0.0;
    for (std::size_t i = 0, begin = 0; i < leaves.size(); ++i) {
        block_of.push_back(blocks.size());
        inside += leaves[i].moments.sums[0];
        if (inside < BLOCK * all && i + 1 < leaves.size()) continue;
        blocks.push_back(median_density(leaves.begin() + begin, leaves.begin() + i + 1));
        begin = i + 1;
        inside = 0.0;
    }
    for (std::size_t block : block_of) {
        const double own = blocks[block], next = block + 1 < blocks.size() ? blocks[block + 1] : blocks[block - (block > 0)];
        const double last = block > 0 ? blocks[block - 1] : next;
        out.push_back(std::max(std::min(own, last), std::min(std::max(own, last), next)));
    }
    return out;
}

double std_of(const Sketch& sketch) {
    const Ordered nodes = sketch.nodes(0.0, 1.0);
    return moments(nodes.values.data(), nodes.counts.data(), static_cast<std::int64_t>(nodes.values.size())).std;
}

// Whether the density changes so much from leaf to leaf that it is not smooth within them either: in tails, at edges.
bool is_steep(const std::vector<Leaf>& leaves, std::size_t i) {
    if (i < ASIDE || i + ASIDE >= leaves.size()) return true;
    const double a = density_of(leaves[i - ASIDE]), b = density_of(leaves[i + ASIDE]);
    return std::max(a, b) > STEEP * std::min(a, b);
}

// Leaves from `begin` to before `end`, each denser than all around.
struct Pile {
    const std::vector<Leaf>& leaves;
    const std::vector<double>& around;
    std::size_t begin, end;

    double density(std::size_t first, std::size_t last) const {
        double weight = 0.0, width = 0.0;
        for (std::size_t i = first; i < last; ++i) {
            weight += leaves[i].moments.sums[0];
            width += width_of(leaves[i]);
        }
        return weight > 0.0 ? weight / width : 0.0;
    }

    // Whether they are denser than those beside them, too, beyond chance, and do not pile up against an end of the data.
    bool stands_out(double weight_of_one) const {
        const double own = density(begin, end), left = density(begin - std::min(begin, BESIDE), begin);
        const double beside = std::max(left, density(end, std::min(end + BESIDE, leaves.size())));
        double width = 0.0;
        std::size_t peak = begin;
        for (std::size_t i = begin; i < end; ++i) {
            width += width_of(leaves[i]);
            if (density_of(leaves[i]) > density_of(leaves[peak])) peak = i;
        }
        const bool inside = peak > 0 && peak + 1 < leaves.size();
        return inside && own > CLIFF * beside && (own - beside) * width > CLEAR * std::sqrt(own * width * weight_of_one);
    }

    // Of what they hold more than all around.
    double std() const {
        std::vector<double> upto{0.0};
        for (std::size_t i = begin; i < end; ++i) upto.push_back(upto.back() + leaves[i].moments.sums[0] - around[i] * width_of(leaves[i]));
        const auto quartile = [&](double part) {
            return leaves[begin + (std::lower_bound(upto.begin() + 1, upto.end() - 1, part * upto.back()) - upto.begin()) - 1].cell.right();
        };
        return (quartile(0.75) - quartile(0.25)) / 1.349;
    }
};

}  // namespace

std::vector<Cell> piled_cells(const Sketch& sketch) {
    const std::vector<Leaf>& leaves = sketch.leaves();
    const double weight_of_one = sketch.n() / static_cast<double>(sketch.size());
    const std::size_t enough = 2 * static_cast<std::size_t>(std::sqrt(NODES * double(leaves.size())) / NODES);
    const std::vector<double> around = surroundings(leaves, sketch.n());
    std::vector<Cell> out;
    std::size_t groups = 0;
    double slim = -1.0;
    for (std::size_t i = 0, end; i < leaves.size(); i = end) {
        for (end = i; end < leaves.size() && density_of(leaves[end]) >= PILED * around[end];) ++end;
        const Pile pile{leaves, around, i, end};
        bool crowded = end > i && end - i < enough && pile.stands_out(weight_of_one);
        if (crowded && slim < 0.0) slim = SLIM * std_of(sketch);
        crowded = crowded && pile.std() < slim;
        end = std::max(end, i + 1);
        const std::size_t before = out.size();
        for (std::size_t j = i; j < end; ++j) {
            if (crowded || (!is_steep(leaves, j) && piles_up(leaves[j], weight_of_one))) out.push_back(leaves[j].cell);
        }
        if (out.size() > before && ++groups > MOST_GROUPS) return {};
    }
    return out;
}

}  // namespace gmm1d

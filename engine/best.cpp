#include "best.hpp"

#include <algorithm>
#include <cmath>

#include "crowds.hpp"

namespace gmm1d {
namespace {

constexpr double LEAST_COUNT = 2.0;  // values that a component of a maximum holds ...
constexpr std::int64_t MOST_STEPS = 300;  // of a climb to a maximum that is near; in nearly all cases seen 82 were enough
constexpr double NEAR = 1.0;         // ... whose log std is so near to that of the optimum of S; both within ...
constexpr double ROOM = 1e-6;        // ... so much, so that rounding decides nothing
constexpr double HALF = 0.5;         // of the gap between a tied value and its neighbour: the std of a component on it
constexpr std::int64_t FEW_NODES = 8;  // under a component: too few to tell what the likelihood makes of it
constexpr double FEW_TIED = 6.0, MUCH = 0.01;  // values, and their share of all
constexpr int FREE = 3;              // components, and values, up to which a search for what is fixed looks at the free optima of as many
constexpr std::int64_t FEW = 500;

// To as many bits as values seen alike have.
Parameters rounded(Parameters at) {
    constexpr double GRID = 0x1p40;
    for (int j = 0; j < at.k(); ++j) {
        if (std::abs(at.means[j]) < 0x1p11) at.means[j] = std::nearbyint(at.means[j] * GRID) / GRID + 0.0;
        int exponent;
        const double mantissa = std::frexp(at.stds[j], &exponent);
        at.stds[j] = std::ldexp(std::nearbyint(mantissa * GRID) / GRID, exponent);
    }
    return at;
}

// The components that the likelihood alone does not hold where S has its optimum: they hold too little, or are carried off.
std::vector<int> carried_off(const Climb& climb, const Parameters& from, double n, const Constraints& which) {
    std::vector<int> out;
    const Parameters& at = climb.end.at;
    for (int j = 0; j < at.k(); ++j) {
        const bool faint = at.weights[j] * n < LEAST_COUNT * (1.0 - ROOM) && !is_fixed(which.weights, j);
        const bool made_faint = is_fixed(which.weights, j) && at.weights[j] * n < LEAST_COUNT;
        const bool gone = !made_faint && !is_fixed(which.stds, j) && std::abs(std::log(at.stds[j] / from.stds[j])) > NEAR * (1.0 + ROOM);
        if (faint || gone || climb.collapsed == j) out.push_back(j);
    }
    return out;
}

// Whether a component fell onto more tied values than a sample too small for k has by the way. Where nodes stand for many
// values, only one that holds much of all is surely a tie.
bool tied(const Level& level, const Nodes& nodes) {
    const Distinct all{nodes.values.data(), nodes.weights.data(), nodes.size()};
    const double enough = nodes.compressed ? std::max(FEW_TIED, MUCH * nodes.n) : FEW_TIED;
    for (const Parameters& at : level.collapsed) {
        const auto narrowest = std::min_element(at.stds.begin(), at.stds.end()) - at.stds.begin();
        if (nodes.weights[all.nearest(at.means[narrowest])] >= enough) return true;
    }
    return false;
}

bool maximum(const Climb& climb) {
    const Certificate& c = climb.certificate;
    return climb.certified && c.gradient_norm < GRADIENT && c.newton_decrement < DECREMENT && c.smallest_eigenvalue > CURVATURE;
}

// Whether the climb ended where its rules wanted to end: at a maximum, or as soon as the caller's tolerance or patience did.
// Where weights are fixed, the likelihood may be flat in what is left.
bool arrived(const Climb& climb, const Rules& rules, const Constraints& which) {
    if (rules.tol >= 0.0 && climb.stop == Stop::TOLERANCE) return true;
    if (rules.max_iter < Rules{}.max_iter && climb.stop == Stop::MAX_ITER) return true;
    return which.weights.empty() ? maximum(climb) : climb.certified && climb.certificate.gradient_norm < GRADIENT;
}

Rules with_leash(Rules rules) {
    rules.leash = NEAR * (1.0 + ROOM);
    rules.em_steps = 0;
    return rules;
}

// Of a component on tied values; where all share one std, of the closest values.
double half_gap(const Nodes& nodes, double mean, bool equal_stds) {
    const Distinct all{nodes.values.data(), nodes.weights.data(), nodes.size()};
    if (!equal_stds) return HALF * all.gap(all.nearest(mean));
    double least = all.gap(0);
    for (std::int64_t i = 1; i < all.size; ++i) least = std::min(least, all.gap(i));
    return HALF * least;
}

}  // namespace

Finder::Finder(std::vector<double> values, std::vector<double> weights, bool equal_stds, bool compressed, int threads, const Kernel& kernel,
               Poll poll)
    : seen_(canonical(values, weights, compressed)), nodes_(std::move(values), std::move(weights), std::abs(seen_.scale) * seen_.nodes.std),
      crowds_(crowds(seen_.nodes)), equal_stds_(equal_stds), threads_(threads), kernel_(kernel), poll_(poll),
      search_(seen_.nodes, crowds_, kernel, poll, equal_stds, threads) {}

bool Finder::look(int k) {
    if (static_cast<int>(path_.size()) >= k || search_.run(k, path_)) return true;
    path_.pop_back();  // unfinished
    return false;
}

Climb Finder::climbed(const Nodes& nodes, const Parameters& from, const Penalty& penalty, const Constraints& which, const Rules& rules) {
    if (poll_ && poll_()) return {};
    Accumulator data = nodes.accumulator(from.k(), threads_, kernel_, poll_);
    Model model(data, from.k(), penalty, which);
    return climb(model, from, rules);
}

Choice Finder::best(int k, const Rules& rules, const std::vector<Parameters>& starts) {
    if (!look(k)) return {};
    Level level = path_[k - 1];
    if (k > 1 && !search_.improve(k, path_[k - 2], level)) return {};
    std::vector<Parameters> more;
    for (const Parameters& start : starts) more.push_back(seen_.seen(start));
    if (!search_.add(more, level)) return {};
    return chosen(level, {{equal_stds_, {}, {}, {}}, {equal_stds_, {}, {}, {}}, [&](const Parameters& at) { return seen_.raised(at); }, seen_.scale < 0.0}, rules);
}

// The best optimum of S, climbed on the likelihood alone: if that ends near, the maximum where it ends, else the optimum.
// Both are found on few nodes; the last steps are taken on all of them.
Choice Finder::chosen(const Level& level, const Aim& aim, const Rules& rules) {
    if (!level.best() || (level.found.empty() && tied(level, seen_.nodes))) return on_ties(level, aim, rules);
    const Optimum& best = *level.best();
    const Parameters from = aim.raised(best.at);
    const bool bounded = aim.which.equal_stds || from.k() == 1;
    Choice choice{{}, Reason::NONE, {}, best.objective};
    const Nodes& fine = search_.fine(from.k());
    const std::vector<int> twins = copies(best.at);
    Parameters begin = from;
    bool open = true;  // whether all values must tell if there is a maximum
    if (fine.compressed) {
        Rules soon;
        if (!bounded) soon.max_iter = MOST_STEPS;
        const Climb near = climbed(fine, best.at, {}, aim.seen, with_leash(soon));
        if (near.stop == Stop::INTERRUPTED) return choice;
        choice.held = carried_off(near, best.at, fine.n, aim.seen);
        const bool is_near = choice.held.empty() && maximum(near);
        const bool few = std::any_of(choice.held.begin(), choice.held.end(), [&](int j) {
            const auto [first, last] = fine.within(best.at.means[j], 2.0 * best.at.stds[j]);
            return last - first < FEW_NODES;
        });
        if (bounded || is_near) begin = aim.raised(near.end.at);
        const bool ended = near.stop != Stop::MAX_ITER;
        open = bounded || is_near || (twins.empty() && (few || (choice.held.empty() && ended)));
    }
    choice.held = aim.in_order(std::move(choice.held), from.k());
    if (open) {
        choice.climb = climbed(nodes_, begin, {}, aim.which, bounded ? rules : with_leash(rules));
        if (choice.climb.stop == Stop::INTERRUPTED || (bounded && choice.climb.stop != Stop::COLLAPSED)) return choice;
        if (bounded) return on_ties(level, aim, rules);
        const std::vector<int> off = carried_off(choice.climb, from, nodes_.n, aim.which);
        if (off.empty() && arrived(choice.climb, rules, aim.which)) {
            choice.held.clear();
            return choice;
        }
        if (!fine.compressed) choice.held = off;
    }
    if (!twins.empty()) choice.held = aim.in_order(beside(twins, best.at, fine, aim.seen), from.k());
    choice.climb = climbed(nodes_, from, nodes_.penalty(false), aim.which, rules);
    choice.reason = Reason::SUPPORT;
    if (choice.climb.stop != Stop::COLLAPSED) return choice;
    Level others = level;  // what looked like an optimum on few nodes falls onto ties: it is none
    others.collapsed.push_back(best.at);
    if (others.found.empty()) others.spread.erase(others.spread.begin());
    else others.found.erase(others.found.begin());
    return chosen(others, aim, rules);
}

// Copies, and what the likelihood does not hold beside them: where each stands once, lest rounding decide which of them goes.
std::vector<int> Finder::beside(const std::vector<int>& twins, const Parameters& at, const Nodes& fine, Constraints which) {
    std::vector<int> held = twins, once;
    for (int j = 0; j < at.k(); ++j) {
        if (std::find(twins.begin(), twins.end(), j) == twins.end()) once.push_back(j);
    }
    for (auto j = twins.rbegin(); j != twins.rend(); ++j) {
        for (auto* row : {&which.weights, &which.means, &which.stds}) {
            if (!row->empty()) row->erase(row->begin() + *j);
        }
    }
    Rules soon;
    soon.max_iter = MOST_STEPS;
    const Parameters from = gathered(at, twins);
    for (int i : carried_off(climbed(fine, from, {}, which, with_leash(soon)), from, fine.n, which)) held.push_back(once[i]);
    return held;
}

// Nothing finite was found: the components that fell onto tied values are held, and S is climbed in the others.
Choice Finder::on_ties(const Level& level, const Aim& aim, const Rules& rules) {
    const bool equal = aim.which.equal_stds;
    Choice best;
    best.climb.stop = Stop::MAX_ITER;
    Constraints held_ones;
    std::vector<Parameters> starts = level.collapsed;
    for (const Optimum& each : level.found) starts.push_back(each.at);
    for (Parameters at : starts) {
        Constraints which = aim.which;
        which.equal_stds = false;
        if (which.stds.empty()) which.stds.assign(at.k(), false);
        Choice here;
        for (int round = 0; round <= at.k(); ++round) {
            here.climb = climbed(seen_.nodes, at, seen_.nodes.penalty(false), which, Rules{});
            if (here.climb.stop == Stop::INTERRUPTED) return {};
            if (here.climb.stop != Stop::COLLAPSED && !(equal && round == 0)) break;
            at = here.climb.end.at;
            for (int j = 0; j < at.k(); ++j) {
                if (which.stds[j] || !(equal || j == here.climb.collapsed)) continue;
                at.stds[j] = half_gap(seen_.nodes, at.means[j], equal);
                which.stds[j] = true;
                here.held.push_back(j);
            }
        }
        if (here.climb.stop == Stop::COLLAPSED || !std::isfinite(here.climb.end.objective)) continue;
        here.objective = here.climb.end.objective;
        for (int j : here.held) here.objective += seen_.nodes.penalty(false).c * std::log(here.climb.end.at.stds[j]);
        if (!best.climb.steps.empty() && here.objective <= best.objective) continue;
        best = std::move(here);
        held_ones = std::move(which);
    }
    if (best.climb.steps.empty()) return best;
    const Parameters from = aim.raised(best.climb.end.at);
    best.held = aim.in_order(std::move(best.held), from.k());
    if (aim.turned) std::reverse(held_ones.stds.begin(), held_ones.stds.end());
    best.climb = climbed(nodes_, from, nodes_.penalty(false), held_ones, rules);
    best.reason = best.held.empty() ? Reason::SUPPORT : Reason::TIES;
    return best;
}

Choice Finder::best_fixed(const Fixed& fixed, const Rules& rules, const std::vector<Parameters>& starts) {
    const int k = fixed.values.k();
    const Fixed seen{fixed.which, rounded(seen_.seen(fixed.values))};
    if (!fixed_ || !fixed_->is_for(seen)) {
        fixed_ = std::make_unique<FixedSearch>(seen_.nodes, seen, kernel_, poll_);
        const bool as_many = k <= FREE || seen_.nodes.size() <= FEW;
        const std::vector<Optimum> nothing;
        if (!look(as_many ? k : k - 1) || !fixed_->run(as_many ? path_[k - 1].found : nothing, k > 1 ? path_[k - 2].found : nothing)) {
            fixed_.reset();
            return {};
        }
    }
    for (const Parameters& start : starts) {
        if (!fixed_->add(seen_.seen(start))) return {};
    }
    const auto unfolded = [&](const Parameters& found) {
        Parameters out = found;
        for (int j = 0; j < k; ++j) {
            out.means[j] = is_fixed(fixed.which.means, j) ? fixed.values.means[j] : seen_.centre + seen_.scale * out.means[j];
            out.stds[j] = is_fixed(fixed.which.stds, j) ? fixed.values.stds[j] : std::abs(seen_.scale) * out.stds[j];
        }
        return out;
    };
    return chosen(fixed_->level(), {fixed.which, fixed.which, unfolded}, rules);
}

}  // namespace gmm1d

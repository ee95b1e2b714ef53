#include "best.hpp"

#include <algorithm>
#include <cmath>

namespace gmm1d {
namespace {

constexpr std::size_t SURVIVORS = 6, PENALISED = 4;
constexpr double COARSE = 2.0;  // by so much a search on few nodes may misjudge a log-likelihood
constexpr int FREE = 3;         // components, and values, up to which a search for what is fixed looks at the free optima of as many
constexpr std::int64_t FEW = 500;

bool arrived(const Climb& climb) { return climb.stop == Stop::STATIONARY || climb.stop == Stop::TOLERANCE; }

bool better(const Climb& a, const Climb& b) {
    if (b.steps.empty()) return true;
    return arrived(a) != arrived(b) ? arrived(a) : a.end.objective > b.end.objective;
}

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

bool stationary(const Climb& climb) {
    return climb.certified && climb.certificate.gradient_norm < GRADIENT && climb.certificate.newton_decrement < DECREMENT;
}

// To an optimum that is certain, in no more steps.
Rules newton(const Rules& rules) {
    Rules out;
    out.max_iter = std::min(out.max_iter, rules.max_iter);
    out.em_steps = rules.em_steps;
    return out;
}

// Whether nothing was found, and nobody interrupted.
bool none(const Climb& climb) { return climb.steps.empty() && climb.stop != Stop::INTERRUPTED; }

bool any(const Climb&) { return true; }

void add(const Climb& climb, std::vector<Optimum>& list) { insert({climb.end.at, climb.end.objective, false}, list); }

}  // namespace

Finder::Finder(std::vector<double> values, std::vector<double> weights, bool equal_stds, int threads, const Kernel& kernel, Poll poll)
    : seen_(canonical(values, weights)), nodes_(std::move(values), std::move(weights), std::abs(seen_.scale) * seen_.nodes.std),
      equal_stds_(equal_stds), threads_(threads), kernel_(kernel), poll_(poll), search_(seen_.nodes, kernel, poll, equal_stds, threads) {}

bool Finder::look(int k) {
    if (static_cast<int>(levels_.size()) >= k || search_.run(k, levels_)) return true;
    levels_.pop_back();  // unfinished
    return false;
}

Climb Finder::polished(const Nodes& nodes, const Parameters& from, const Penalty& penalty, const Constraints& which, const Rules& rules) {
    if (poll_ && poll_()) return {};
    Accumulator data = nodes.accumulator(from.k(), threads_, kernel_, poll_);
    Model model(data, from.k(), penalty, which);
    Climb found = climb(model, from, rules);
    double sum = found.end.objective;
    for (const auto* row : {&found.end.at.weights, &found.end.at.means, &found.end.at.stds}) {
        for (double x : *row) sum += x;
    }
    if (found.stop != Stop::INTERRUPTED && !std::isfinite(sum)) found.stop = Stop::COLLAPSED;
    return found;
}

// Polishes the best, in units of the values, as long as they may rise above those before; without a step if none is acceptable.
Climb Finder::best_of(const std::vector<Optimum>& list, double slack, const Aim& aim, const Rules& rules) {
    const double jacobian = nodes_.n * std::log(std::abs(seen_.scale));
    Climb best;
    best.stop = Stop::MAX_ITER;
    std::size_t survivors = 0;
    for (std::size_t i = 0; i < list.size() && survivors < SURVIVORS; ++i) {
        if (survivors > 0 && (aim.settled || list[i].objective - jacobian + slack < best.end.objective)) break;
        const Penalty penalty{aim.penalty.a, aim.penalty.v0 * seen_.scale * seen_.scale};
        Rules how = rules;
        if (aim.settled) how.max_iter = 0;
        Climb climb = polished(nodes_, aim.raised(list[i].at), penalty, aim.which, how);
        if (climb.stop == Stop::INTERRUPTED) return climb;
        if (aim.settled && rules.tol < 0.0 && stationary(climb)) climb.stop = Stop::STATIONARY;
        else if (aim.settled && (rules.tol >= 0.0 || rules.max_iter >= Rules{}.max_iter)) {  // fewer have been taken already
            climb = polished(nodes_, aim.raised(list[i].at), penalty, aim.which, rules);
        }
        if (climb.stop == Stop::INTERRUPTED) return climb;
        if (climb.stop == Stop::COLLAPSED || !aim.acceptable(climb)) continue;
        if (better(climb, best)) best = std::move(climb);
        ++survivors;
    }
    return best;
}

Choice Finder::best(int k, const Rules& rules, const std::vector<Parameters>& starts) {
    if (!look(k)) return {};
    Level more;
    if (!starts.empty()) more = levels_[k - 1];
    for (const Parameters& start : starts) {
        if (!search_.add(seen_.seen(start), more)) return {};
    }
    const Level& level = starts.empty() ? levels_[k - 1] : more;
    const Aim aim{{equal_stds_, {}, {}, {}}, {}, [&](const Parameters& at) { return seen_.raised(at); },
                  [&](const Climb& climb) { return k == 1 || (sound(nodes_, climb.end.at) && adds(climb, k)); }};
    Climb climb = best_of(level.found, level.slack, aim, rules);
    if (!none(climb)) return {std::move(climb), false, {}};
    return penalised(level, k, rules);
}

// Whether it is more than k - 1 components of which one is there twice: flat, and no better. Where the likelihood is
// bounded, there may be nothing else.
bool Finder::adds(const Climb& climb, int k) const {
    if (equal_stds_ || climb.certificate.smallest_eigenvalue > CURVATURE || levels_[k - 2].found.empty()) return true;
    const double fewer = levels_[k - 2].found[0].objective - nodes_.n * std::log(std::abs(seen_.scale));
    return climb.end.objective > fewer + levels_[k - 2].slack;
}

// The likelihood is unbounded wherever the search led: the weakly penalised one is not, and may lead to sound optima.
Choice Finder::penalised(const Level& level, int k, const Rules& rules) {
    const Rules certain = newton(rules);
    const Constraints which{equal_stds_, {}, {}, {}};
    const Penalty penalty = weak_penalty(seen_.nodes);
    const auto raised = [&](const Parameters& at) { return seen_.raised(at); };
    Choice choice{{}, true, {}};
    std::vector<Parameters> starts{quantile_start(seen_.nodes, k)};
    for (const auto* list : {&level.found, &level.spikes}) {
        for (std::size_t i = 0; i < std::min(PENALISED, list->size()); ++i) {
            starts.push_back((*list)[i].at);
            choice.spikes.push_back(raised((*list)[i].at));
        }
    }
    std::vector<Optimum> sound_ones, bounded, tamed;
    for (Parameters& start : starts) {
        for (double& std : start.stds) std = std::max(std, 1e-6 * seen_.nodes.std);
        const Climb climb = polished(seen_.nodes, start, penalty, which, certain);
        if (climb.stop == Stop::INTERRUPTED) return {};
        const Climb free = polished(seen_.nodes, climb.end.at, {}, which, certain);
        if (free.stop == Stop::INTERRUPTED) return {};
        if (climb.stop != Stop::COLLAPSED) add(climb, tamed);
        if (free.stop == Stop::COLLAPSED) continue;
        if (sound(seen_.nodes, free.end.at)) add(free, sound_ones);
        if (equal_stds_) add(free, bounded);  // then no likelihood is unbounded
    }
    const auto is_sound = [&](const Climb& climb) { return sound(nodes_, climb.end.at); };
    choice.climb = best_of(sound_ones, 0.0, {which, {}, raised, is_sound, true}, rules);
    if (none(choice.climb)) choice.climb = best_of(bounded, 0.0, {which, {}, raised, any, true}, rules);
    if (!none(choice.climb)) return {std::move(choice.climb), false, {}};
    choice.climb = best_of(tamed, 0.0, {which, penalty, raised, any, true}, rules);
    return choice;
}

Choice Finder::best_fixed(const Fixed& fixed, const Rules& rules, const std::vector<Parameters>& starts) {
    const int k = fixed.values.k();
    const Fixed seen{fixed.which, rounded(seen_.seen(fixed.values))};
    if (!fixed_ || !fixed_->is_for(seen)) {
        fixed_ = std::make_unique<FixedSearch>(seen_.nodes, seen, kernel_, poll_);
        const bool as_many = k <= FREE || seen_.nodes.size() <= FEW;
        const std::vector<Optimum> nothing;
        if (!look(as_many ? k : k - 1) || !fixed_->run(as_many ? levels_[k - 1].found : nothing, k > 1 ? levels_[k - 2].found : nothing)) {
            fixed_.reset();
            return {};
        }
    }
    for (const Parameters& start : starts) {
        if (!fixed_->add(seen_.seen(start))) return {};
    }
    const auto unfolded = [&](Parameters out) {
        for (int j = 0; j < k; ++j) {
            out.means[j] = is_fixed(fixed.which.means, j) ? fixed.values.means[j] : seen_.centre + seen_.scale * out.means[j];
            out.stds[j] = is_fixed(fixed.which.stds, j) ? fixed.values.stds[j] : std::abs(seen_.scale) * out.stds[j];
        }
        return out;
    };
    const auto raised = [&](const Parameters& at) { return unfolded(fixed_->in_callers_order(at)); };
    const Aim aim{fixed.which, {}, raised, [&](const Climb& climb) { return sound(nodes_, climb.end.at, fixed.which); }};
    Climb climb = best_of(fixed_->found, COARSE, aim, rules);
    if (!none(climb)) return {std::move(climb), false, {}};
    if (fixed_->tamed.empty() && !fixed_->tame()) return {};
    climb = best_of(fixed_->found, COARSE, aim, rules);
    if (none(climb) && fixed.which.equal_stds) climb = best_of(fixed_->spikes, COARSE, {fixed.which, {}, raised, any}, rules);
    if (!none(climb)) return {std::move(climb), false, {}};
    const Penalty penalty = weak_penalty(seen_.nodes);
    std::vector<Optimum> tamed;
    for (std::size_t i = 0; i < std::min(PENALISED, fixed_->tamed.size()); ++i) {
        const Parameters at = fixed_->in_callers_order(fixed_->tamed[i].at);
        climb = polished(seen_.nodes, at, penalty, fixed.which, newton(rules));
        if (climb.stop == Stop::INTERRUPTED) return {};
        add(climb, tamed);
    }
    Choice choice{best_of(tamed, 0.0, {fixed.which, penalty, unfolded, any, true}, rules), true, {}};
    for (const Optimum& spike : fixed_->spikes) choice.spikes.push_back(raised(spike.at));
    return choice;
}

}  // namespace gmm1d

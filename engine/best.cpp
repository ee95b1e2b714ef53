#include "best.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gmm1d {
namespace {

constexpr std::size_t SURVIVORS = 6, PENALISED = 4, FIXED = 8;
constexpr std::size_t PLACES = 4;  // for a component of fixed standard deviation
constexpr int ORDERS = 3;      // ways in which components of an optimum may become those of which something is fixed
constexpr int PERMUTED = 6;    // so many components at most are tried in every order

bool arrived(const Climb& climb) { return climb.stop == Stop::STATIONARY || climb.stop == Stop::TOLERANCE; }

bool better(const Climb& a, const Climb& b) {
    if (b.steps.empty()) return true;
    return arrived(a) != arrived(b) ? arrived(a) : a.end.objective > b.end.objective;
}

// Weak, but no more than n (of a sample of little weight), and enough to keep spikes 1e-12 wide.
Penalty weak_penalty(const Nodes& nodes) {
    const double robust = nodes.robust_std();
    return {std::max(std::min(1.0 / nodes.n, nodes.n), 1e-24 * nodes.n), robust * robust};
}

double square(double x) { return x * x; }

bool is_fixed(const std::vector<bool>& which, int j) { return !which.empty() && which[j]; }

// How far component i of an optimum is from what is fixed of component j.
double distance(const Parameters& at, int i, const Fixed& fixed, int j) {
    double far = 0.0;
    if (is_fixed(fixed.which.means, j)) far += square((at.means[i] - fixed.values.means[j]) / at.stds[i]);
    if (is_fixed(fixed.which.stds, j)) far += square(std::log(at.stds[i] / fixed.values.stds[j]));
    if (is_fixed(fixed.which.weights, j)) far += square(std::log(at.weights[i] / std::max(fixed.values.weights[j], 1e-300)));
    return far;
}

// The components in such orders that they are closest to what is fixed.
std::vector<std::vector<int>> orders(const Parameters& at, const Fixed& fixed) {
    const int k = at.k();
    std::vector<int> order(k);
    std::iota(order.begin(), order.end(), 0);
    if (k > PERMUTED) {  // one after the other, the closest
        for (int j = 0; j < k; ++j) {
            std::iter_swap(order.begin() + j, std::min_element(order.begin() + j, order.end(), [&](int a, int b) {
                               return distance(at, a, fixed, j) < distance(at, b, fixed, j);
                           }));
        }
        return {order};
    }
    std::vector<std::pair<double, std::vector<int>>> all;
    do {
        double far = 0.0;
        for (int j = 0; j < k; ++j) far += distance(at, order[j], fixed, j);
        all.emplace_back(far, order);
    } while (std::next_permutation(order.begin(), order.end()));
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::vector<int>> out;
    for (int i = 0; i < std::min<int>(ORDERS, all.size()); ++i) out.push_back(all[i].second);
    return out;
}

// The optimum in this order, with what is fixed put in its place.
Parameters fitted_in(const Parameters& at, const std::vector<int>& order, const Fixed& fixed) {
    const int k = at.k();
    Parameters out = at;
    double held = 0.0, free = 0.0;
    for (int j = 0; j < k; ++j) {
        out.weights[j] = is_fixed(fixed.which.weights, j) ? fixed.values.weights[j] : at.weights[order[j]];
        out.means[j] = is_fixed(fixed.which.means, j) ? fixed.values.means[j] : at.means[order[j]];
        out.stds[j] = is_fixed(fixed.which.stds, j) ? fixed.values.stds[j] : at.stds[order[j]];
        (is_fixed(fixed.which.weights, j) ? held : free) += out.weights[j];
    }
    for (int j = 0; j < k; ++j) {
        if (!is_fixed(fixed.which.weights, j)) out.weights[j] *= (1.0 - held) / free;
    }
    return out;
}

// Where most values lie within so many stds of a component of a fixed one: the places, apart from each other, with their shares.
std::vector<std::pair<double, double>> crowded(const Nodes& nodes, double std) {
    std::vector<std::pair<double, double>> places;  // share, mean
    std::int64_t last = 0;
    double inside = 0.0;
    for (std::int64_t first = 0; first < nodes.size(); ++first) {
        for (; last < nodes.size() && nodes.values[last] <= nodes.values[first] + 4.0 * std; ++last) inside += nodes.weights[last];
        places.emplace_back(inside / nodes.n, 0.5 * (nodes.values[first] + nodes.values[last - 1]));
        inside -= nodes.weights[first];
    }
    std::stable_sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::pair<double, double>> kept;
    for (const auto& place : places) {
        const bool apart = std::all_of(kept.begin(), kept.end(), [&](const auto& other) { return std::abs(place.second - other.second) > 4.0 * std; });
        if (apart) kept.push_back(place);
        if (kept.size() == PLACES) break;
    }
    return kept;
}

// A component of fixed standard deviation may be as narrow as it was made.
bool sound_where_free(const Nodes& nodes, const Parameters& at, const Constraints& which) {
    for (int j = 0; j < at.k(); ++j) {
        if (is_fixed(which.stds, j)) continue;
        if (judge(nodes, at.weights[j], at.means[j], at.stds[j]) > Verdict::DENSE) return false;
    }
    return true;
}

}  // namespace

Finder::Finder(Nodes nodes, bool equal_stds, int threads, const Kernel& kernel, Poll poll)
    : nodes_(std::move(nodes)), seen_(canonical(nodes_)), equal_stds_(equal_stds), threads_(threads), kernel_(kernel), poll_(poll),
      search_(seen_.nodes, kernel, poll, equal_stds, threads) {}

bool Finder::look(int k, const std::vector<Parameters>& starts, Level& level) {
    if (static_cast<int>(levels_.size()) < k && !search_.run(k, levels_)) {
        levels_.pop_back();  // unfinished
        return false;
    }
    level = levels_[k - 1];
    for (const Parameters& start : starts) {
        if (!search_.add(seen_.seen(start), level)) return false;
    }
    const double jacobian = nodes_.n * std::log(std::abs(seen_.scale));
    for (auto* list : {&level.found, &level.spikes}) {
        for (Optimum& each : *list) {
            each.at = seen_.raised(std::move(each.at));
            each.objective -= jacobian;
        }
    }
    return true;
}

Climb Finder::polished(const Parameters& from, const Penalty& penalty, const Constraints& constraints, const Rules& rules) {
    Accumulator data = nodes_.accumulator(from.k(), threads_, kernel_, poll_);
    Model model(data, from.k(), penalty, constraints);
    Climb found = climb(model, from, rules);
    double sum = found.end.objective;
    for (const auto* row : {&found.end.at.weights, &found.end.at.means, &found.end.at.stds}) {
        for (double x : *row) sum += x;
    }
    if (found.stop != Stop::INTERRUPTED && !std::isfinite(sum)) found.stop = Stop::COLLAPSED;
    return found;
}

Choice Finder::best(int k, const Rules& rules, const std::vector<Parameters>& starts) {
    Level level;
    return look(k, starts, level) ? choose(level, k, rules) : Choice{};
}

Choice Finder::choose(const Level& level, int k, const Rules& rules) {
    Choice choice;
    double bar = -std::numeric_limits<double>::infinity();
    std::size_t survivors = 0;
    for (std::size_t i = 0; i < level.found.size() && survivors < SURVIVORS; ++i) {
        if (level.found[i].objective + level.slack < bar) break;
        Climb climb = polished(level.found[i].at, {}, {equal_stds_, {}, {}, {}}, rules);
        if (climb.stop == Stop::INTERRUPTED) return {std::move(climb), false, {}};
        if (climb.stop == Stop::COLLAPSED || (k > 1 && !(sound(nodes_, climb.end.at) && adds(climb, k)))) continue;
        if (better(climb, choice.climb)) choice.climb = std::move(climb);
        bar = choice.climb.end.objective;
        ++survivors;
    }
    return choice.climb.steps.empty() ? penalised(level, k, rules) : choice;
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
    Choice choice{{}, true, {}}, sound_one, bounded;
    std::vector<Parameters> starts{quantile_start(nodes_, k)};
    for (const auto* list : {&level.found, &level.spikes}) {
        for (std::size_t i = 0; i < std::min(PENALISED, list->size()); ++i) {
            starts.push_back((*list)[i].at);
            choice.spikes.push_back((*list)[i].at);
        }
    }
    for (Parameters& start : starts) {
        for (double& std : start.stds) std = std::max(std, 1e-6 * nodes_.std);
        Climb climb = polished(start, weak_penalty(nodes_), {equal_stds_, {}, {}, {}}, rules);
        if (climb.stop == Stop::INTERRUPTED) return {std::move(climb), true, {}};
        Climb free = polished(climb.end.at, {}, {equal_stds_, {}, {}, {}}, rules);
        if (free.stop == Stop::INTERRUPTED) return {std::move(free), false, {}};
        const bool fine = free.stop != Stop::COLLAPSED && sound(nodes_, free.end.at);
        if (fine && better(free, sound_one.climb)) sound_one.climb = free;
        const bool there = equal_stds_ && free.stop != Stop::COLLAPSED;  // then no likelihood is unbounded
        if (there && better(free, bounded.climb)) bounded.climb = std::move(free);
        if (better(climb, choice.climb)) choice.climb = std::move(climb);
    }
    for (Choice* other : {&sound_one, &bounded}) {
        if (!other->climb.steps.empty()) return *other;
    }
    return choice;
}

Choice Finder::best_fixed(const Fixed& fixed, const Rules& rules, const std::vector<Parameters>& starts) {
    const int k = fixed.values.k();
    Level level;
    Choice choice, spiky;
    if (!look(k, starts, level)) return choice;
    std::vector<Parameters> optima{quantile_start(nodes_, k)};
    for (const auto* list : {&level.found, &level.spikes}) {
        for (std::size_t i = 0; i < std::min(FIXED, list->size()); ++i) optima.push_back((*list)[i].at);
    }
    std::vector<Parameters> begins;
    for (const Parameters& optimum : optima) {
        for (const std::vector<int>& order : orders(optimum, fixed)) begins.push_back(fitted_in(optimum, order, fixed));
    }
    for (int j = 0; k > 1 && j < k; ++j) {  // what is fixed may be narrower than anything that a free search keeps
        if (!is_fixed(fixed.which.stds, j) || levels_[k - 2].found.empty()) continue;
        for (const auto& [share, mean] : crowded(nodes_, fixed.values.stds[j])) {
            Parameters at = seen_.raised(levels_[k - 2].found[0].at);
            at.weights.insert(at.weights.begin() + j, std::min(share, 0.9));
            at.means.insert(at.means.begin() + j, mean);
            at.stds.insert(at.stds.begin() + j, fixed.values.stds[j]);
            for (int i = 0; i < k; ++i) at.weights[i] *= i == j ? 1.0 : 1.0 - at.weights[j];
            std::vector<int> order(k);
            std::iota(order.begin(), order.end(), 0);
            begins.push_back(fitted_in(at, order, fixed));
        }
    }
    for (const Parameters& start : begins) {
        Climb climb = polished(start, {}, fixed.which, rules);
        if (climb.stop == Stop::INTERRUPTED) return {std::move(climb), false, {}};
        if (climb.stop != Stop::COLLAPSED && sound_where_free(nodes_, climb.end.at, fixed.which)) {
            if (better(climb, choice.climb)) choice.climb = std::move(climb);
            continue;
        }
        spiky.spikes.push_back(climb.end.at);
        climb = polished(start, weak_penalty(nodes_), fixed.which, rules);
        if (climb.stop == Stop::INTERRUPTED) return {std::move(climb), false, {}};
        if (better(climb, spiky.climb)) spiky.climb = std::move(climb);
    }
    if (!choice.climb.steps.empty()) return choice;
    spiky.penalised = true;
    return spiky;
}

}  // namespace gmm1d

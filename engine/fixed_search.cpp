#include "fixed_search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ordered.hpp"

namespace gmm1d {
namespace {

constexpr int GROUPS = 150, MOST_GROUPS = 2000;  // of values, in the nodes on which the search climbs
constexpr int HALVINGS = 5;       // windows of n / 2 ... n / 2^HALVINGS values are where a component may be put
constexpr int STDS = 10;          // for a component of fixed mean, each half the one before
constexpr std::size_t CROWDED = 4;  // places for one of fixed standard deviation
constexpr std::size_t OPTIMA = 4, FEWER = 3, KEPT = 4;
constexpr int AGAIN = 3, ROUNDS = 10;  // the best optimum, of which every component is moved elsewhere
constexpr double SAME = 1e-3;     // optima whose log-likelihoods differ by less are one
const Rules SHORT{Method::NEWTON, -1.0, 60, 4};
constexpr int PLACES = 4;  // broad ones, and as many narrow ones, for a component of which neither mean nor standard deviation is fixed

// Enough of them for the narrowest component, of values seen in units of their spread.
int groups(const Fixed& fixed) {
    double narrowest = 1.0;
    for (int j = 0; j < fixed.values.k(); ++j) {
        if (is_fixed(fixed.which.stds, j)) narrowest = std::min(narrowest, fixed.values.stds[j]);
    }
    return static_cast<int>(std::clamp(2.0 / narrowest, double(GROUPS), double(MOST_GROUPS)));
}

}  // namespace

FixedSearch::FixedSearch(const Nodes& full, const Fixed& fixed, const Kernel& kernel, const Poll& poll)
    : full_(full), given_(fixed), order_(by_what_is_fixed(fixed)), fixed_(reordered(fixed, order_)), coarse_(coarsened(full, groups(fixed))),
      data_(coarse_.accumulator(fixed.values.k(), 1, kernel, poll)),
      model_(data_, fixed.values.k(), coarse_.penalty(fixed.which.equal_stds || fixed.values.k() == 1), fixed_.which), windows_(windows()), places_(coarse_, kernel, false) {
    for (int j = 0; j < fixed_.values.k(); ++j) {
        crowded_.push_back(keeps(&Constraints::stds, j) ? crowded(fixed_.values.stds[j]) : std::vector<Seat>{});
    }
}

bool FixedSearch::is_for(const Fixed& fixed) const {
    const Constraints &a = fixed.which, &b = given_.which;
    return a.weights == b.weights && a.means == b.means && a.stds == b.stds && same(fixed.values, given_.values);
}

Parameters FixedSearch::in_callers_order(const Parameters& at) const {
    Parameters out = at;
    for (int j = 0; j < at.k(); ++j) {
        for (auto row : {&Parameters::weights, &Parameters::means, &Parameters::stds}) (out.*row)[order_[j]] = (at.*row)[j];
    }
    return out;
}

bool FixedSearch::run(const std::vector<Optimum>& optima, const std::vector<Optimum>& fewer) {
    if (!climb_in_orders(quantile_start(coarse_, fixed_.values.k()))) return false;
    for (std::size_t i = 0; i < std::min(OPTIMA, optima.size()); ++i) {
        if (!climb_in_orders(optima[i].at)) return false;
    }
    for (std::size_t i = 0; i < std::min(FEWER, fewer.size()); ++i) {
        if (!extend(fewer[i].at)) return false;
    }
    return improve();
}

bool FixedSearch::add(const Parameters& start) {
    Parameters at = start;
    for (int j = 0; j < at.k(); ++j) {
        for (auto row : {&Parameters::weights, &Parameters::means, &Parameters::stds}) (at.*row)[j] = (start.*row)[order_[j]];
    }
    return ascend(kept(at));
}

Level FixedSearch::level() const {
    Level out = level_;
    for (auto* list : {&out.found, &out.spread}) {
        for (Optimum& each : *list) each.at = in_callers_order(each.at);
    }
    for (Parameters& each : out.collapsed) each = in_callers_order(each);
    return out;
}

// The components in these slots, with what is fixed in its place; a slot that is left is one broad component.
Parameters FixedSearch::fitted_in(const Parameters& at, const std::vector<int>& slots, const std::vector<int>& order) const {
    const std::size_t k = fixed_.values.k();
    Parameters out{std::vector<double>(k, 1.0 / k), std::vector<double>(k, coarse_.values[coarse_.size() / 2]), std::vector<double>(k, coarse_.std)};
    for (std::size_t i = 0; i < slots.size(); ++i) {
        for (auto row : {&Parameters::weights, &Parameters::means, &Parameters::stds}) (out.*row)[slots[i]] = (at.*row)[order[i]];
    }
    return kept(out);
}

Parameters FixedSearch::kept(Parameters at) const {
    double held = 0.0, free = 0.0;
    for (int j = 0; j < at.k(); ++j) {
        if (keeps(&Constraints::weights, j)) at.weights[j] = fixed_.values.weights[j];
        if (keeps(&Constraints::means, j)) at.means[j] = fixed_.values.means[j];
        if (keeps(&Constraints::stds, j)) at.stds[j] = fixed_.values.stds[j];
        (keeps(&Constraints::weights, j) ? held : free) += at.weights[j];
    }
    for (int j = 0; j < at.k(); ++j) {
        if (!keeps(&Constraints::weights, j)) at.weights[j] *= (1.0 - held) / free;
    }
    return model_.constrained(std::move(at));
}

// Gaussians that fit n / 2, n / 4, ... values, half overlapping.
std::vector<FixedSearch::Seat> FixedSearch::windows() const {
    std::vector<double> upto{0.0};
    for (double w : coarse_.weights) upto.push_back(upto.back() + w);
    std::vector<Seat> out;
    double size = 0.5 * coarse_.n;
    for (int halved = 1; halved <= HALVINGS; ++halved, size *= 0.5) {
        for (int i = 0; 0.5 * size * i + size < coarse_.n * (1.0 + 1e-9); ++i) {
            const double from = 0.5 * size * i, to = from + size;
            const auto a = std::upper_bound(upto.begin(), upto.end(), from + 1e-9 * coarse_.n) - upto.begin() - 1;
            const auto b = std::lower_bound(upto.begin(), upto.end(), to - 1e-9 * coarse_.n) - upto.begin();
            if (b - a < 2) continue;
            const Moments m = moments(&coarse_.values[a], &coarse_.weights[a], b - a);
            out.push_back({m.mean, m.std, 0.6 * (upto[b] - upto[a]) / coarse_.n});
        }
    }
    return out;
}

// Where most values lie within so many stds of a component of a fixed one: the places, apart from each other.
std::vector<FixedSearch::Seat> FixedSearch::crowded(double std) const {
    std::vector<Seat> places, out;
    std::int64_t last = 0;
    double inside = 0.0;
    for (std::int64_t first = 0; first < full_.size(); ++first) {
        for (; last < full_.size() && full_.values[last] <= full_.values[first] + 4.0 * std; ++last) inside += full_.weights[last];
        places.push_back({0.5 * (full_.values[first] + full_.values[last - 1]), std, std::min(inside / full_.n, 0.9)});
        inside -= full_.weights[first];
    }
    std::stable_sort(places.begin(), places.end(), [](const Seat& a, const Seat& b) { return a.share > b.share; });
    for (const Seat& place : places) {
        const bool apart = std::all_of(out.begin(), out.end(), [&](const Seat& other) { return std::abs(place.mean - other.mean) > 4.0 * std; });
        if (apart) out.push_back(place);
        if (out.size() == CROWDED) break;
    }
    return out;
}

// Where component j may be put.
std::vector<FixedSearch::Seat> FixedSearch::seats(const Parameters& base, int j) {
    const bool held = keeps(&Constraints::means, j), wide = keeps(&Constraints::stds, j) || fixed_.which.equal_stds;
    const double mean = fixed_.values.means[j], std = fixed_.which.equal_stds ? base.stds[0] : fixed_.values.stds[j], share = 0.5 / base.k();
    if (held && wide) return {{mean, std, share}};
    std::vector<Seat> out;
    if (held) {
        for (int i = -1; i < STDS; ++i) out.push_back({mean, std::ldexp(coarse_.std, -i), share});
    } else if (!wide) {
        for (const Parameters& each : places_.candidates(without(base, j), PLACES, model_.penalty())) {
            out.push_back({each.means.back(), each.stds.back(), each.weights.back()});
        }
    } else {
        out = windows_;
        for (Seat& seat : out) seat.std = std;
        out.insert(out.end(), crowded_[j].begin(), crowded_[j].end());
        out.insert(out.end(), {{full_.values.front(), std, 1.0 / full_.n}, {full_.values.back(), std, 1.0 / full_.n}});
    }
    out.erase(std::remove_if(out.begin(), out.end(), [](const Seat& seat) { return !(seat.std > 0.0); }), out.end());
    return out;
}

bool FixedSearch::climb_in_orders(const Parameters& at) {
    std::vector<int> slots(at.k());
    std::iota(slots.begin(), slots.end(), 0);
    for (const std::vector<int>& order : orders(fixed_, at, slots)) {
        if (!ascend(fitted_in(at, slots, order))) return false;
    }
    return true;
}

// One more component, in every slot that differs from others.
bool FixedSearch::extend(const Parameters& fewer) {
    for (int j = 0; j <= fewer.k(); ++j) {
        if (j > 0 && alike(fixed_, j, j - 1)) continue;
        std::vector<int> slots;
        for (int i = 0; i <= fewer.k(); ++i) {
            if (i != j) slots.push_back(i);
        }
        for (const std::vector<int>& order : orders(fixed_, fewer, slots)) {
            if (!place(fitted_in(fewer, slots, order), j, AGAIN)) return false;
        }
    }
    return true;
}

// Moves every component of the best optimum elsewhere, and lets any two change roles, as long as that leads to a better one.
bool FixedSearch::improve() {
    for (int round = 0; round < ROUNDS && !level_.found.empty(); ++round) {
        const Optimum best = level_.found[0];
        const Parameters& at = best.at;
        for (int j = 0; j < at.k(); ++j) {
            if (!place(at, j, AGAIN)) return false;
            for (int i = 0; i < j; ++i) {
                if (alike(fixed_, i, j)) continue;
                Parameters swapped = at;
                for (auto row : {&Parameters::weights, &Parameters::means, &Parameters::stds}) std::swap((swapped.*row)[i], (swapped.*row)[j]);
                if (!ascend(kept(swapped))) return false;
            }
        }
        if (level_.found[0].objective < best.objective + SAME) break;
    }
    return true;
}

// Puts component j where an EM step then leads highest.
bool FixedSearch::place(const Parameters& base, int j, int count) {
    std::vector<Here> ranked;
    for (const Seat& seat : seats(base, j)) {
        Here here;
        here.at = base;
        here.at.weights[j] = seat.share;
        here.at.means[j] = seat.mean;
        here.at.stds[j] = seat.std;
        here.at = kept(here.at);
        for (int pass = 0; pass < 2; ++pass) {
            if (pass > 0) here.at = here.next;
            if (!model_.evaluate(here, Detail::EM)) return false;
        }
        if (std::isfinite(here.objective)) ranked.push_back(std::move(here));
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const Here& a, const Here& b) { return a.objective > b.objective; });
    std::vector<const Here*> differing;
    for (const Here& each : ranked) {
        const double mean = each.at.means[j], std = each.at.stds[j];
        const bool differs = std::all_of(differing.begin(), differing.end(), [&](const Here* other) {
            const double theirs = other->at.stds[j], ratio = std / theirs;
            return std::abs(mean - other->at.means[j]) >= 0.7 * std::max(std, theirs) || ratio > 1.82 || ratio < 0.55;
        });
        if (!differs) continue;
        differing.push_back(&each);
        if (!ascend(each.at)) return false;
        if (static_cast<int>(differing.size()) == count) break;
    }
    return true;
}

// Climbs, and files where it led.
bool FixedSearch::ascend(const Parameters& start) {
    Climb climb = gmm1d::climb(model_, start, SHORT);
    if (climb.stop == Stop::INTERRUPTED) return false;
    const double objective = climb.end.objective;
    if (climb.stop == Stop::COLLAPSED) {
        if (level_.collapsed.size() < KEPT) level_.collapsed.push_back(std::move(climb.end.at));
        return true;
    }
    const Parameters& at = climb.end.at;
    bool spread = false;
    for (int j = 0; j < at.k(); ++j) spread = spread || (!keeps(&Constraints::stds, j) && at.stds[j] >= SPREAD * model_.penalty().widest);
    std::vector<Optimum>& list = spread ? level_.spread : level_.found;
    const auto same = [&](const Optimum& other) { return std::abs(other.objective - objective) < SAME; };
    if (!std::isfinite(objective) || std::any_of(list.begin(), list.end(), same)) return true;
    insert({std::move(climb.end.at), objective}, list);
    if (list.size() > KEPT) list.pop_back();
    return true;
}

}  // namespace gmm1d

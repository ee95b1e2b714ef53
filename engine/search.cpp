#include "search.hpp"

#include <cmath>
#include <utility>

#include "crowds.hpp"

namespace gmm1d {
namespace {

// The path, and the improvement of its end.
constexpr std::size_t PARENTS = 3;
constexpr int CANDIDATES = 10;     // places where a component is added to the best of one less, half as many to each that follows ...
constexpr int AGAIN = 2;           // ... and to what is left of an optimum, or to what two merged components leave
constexpr int SCATTERED = 40;      // starts that spread over the data, where nothing finite was found; k of them elsewhere
constexpr int IDLE = 3;            // climbs that lead no higher beyond one for each component that can move, with more than two
constexpr int ROUNDS = 10;         // of moving every component of the best optimum elsewhere
constexpr std::size_t KEPT = 8;    // optima of one number of components

// Nodes: groups of values for each component, so many times the cube root of the number of values, on the path and later.
constexpr double FEWEST_GROUPS = 12.0, PATH = 1.5, MOST_ON_PATH = 18.0, LATER = 2.0, MOST_LATER = 40.0;
constexpr int GROUPS = 40;         // at least in all
constexpr int FINE = 60;           // for each component, in fine nodes
constexpr double COARSE = 1.0;     // by so much coarse nodes may misjudge an objective

// A climb.
constexpr int EM_STEPS = 2, MOST_STEPS = 80;
constexpr double ENOUGH = 1e-3;    // it ends where the next step promises less ...
constexpr double HOPE = 4.0;       // ... or where even so many times what that promises would not lead near the best ...
constexpr double MARGIN = 5.0;     // ... by so much below it
constexpr double ALIKE = 0.3;      // of its stds, in means and stds, and twice so much of its weights: a step that ends so near a known optimum leads to it
constexpr double SAME = 2e-3;      // optima are the same if their objectives differ by less

}  // namespace

Search::Search(const Nodes& nodes, const std::vector<Crowd>& crowds, const Kernel& kernel, Poll poll, bool equal_stds, int threads)
    : full_(nodes), crowds_(crowds), kernel_(kernel), poll_(std::move(poll)), equal_stds_(equal_stds), threads_(threads) {}

// Nodes and workspaces for k components.
void Search::prepare(int k, bool on_path) {
    const double each = std::clamp((on_path ? PATH : LATER) * std::cbrt(full_.n), FEWEST_GROUPS, on_path ? MOST_ON_PATH : MOST_LATER);
    const int groups = std::max(GROUPS, static_cast<int>(each * k));
    if (k_ == k && groups_ == groups) return;
    if (k_ != k) fine_ = std::make_unique<Nodes>(coarsened(full_, FINE * k, crowds_));
    k_ = k;
    groups_ = groups;
    coarse_ = std::make_unique<Nodes>(coarsened(*fine_, groups, crowds_));
    worker_ = std::make_unique<Worker>(Worker{coarse_->accumulator(k, 1, kernel_, poll_, LITTLE), {}});
    places_ = std::make_unique<Places>(*coarse_, kernel_, equal_stds_, crowds_);
}

const Nodes& Search::fine(int k) {
    if (k_ != k) prepare(k, true);
    return *fine_;
}

bool Search::run(int k, std::vector<Level>& path) {
    for (int each = static_cast<int>(path.size()) + 1; each <= k; ++each) {
        path.emplace_back();
        Level& here = path.back();
        if (each == 1) {
            here.found.push_back({quantile_start(full_, 1), 0.0});
            continue;
        }
        prepare(each, true);
        if (!extend(each, path[each - 2], here)) return false;
    }
    return true;
}

// A component is added to optima of one less.
bool Search::extend(int k, const Level& fewer, Level& level) {
    level.slack = slack();
    std::vector<Parameters> starts{quantile_start(*coarse_, k)};
    const auto& parents = fewer.found.empty() ? fewer.spread : fewer.found;
    for (std::size_t i = 0; i < std::min(PARENTS, parents.size()); ++i) {
        place(parents[i].at, std::min(CANDIDATES >> i, 2 * k - 1), parents[i].at, {}, starts);
    }
    if (!ascend(starts, k, level)) return false;
    if (!level.found.empty()) return true;
    starts.clear();  // ties, or few values: all climbs fell onto some
    for (const Optimum& parent : fewer.found) {
        for (int j = 0; j < k - 1; ++j) starts.push_back(doubled(parent.at, j));
    }
    for (int i = 0; i < SCATTERED; ++i) starts.push_back(scattered(*coarse_, k, i));
    return ascend(starts, static_cast<int>(starts.size()), level);
}

// With two components nothing is left to move: the path has put one of them everywhere.
bool Search::improve(int k, const Level& fewer, Level& level) {
    prepare(k, true);
    std::vector<Parameters> spread_out;
    for (int i = 0; i < k && k > 2; ++i) spread_out.push_back(scattered(*coarse_, k, i));
    if (!ascend(spread_out, k, level)) return false;
    return (k == 2 || rearrange(k, fewer, level)) && again(*fine_, threads_, level);
}

// A component of the best optimum is deleted, or two are merged, and one is added elsewhere, until nothing rises.
bool Search::rearrange(int k, const Level& fewer, Level& level) {
    const std::int64_t before = coarse_->size();
    prepare(k, false);
    if (!again(*coarse_, 1, level)) return false;
    if (level.found.empty() && coarse_->size() > before && !extend(k, fewer, level)) return false;
    for (int round = 0; round < ROUNDS && level.best(); ++round) {
        const Optimum from = *level.best();
        const bool finite = !level.found.empty();
        const std::vector<int> twins = copies(from.at);
        std::vector<int> movable;  // one of several copies is as good as another
        for (int j = 0; j < k; ++j) {
            if (std::find(twins.begin(), twins.end(), j) == twins.end()) movable.push_back(j);
        }
        std::vector<Parameters> starts;
        for (int j : movable) place(without(from.at, j), AGAIN, from.at, {j}, starts);
        for (std::size_t i = 0; i + 1 < movable.size(); ++i) {
            const int a = movable[i], b = movable[i + 1];
            place(merged(from.at, a, b), AGAIN, from.at, {a, b}, starts);
        }
        if (!ascend(starts, static_cast<int>(movable.size()), level)) return false;
        if (finite == !level.found.empty() && level.best()->objective < from.objective + SAME) break;
    }
    return true;
}

bool Search::add(const std::vector<Parameters>& starts, Level& level) {
    if (starts.empty()) return true;
    prepare(starts[0].k(), false);
    Level more;
    more.slack = slack();
    for (const Parameters& start : starts) {  // each by itself, so that none is cut short by those before
        Level one;
        one.slack = more.slack;
        if (!ascend({start}, start.k(), one)) return false;
        more.add(one);
    }
    if (!again(*fine_, threads_, more)) return false;
    level.add(more);
    return true;
}

double Search::slack() const { return coarse_->size() < fine_->size() ? COARSE : SAME; }

// The best are climbed on other nodes, where those before may have misjudged them.
bool Search::again(const Nodes& nodes, int threads, Level& level) {
    if (level.slack <= SAME || level.found.empty()) return true;
    Level exact;
    Worker worker{nodes.accumulator(level.found[0].at.k(), threads, kernel_, poll_, LITTLE), {}};
    const Penalty penalty = nodes.penalty(equal_stds_);
    for (const Optimum& each : level.found) {
        if (!exact.found.empty() && each.objective < level.found[0].objective - level.slack) break;
        Here here;
        here.at = each.at;
        const Rise how = rise(worker, penalty, here, exact);
        if (how == Rise::INTERRUPTED) return false;
        file(std::move(here), how, exact);
    }
    level.slack = &nodes == fine_.get() ? SAME : slack();
    level.found.clear();
    level.add(exact);
    return true;
}

// A component is added at the most promising places, elsewhere than those that are gone.
void Search::place(const Parameters& base, int count, const Parameters& from, const std::vector<int>& gone, std::vector<Parameters>& starts) {
    for (Parameters& each : places_->candidates(base, count, coarse_->penalty(equal_stds_), from, gone)) starts.push_back(std::move(each));
}

// Takes a few EM steps from each start, then climbs on from the highest, one after the other, as long as that leads higher.
bool Search::ascend(const std::vector<Parameters>& starts, int movable, Level& level) {
    const Penalty penalty = coarse_->penalty(equal_stds_);
    std::vector<Here> here(starts.size());
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        here[i].at = starts[i];
        const Rise how = begin(penalty, here[i]);
        if (how == Rise::INTERRUPTED) return false;
        if (how == Rise::DONE) order.push_back(i);
        else file(std::move(here[i]), how, level);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return here[a].objective > here[b].objective; });
    int idle = 0;  // climbs in a row that led no higher
    const int enough = movable + std::clamp(movable - 2, 0, IDLE);
    for (std::size_t i = 0; i < order.size() && idle < enough; ++i) {
        const double before = level.found.empty() ? -std::numeric_limits<double>::infinity() : level.found[0].objective;
        const Rise how = rise(*worker_, penalty, here[order[i]], level);
        if (how == Rise::INTERRUPTED) return false;
        file(std::move(here[order[i]]), how, level);
        const bool higher = level.found.empty() || level.found[0].objective > before + SAME;
        idle = higher ? 0 : idle + 1;
    }
    return true;
}

void Search::file(Here&& here, Rise how, Level& level) const {
    if (how == Rise::KNOWN || !std::isfinite(here.objective)) return;
    sort(here.at);
    if (how == Rise::DEAD) {
        if (level.collapsed.size() < KEPT) level.collapsed.push_back(std::move(here.at));
        return;
    }
    const double widest = SPREAD * full_.penalty(equal_stds_).widest;
    auto& list = *std::max_element(here.at.stds.begin(), here.at.stds.end()) < widest ? level.found : level.spread;
    const auto same = [&](const Optimum& other) { return std::abs(other.objective - here.objective) < 0.5 * SAME; };
    if (std::any_of(list.begin(), list.end(), same)) return;
    insert({std::move(here.at), here.objective}, list);
    if (list.size() > KEPT) list.pop_back();
}

// A few EM steps.
Search::Rise Search::begin(const Penalty& penalty, Here& here) const {
    Model model(worker_->data, here.at.k(), penalty, {equal_stds_, {}, {}, {}});
    here.at = model.constrained(here.at);
    for (int step = 0; step < EM_STEPS; ++step) {
        if (!model.evaluate(here, Detail::EM)) return Rise::INTERRUPTED;
        if (collapsed(model, here.next) >= 0) return Rise::DEAD;
        here.at = here.next;
    }
    return std::isfinite(here.objective) ? Rise::DONE : Rise::KNOWN;
}

// Newton's steps from there.
Search::Rise Search::rise(Worker& worker, const Penalty& penalty, Here& here, const Level& level) const {
    Model model(worker.data, here.at.k(), penalty, {equal_stds_, {}, {}, {}});
    if (!model.evaluate(here, Detail::INFORMATION)) return Rise::INTERRUPTED;
    TrustRegion& region = worker.region;
    region.start(here.n);
    for (int step = 0; step < MOST_STEPS; ++step) {
        region.propose(model, here, false);
        const bool concave = region.smallest_eigenvalue > 1e-9;
        if (hopeless(here, HOPE * region.promise, level)) return Rise::KNOWN;
        if (concave && known(model, here, region, level)) return Rise::KNOWN;
        if (region.promise < ENOUGH) {
            if (concave) return Rise::DONE;
            region.propose(model, here, true);  // a saddle, perhaps
            if (region.smallest_eigenvalue > -1e-9) return Rise::DONE;
        }
        switch (region.move(model, here)) {
            case TrustRegion::Move::INTERRUPTED: return Rise::INTERRUPTED;
            case TrustRegion::Move::COLLAPSED: return Rise::DEAD;
            case TrustRegion::Move::FIXED: return Rise::DONE;
            default: break;
        }
        if (region.stalls > 3) break;
    }
    return Rise::DONE;
}

// Whether the next step is about to lead to an optimum that is filed already.
bool Search::known(Model& model, const Here& here, const TrustRegion& region, const Level& level) const {
    Parameters ahead;
    for (const Optimum& other : level.found) {
        if (std::abs(here.objective + region.promise - other.objective) > SAME + region.promise) continue;
        if (ahead.k() == 0) {
            model.move(here.at, region.step(), ahead);
            sort(ahead);
        }
        bool alike = true;
        for (int j = 0; j < ahead.k() && alike; ++j) {
            alike = std::abs(ahead.means[j] - other.at.means[j]) < ALIKE * other.at.stds[j] &&
                    std::abs(ahead.stds[j] - other.at.stds[j]) < ALIKE * other.at.stds[j] &&
                    std::abs(ahead.weights[j] - other.at.weights[j]) < 2.0 * ALIKE * other.at.weights[j];
        }
        if (alike) return true;
    }
    return false;
}

// Whether a rise by so much would not lead near the best.
bool Search::hopeless(const Here& here, double rise, const Level& level) const {
    return !level.found.empty() && here.objective + rise < level.found[0].objective - MARGIN;
}

}  // namespace gmm1d

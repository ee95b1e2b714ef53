#include "search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "crowds.hpp"

namespace gmm1d {
namespace {

constexpr double LAST = 1.0;      // a promise of less is taken at its word
constexpr double ALIKE = 0.5;     // optima within so many stds, logs of stds and logs of weights may be one and the same ...
constexpr double SAME = 2e-3;     // ... and are if their log-likelihoods differ by less
constexpr double CONTEST = 3.0;   // an optimum so far above all others needs no rivals
constexpr double COARSE = 2.0;    // by so much coarse nodes may misjudge a log-likelihood
constexpr double ENOUGH = 1e-3;   // a climb of the search ends where the next step promises less
constexpr std::int64_t FEW = 300;
constexpr int MANY = 12;           // components from which on a search must be short to end at all
constexpr int SHARED = 4;          // components from which on threads share the climbs
constexpr int EM_STEPS = 3, MOST_STEPS = 80, SETTLING = 3;

// Components i and j as one of the same mean and variance.
Parameters merged(const Parameters& at, int i, int j) {
    const double w = at.weights[i] + at.weights[j], p = at.weights[i] / w, q = at.weights[j] / w;
    const double d = at.means[i] - at.means[j], si = at.stds[i], sj = at.stds[j];
    Parameters out = at;
    out.weights[i] = w;
    out.means[i] = p * at.means[i] + q * at.means[j];
    out.stds[i] = std::sqrt(p * si * si + q * sj * sj + p * q * d * d);
    for (auto* row : {&out.weights, &out.means, &out.stds}) row->erase(row->begin() + j);
    return out;
}

std::vector<int> by_mean(const Parameters& at) {
    std::vector<int> order(at.k());
    for (int j = 0; j < at.k(); ++j) order[j] = j;
    std::sort(order.begin(), order.end(), [&](int a, int b) { return at.means[a] < at.means[b]; });
    return order;
}

bool sorted(const Parameters& at) { return std::is_sorted(at.means.begin(), at.means.end()); }

void sort(Parameters& at) {
    if (sorted(at)) return;
    const Parameters from = at;
    const std::vector<int> order = by_mean(from);
    for (int j = 0; j < at.k(); ++j) {
        at.weights[j] = from.weights[order[j]];
        at.means[j] = from.means[order[j]];
        at.stds[j] = from.stds[order[j]];
    }
}

// Means at quantiles that no sequence spreads more evenly (Weyl 1916), mirrored every other time.
Parameters scattered(const Nodes& nodes, const std::vector<double>& upto, int k, int number) {
    constexpr double GOLDEN = 0.6180339887498949;
    const double std = nodes.std / k * (number % 4 < 2 ? 1.0 : 0.4);
    Parameters start{std::vector<double>(k, 1.0 / k), std::vector<double>(k), std::vector<double>(k, std)};
    for (int j = 0; j < k; ++j) {
        const double share = std::fmod(GOLDEN * (number / 2 * k + j + 1), 1.0);
        const auto at = std::lower_bound(upto.begin() + 1, upto.end() - 1, (number % 2 ? 1.0 - share : share) * nodes.n);
        start.means[j] = nodes.values[at - upto.begin() - 1];
    }
    return start;
}

}  // namespace

Effort Effort::of(int k, std::int64_t size) {
    if (k <= 2) return {40, 1, 120, 4, 2, 4, 1, 3, 0, 0, 0, 0, 0, 1};
    if (k == 3) return {60, 2, 150, 6, 3, 6, 4, 3, 4, 2, 3, 2, 4, 2};
    if (k > MANY) return {0, 0, 1000, 24, 4, 8, 4, 4, 10, 1, 2, 0, 2, 1};
    const bool few = size <= FEW && k <= 6;  // where a pass costs little, and small groups make many optima
    return {0, 0, 1000, 24, 4, 8, 24, 10, 40, few ? 20 : 5, 5, 4, few ? 100 : 30, 4};
}

Search::Search(const Nodes& nodes, const Kernel& kernel, Poll poll, bool equal_stds, int threads)
    : full_(nodes), kernel_(kernel), poll_(std::move(poll)), equal_stds_(equal_stds), threads_(threads) {}

void Search::prepare(int k, int groups) {
    if (coarse_ && k <= most_k_ && groups == groups_) return;
    groups_ = groups;
    most_k_ = k;
    if (!crowds_) crowds_ = crowds(full_);
    coarse_ = std::make_unique<Nodes>(coarsened(full_, groups, *crowds_));
    workers_.clear();
    for (int t = 0; t < (k < SHARED ? 1 : threads_); ++t) {
        workers_.push_back(std::make_unique<Worker>(Worker{coarse_->accumulator(k, 1, kernel_, t == 0 ? poll_ : Poll{}), {}}));
    }
    places_ = std::make_unique<Places>(full_, *coarse_, kernel_, equal_stds_, effort_.broad, effort_.halvings, *crowds_);
}

bool Search::run(int k, std::vector<Level>& levels) {
    for (int each = static_cast<int>(levels.size()) + 1; each <= k; ++each) {
        effort_ = Effort::of(each, full_.size());
        levels.emplace_back();
        if (!fill(each, levels)) return false;
    }
    return true;
}

bool Search::add(const Parameters& start, Level& level) {
    effort_ = Effort::of(start.k(), full_.size());
    prepare(start.k(), effort_.groups);
    return ascend({start}, level);
}

bool Search::fill(int k, std::vector<Level>& levels) {
    Level& here = levels.back();
    if (k == 1) {
        here.found.push_back({quantile_start(full_, 1), 0.0, true});
        return true;
    }
    const std::vector<Optimum>& parents = levels[k - 2].found;
    if (effort_.first > 0) {
        prepare(k, effort_.first_groups);
        here.slack = coarse_->size() < full_.size() ? COARSE : SAME;
        if (!ascend({quantile_start(*coarse_, k)}, here)) return false;
        if (!parents.empty() && !place(parents[0].at, effort_.first, here)) return false;
        if (settled(here)) return true;
    }
    prepare(k, effort_.groups);
    here.slack = coarse_->size() < full_.size() ? COARSE : SAME;
    const std::vector<Optimum> known = std::exchange(here.found, {});
    here.spikes.clear();
    std::vector<Parameters> starts{quantile_start(*coarse_, k)};
    for (const Optimum& each : known) starts.push_back(each.at);
    if (!ascend(std::move(starts), here) || !survey(k, parents, here)) return false;
    if (static_cast<int>(here.found.size()) >= effort_.few || here.spikes.empty()) return true;
    effort_.candidates *= 2;  // ties draw most climbs into spikes: look further
    if (!survey(k, parents, here)) return false;
    if (static_cast<int>(here.found.size()) >= effort_.few) return true;
    gentle_ = true;  // and climb the penalised likelihood first
    const bool done = survey(k, parents, here);
    gentle_ = false;
    return done;
}

bool Search::survey(int k, const std::vector<Optimum>& parents, Level& level) {
    for (int i = 0; i < std::min<int>(effort_.parents, parents.size()); ++i) {
        if (!place(parents[i].at, effort_.candidates, level)) return false;
    }
    std::vector<Parameters> starts;
    for (int i = 0; i < effort_.scattered; ++i) starts.push_back(scattered(*coarse_, places_->upto(), k, i));
    return ascend(std::move(starts), level) && improve(level);
}

// Whether a few climbs have found one optimum that is far above all others, or no other.
bool Search::settled(const Level& level) const {
    if (level.found.empty()) return false;
    return level.found.size() == 1 || level.found[1].objective < level.found[0].objective - CONTEST;
}

// Deletes or merges components of the best optima, takes spikes away, and adds a component elsewhere, as long as that
// leads to better optima.
bool Search::improve(Level& level) {
    const auto next = [](std::vector<Optimum>& list, int width) -> Optimum* {
        for (int i = 0; i < std::min<int>(width, list.size()); ++i) {
            if (!list[i].expanded) return &list[i];
        }
        return nullptr;
    };
    for (int round = 0; round < effort_.rounds; ++round) {
        Optimum* optimum = next(level.found, effort_.width);
        const bool spike = !optimum;
        if (spike) optimum = next(level.spikes, effort_.spikes);
        if (!optimum) break;
        optimum->expanded = true;
        const Parameters at = optimum->at;
        const int k = at.k();
        for (int j = 0; j < k; ++j) {
            if (spike && judge(full_, at.weights[j], at.means[j], at.stds[j]) <= Verdict::DENSE) continue;
            if (!place(without(at, j), effort_.again, level)) return false;
        }
        for (int j = 0; j + 1 < k && !spike; ++j) {
            if (!place(merged(at, j, j + 1), effort_.again, level)) return false;
        }
    }
    return true;
}

// A few EM steps, then a component is added at the most promising places.
bool Search::place(const Parameters& base, int count, Level& level) {
    Model model(workers_[0]->data, base.k(), {}, {equal_stds_, {}, {}, {}});
    Here here;
    here.at = model.constrained(base);
    for (int step = 0; step < SETTLING && base.k() > 1; ++step) {
        if (!model.evaluate(here, Detail::EM)) return false;
        here.at = here.next;
    }
    return ascend(places_->candidates(here.at, count), level);
}

// Climbs from each start far enough to rank the optimum, and files it: shared among threads, filed in order.
bool Search::ascend(std::vector<Parameters> starts, Level& level) {
    std::vector<Here> ends(starts.size());
    const double robust = gentle_ ? coarse_->robust_std() : 0.0;
    const Penalty gentle{0.1 / coarse_->n, robust * robust};
    std::vector<Rise> how(starts.size(), Rise::INTERRUPTED);
    const auto climb = [&](std::int64_t i, int thread) {
        Here& here = ends[i];
        here.at = std::move(starts[i]);
        Worker& worker = *workers_[thread];
        if (gentle_ && rise(worker, here, level, gentle) == Rise::INTERRUPTED) return;
        how[i] = rise(worker, here, level, {});
    };
    if (workers_.size() == 1 || starts.size() == 1) {
        for (std::size_t i = 0; i < starts.size(); ++i) climb(i, 0);
    } else {
        parallel(starts.size(), static_cast<int>(workers_.size()), poll_, climb);
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
        if (how[i] == Rise::INTERRUPTED) return false;
        if (how[i] != Rise::KNOWN) file(std::move(ends[i]), how[i] == Rise::DEAD, level);
    }
    return true;
}

Search::Rise Search::rise(Worker& worker, Here& here, const Level& level, const Penalty& penalty) const {
    Model model(worker.data, here.at.k(), penalty, {equal_stds_, {}, {}, {}});
    here.at = model.constrained(here.at);
    for (int step = 0; step < EM_STEPS; ++step) {
        if (!model.evaluate(here, Detail::EM)) return Rise::INTERRUPTED;
        here.at = here.next;
    }
    if (!model.evaluate(here, Detail::INFORMATION)) return Rise::INTERRUPTED;
    TrustRegion& region = worker.region;
    region.start(here.n);
    for (int step = 0; step < MOST_STEPS; ++step) {
        for (int j = 0; penalty.a == 0.0 && j < here.at.k(); ++j) {
            const bool thin = here.at.stds[j] < 1e-2 * full_.std;
            if (thin && judge(full_, here.at.weights[j], here.at.means[j], here.at.stds[j]) > Verdict::DENSE) return Rise::DEAD;
        }
        region.propose(model, here, false);
        if (region.smallest_eigenvalue > 1e-9) {
            if (penalty.a == 0.0 && (known(here, region.promise, level) || hopeless(here, region.promise, level))) return Rise::KNOWN;
            if (region.promise < ENOUGH) return Rise::DONE;
        } else if (region.promise < ENOUGH) {
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

// Whether the climb is about to end at an optimum that is filed already.
bool Search::known(const Here& here, double promise, const Level& level) const {
    if (promise > LAST) return false;
    Parameters at;
    for (const auto* list : {&level.found, &level.spikes}) {
        for (const Optimum& other : *list) {
            if (std::abs(here.objective + promise - other.objective) > SAME + 0.1 * promise) continue;
            if (at.k() == 0) sort(at = here.at);
            bool alike = true;
            for (int j = 0; j < at.k() && alike; ++j) {
                alike = std::abs(at.means[j] - other.at.means[j]) < ALIKE * other.at.stds[j] &&
                        std::abs(at.stds[j] - other.at.stds[j]) < ALIKE * other.at.stds[j] &&
                        std::abs(at.weights[j] - other.at.weights[j]) < ALIKE * other.at.weights[j];
            }
            if (alike) return true;
        }
    }
    return false;
}

// Whether even thrice what the next step promises would not lead among the optima that are kept.
bool Search::hopeless(const Here& here, double promise, const Level& level) const {
    if (promise > LAST || static_cast<int>(level.found.size()) < effort_.kept) return false;
    return here.objective + 3.0 * promise < level.found[effort_.kept - 1].objective;
}

void Search::file(Here&& here, bool dead, Level& level) const {
    if (!std::isfinite(here.objective)) return;
    auto& list = dead || !sound(full_, here.at) ? level.spikes : level.found;
    for (const Optimum& other : list) {
        if (std::abs(other.objective - here.objective) < 0.5 * SAME) return;
    }
    Optimum found{std::move(here.at), here.objective, false};
    sort(found.at);
    insert(std::move(found), list);
    if (static_cast<int>(list.size()) > effort_.kept) list.pop_back();
}

}  // namespace gmm1d

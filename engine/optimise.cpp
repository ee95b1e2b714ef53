#include "optimise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gmm1d {
namespace {

constexpr int MOST_STALLS = 8;
constexpr std::size_t FEW = 6;

// One climb: the points and kinds of steps so far, and why it stopped.
class Climber {
public:
    Climber(Model& model, const Parameters& start, const Rules& rules) : model_(model), rules_(rules) {
        here_.at = model.constrained(start);
        if (rules.leash < std::numeric_limits<double>::infinity()) begin_ = here_.at.stds;
    }

    Climb run() {
        if (rules_.method == Method::NEWTON) newton();
        else if (rules_.method == Method::SQUAREM) squarem();
        else em();
        climb_.end = std::move(here_);
        for (int j = 0; j < climb_.end.at.k(); ++j) {
            if (model_.owner(2 * climb_.end.at.k() + j) >= 0) climb_.penalised_stds += model_.penalty().c;
        }
        return std::move(climb_);
    }

private:
    // Takes the point; false if the climb ends here.
    bool take(Here&& to, Step kind) {
        const double before = here_.objective;
        here_ = std::move(to);
        return record(kind, before);
    }

    bool record(Step kind, double before) {
        if (climb_.steps.empty()) climb_.trace.reserve(FEW * (1 + 3 * here_.at.k()));
        climb_.trace.push_back(here_.objective);
        for (const auto* row : {&here_.at.weights, &here_.at.means, &here_.at.stds}) {
            climb_.trace.insert(climb_.trace.end(), row->begin(), row->end());
        }
        climb_.steps.push_back(kind);
        for (std::size_t j = 0; j < begin_.size(); ++j) {
            if (std::abs(std::log(here_.at.stds[j] / begin_[j])) > rules_.leash) return end(Stop::STRAYED);
        }
        if (kind != Step::START && std::abs(here_.objective - before) < rules_.tol) return end(Stop::TOLERANCE);
        return true;
    }

    bool end(Stop stop) {
        climb_.stop = stop;
        return false;
    }

    bool exhausted() const { return static_cast<std::int64_t>(climb_.steps.size()) > rules_.max_iter; }

    // The point where the EM step leads, evaluated; false if the climb ends.
    bool em_step(Here& to, Detail detail) {
        to.at = here_.next;
        climb_.collapsed = collapsed(model_, to.at);
        if (climb_.collapsed >= 0) return end(Stop::COLLAPSED);
        if (same(to.at, here_.at)) return end(Stop::STATIONARY);  // a fixed point of the rounded map
        return model_.evaluate(to, detail) || end(Stop::INTERRUPTED);
    }

    bool start(Detail detail) {
        Here first = here_;
        return (model_.evaluate(first, detail) || end(Stop::INTERRUPTED)) && take(std::move(first), Step::START);
    }

    // Certifies a stationary point; true if the parameters are known to AGREEMENT, flat, or the rules forbid more.
    bool settled() {
        if (rules_.tol >= 0.0 || !(here_.gradient_norm < target_)) return false;
        Here again = here_;
        if (!model_.evaluate(again, Detail::INFORMATION)) return true;
        const Certificate known = certify(model_, again);
        const double next = sharper(known);
        if (next <= 0.0) end(Stop::STATIONARY);
        target_ = next;
        return next <= 0.0;
    }

    // The gradient to go on to, so that runs which stop at different steps agree to a fifth of promise 1; 0: arrived.
    // An error of d standard errors in a component is one of at most d / sqrt(n pi lambda) of its stds.
    double sharper(const Certificate& known) const {
        constexpr double AGREEMENT = 2e-10, SHALLOW = 1e-3, SMALLEST = 1e-14;
        const double curvature = known.smallest_eigenvalue;
        if (curvature <= CURVATURE || target_ == SMALLEST) return 0.0;
        const double least = *std::min_element(here_.at.weights.begin(), here_.at.weights.end());
        const double n = here_.n;
        const double sharpness = n * std::max(least, SHALLOW) * curvature;
        const double enough = std::min(AGREEMENT * std::max(1.0, SHALLOW / curvature) * std::sqrt(sharpness), DECREMENT / 100);
        const double excess = known.newton_decrement / enough;
        return excess <= 1.0 ? 0.0 : std::max(0.5 * std::min(target_, known.gradient_norm) / excess, SMALLEST);
    }

    void em() {
        if (!start(Detail::EM)) return;
        while (!settled()) {
            if (exhausted()) return void(end(Stop::MAX_ITER));
            Here to;
            if (!em_step(to, Detail::EM) || !take(std::move(to), Step::EM)) return;
        }
    }

    // From x0 over x1 = F(x0) to x2 = F(x1); then x0 - 2 a r + a^2 v with r = x1 - x0, v = (x2 - x1) - r,
    // a = -|r| / |v| (scheme S3), kept if the objective is not below that of x1.
    void squarem() {
        if (!start(Detail::EM)) return;
        while (!settled()) {
            if (exhausted()) return void(end(Stop::MAX_ITER));
            const Parameters from = here_.at;
            Here to;
            if (!em_step(to, Detail::EM) || !take(std::move(to), Step::EM)) return;
            Here leap;
            leap.at = extrapolated(from, here_.at, here_.next);
            if (!leap.at.weights.empty() && !exhausted() && collapsed(model_, leap.at) < 0) {
                if (!model_.evaluate(leap, Detail::EM)) return void(end(Stop::INTERRUPTED));
                if (leap.objective >= here_.objective) {
                    if (!take(std::move(leap), Step::SQUAREM)) return;
                }
            }
        }
    }

    // Empty where there is nothing to extrapolate.
    Parameters extrapolated(const Parameters& x0, const Parameters& x1, const Parameters& x2) const {
        const int k = x0.k();
        std::vector<double> first(model_.n_free()), second(model_.n_free());
        const auto difference = [&](const Parameters& a, const Parameters& b, std::vector<double>& out) {
            std::vector<double> ratios(2 * k), logs(2 * k);
            for (int j = 0; j < k; ++j) {
                if (!(a.weights[j] > 1e-290 && b.weights[j] > 1e-290)) return false;
                ratios[j] = b.weights[j] / a.weights[j];
                ratios[k + j] = b.stds[j] / a.stds[j];
                if (!(ratios[j] > 1e-290)) return false;
            }
            model_.data().kernel().log(ratios.data(), logs.data(), 2 * k);
            for (int j = 0; j < k; ++j) {
                const double moves[] = {logs[j], (b.means[j] - a.means[j]) / x0.stds[j], logs[k + j]};
                for (int i = 0; i < 3; ++i) {
                    if (model_.owner(i * k + j) >= 0) out[model_.owner(i * k + j)] = moves[i];
                }
            }
            return true;
        };
        if (!difference(x0, x1, first) || !difference(x1, x2, second)) return {};
        double r2 = 0.0, v2 = 0.0;
        for (int i = 0; i < model_.n_free(); ++i) {
            r2 += first[i] * first[i];
            v2 += (second[i] - first[i]) * (second[i] - first[i]);
        }
        if (!(v2 > 0.0)) return {};
        const double a = std::max(std::sqrt(r2 / v2), 1.0);
        std::vector<double> step(model_.n_free());
        for (int i = 0; i < model_.n_free(); ++i) step[i] = 2.0 * a * first[i] + a * a * (second[i] - first[i]);
        const double largest = model_.largest_step(step);
        if (!(largest < std::numeric_limits<double>::infinity())) return {};
        for (double& x : step) x /= std::max(largest, 1.0);
        Parameters to;
        model_.move(x0, step, to);
        return to;
    }

    void newton() {
        if (!start(rules_.em_steps > 0 ? Detail::EM : Detail::INFORMATION)) return;
        for (int i = 0; i < rules_.em_steps && !same(here_.next, here_.at); ++i) {  // a fixed point may be a saddle
            if (exhausted()) return void(end(Stop::MAX_ITER));
            Here to;
            if (!em_step(to, Detail::EM) || !take(std::move(to), Step::EM)) return;
        }
        if (rules_.em_steps > 0 && !model_.evaluate(here_, Detail::INFORMATION)) return void(end(Stop::INTERRUPTED));
        TrustRegion region;
        region.start(here_.n);
        for (int polished = 0;; ) {
            const bool arrived = here_.gradient_norm < GRADIENT && rules_.tol < 0.0;
            const bool near = !begin_.empty() || (rules_.em_steps == 0 && climb_.steps.size() < FEW);  // from a search: no need to look around
            region.propose(model_, here_, false);
            if (region.smallest_eigenvalue < 0.0 && (arrived || !near)) region.propose(model_, here_, true);
            const bool certain = arrived && region.smallest_eigenvalue > -1e-9;
            if (certain && (polished++ > 4 || here_.gradient_norm < 1e-14 * std::min(region.smallest_eigenvalue, 1.0))) return void(end(Stop::STATIONARY));
            if (exhausted() || region.stalls > MOST_STALLS) return void(end(certain ? Stop::STATIONARY : Stop::MAX_ITER));
            const double before = here_.gradient_norm, height = here_.objective;
            const TrustRegion::Move move = region.move(model_, here_, !certain);
            if (move == TrustRegion::Move::INTERRUPTED) return void(end(Stop::INTERRUPTED));
            if (move == TrustRegion::Move::FIXED) return void(end(Stop::STATIONARY));
            if (move == TrustRegion::Move::COLLAPSED) {
                climb_.collapsed = collapsed(model_, here_.next);
                return void(end(Stop::COLLAPSED));
            }
            if (!record(move == TrustRegion::Move::EM ? Step::EM : Step::NEWTON, height)) return;
            if (certain && here_.gradient_norm > 0.5 * before) return void(end(Stop::STATIONARY));
        }
    }

    Model& model_;
    const Rules rules_;
    Here here_;
    Climb climb_;
    std::vector<double> begin_;  // the stds of the start, on a leash
    double target_ = GRADIENT;
};

}  // namespace

Climb climb(Model& model, const Parameters& start, const Rules& rules) {
    Climb found = Climber(model, start, rules).run();
    if (found.stop == Stop::INTERRUPTED) return found;
    if (found.end.hessian.empty() && !model.evaluate(found.end, Detail::INFORMATION)) {
        found.stop = Stop::INTERRUPTED;
        return found;
    }
    found.certificate = certify(model, found.end);
    found.certified = true;
    return found;
}

void raise(Climb& climb, const Units& units) {
    const std::size_t k = climb.end.at.k(), width = 1 + 3 * k;
    for (std::size_t row = 0; row < climb.trace.size(); row += width) {
        double *at = &climb.trace[row], *means = at + 1 + k, *stds = means + k;
        at[0] += climb.penalised_stds * std::log(units.unit) - units.jacobian;
        for (std::size_t j = 0; j < k; ++j) {
            means[j] = units.centre + units.unit * means[j];
            stds[j] *= units.unit;
        }
    }
    climb.certificate.log_likelihood -= units.jacobian;
    if (climb.certificate.covariance.empty()) return;
    for (std::size_t a = 0; a < 3 * k; ++a) {
        for (std::size_t j = k; j < 2 * k; ++j) {
            climb.certificate.covariance[a * 3 * k + j] *= units.unit;
            climb.certificate.covariance[j * 3 * k + a] *= units.unit;
        }
    }
}

Climb exact(Model& data, Model& nodes, const Parameters& start) {
    constexpr int MOST_PASSES = 12;
    Climb out;
    Here here, best;
    here.at = start;
    Step kind = Step::START;
    for (int pass = 0; pass < MOST_PASSES; ++pass) {
        Here twin;
        twin.at = here.at;
        if (!data.evaluate(here, Detail::EM) || !nodes.evaluate(twin, Detail::INFORMATION)) return out;
        here.hessian = std::move(twin.hessian);
        const bool fell = pass > 0 && here.objective < best.objective - ROUNDING * (std::abs(best.objective) + here.n);
        if (fell) {  // the EM step cannot fall
            here = Here{};
            here.at = best.next;
            kind = Step::EM;
            continue;
        }
        out.trace.push_back(here.objective);
        for (const auto* row : {&here.at.weights, &here.at.means, &here.at.stds}) {
            out.trace.insert(out.trace.end(), row->begin(), row->end());
        }
        out.steps.push_back(kind);
        best = here;
        out.end = here;
        out.certificate = certify(data, here);
        out.certified = true;
        if (here.gradient_norm < GRADIENT && out.certificate.newton_decrement < DECREMENT) {
            out.stop = Stop::STATIONARY;
            return out;
        }
        TrustRegion region;
        region.start(here.n);
        region.propose(data, here, false);
        here = Here{};
        data.move(best.at, region.step(), here.at);
        kind = Step::NEWTON;
    }
    out.stop = Stop::MAX_ITER;
    return out;
}

}  // namespace gmm1d

// EM, and the derivatives of the log-likelihood, from the sums of a pass. With z in units of s_j about mu_j:
//   N_j = sum w r_j,  S1_j = sum w r_j z_j,  S2_j = sum w r_j z_j^2,  and so on.
#include "optimise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gmm1d {
namespace {

constexpr double LOG_2PI = 1.8378770664093454836;
constexpr double SCALE = 0x1p64, LOG_SCALE = 44.361419555836499802;
constexpr double SMALLEST_STD = 1e-60;  // its fourth power is far from underflow

// Sums of one pass, by name.
struct Statistics {
    std::vector<double> sums;
    int k;
    Statistics(Detail detail, int k) : sums(gmm1d::sums(detail, k)), k(k) {}
    const double* count() const { return &sums[1]; }
    const double* moment(int p) const { return &sums[1 + p * k]; }  // sum w r z^p, p = 0 ... 4
    const double* outer() const { return &sums[1 + 5 * k]; }
    double total() const {
        Sum n{0.0, 0.0};
        for (int j = 0; j < k; ++j) n.add(count()[j]);
        return n.value();
    }
    double log_likelihood() const { return sums[0] - 0.5 * LOG_2PI * total(); }
};

bool subnormal(double weight) { return weight < std::numeric_limits<double>::min(); }

bool pass(Accumulator& data, const Parameters& at, Detail detail, Statistics& out) {
    const int k = at.k();
    std::vector<double> log_scale(k), log_std(k), inverse(k);
    for (int j = 0; j < k; ++j) inverse[j] = at.weights[j] * (subnormal(at.weights[j]) ? SCALE : 1.0);
    data.kernel().log(inverse.data(), log_scale.data(), k);
    data.kernel().log(at.stds.data(), log_std.data(), k);
    for (int j = 0; j < k; ++j) {
        log_scale[j] = at.weights[j] > 0.0 ? log_scale[j] - (subnormal(at.weights[j]) ? LOG_SCALE : 0.0) - log_std[j]
                                           : -std::numeric_limits<double>::infinity();
        inverse[j] = 1.0 / at.stds[j];
    }
    return data.run({k, log_scale.data(), at.means.data(), inverse.data()}, detail, out.sums.data());
}

double penalty_at(const Kernel& kernel, const Penalty& p, const Parameters& at) {
    if (p.a == 0.0) return 0.0;
    double sum = 0.0;
    for (double s : at.stds) {
        const double ratio = p.v0 / s / s;
        double log_ratio;
        kernel.log(&ratio, &log_ratio, 1);
        sum -= p.a * (ratio - log_ratio - 1.0);
    }
    return sum;
}

void gradient(const Statistics& s, const Penalty& p, const Parameters& at, double* g) {
    const int k = s.k;
    const double n = s.total();
    for (int j = 0; j < k; ++j) {
        g[j] = s.count()[j] - n * at.weights[j];
        g[k + j] = s.moment(1)[j];
        g[2 * k + j] = s.moment(2)[j] - s.count()[j] + 2.0 * p.a * (p.v0 / at.stds[j] / at.stds[j] - 1.0);
    }
}

// max |g_i| / sqrt(n I_i), I the complete-data information n (pi, pi, 2 pi); a vanished component has no say.
double gradient_norm(const Statistics& s, const Penalty& p, const Parameters& at) {
    std::vector<double> g(3 * s.k);
    gradient(s, p, at, g.data());
    const double n = s.total();
    double norm = 0.0;
    for (int i = 0; i < 3 * s.k; ++i) {
        const double information = at.weights[i % s.k] * (i < 2 * s.k ? 1.0 : 2.0);
        const double scaled = std::abs(g[i]) / (n * std::sqrt(std::max(information, 1e-8)));
        if (!(scaled <= norm)) norm = scaled;  // NaN stays
    }
    return norm;
}

// d = S1 / N;  pi = N / n;  mu += s d;  s^2 = (s^2 (S2 - N d^2) + 2 a v0) / (N + 2 a)
Parameters m_step(const Statistics& s, const Penalty& p, Parameters at) {
    const double n = s.total();
    for (int j = 0; j < s.k; ++j) {
        const double count = s.count()[j];
        at.weights[j] = count / n;
        if (count < n * 1e-290) {  // no data at all: mean and standard deviation stay where they are
            at.weights[j] = 0.0;
            continue;
        }
        const double d = s.moment(1)[j] / count, std = at.stds[j];
        const double spread = std::max(s.moment(2)[j] - count * d * d, 0.0);
        at.means[j] += std * d;
        at.stds[j] = std::sqrt((spread * std * std + 2.0 * p.a * p.v0) / (count + 2.0 * p.a));
    }
    return at;
}

// The standard deviation that values near this mean still resolve: 4 units in their last place.
double resolution(double mean, double origin) {
    constexpr double ULP = std::numeric_limits<double>::epsilon();
    return 4.0 * ULP * std::max(std::abs(mean), std::abs(mean + origin)) + SMALLEST_STD;
}

int collapsed(const Parameters& at, double origin) {
    if (at.k() == 1) return -1;  // the closed form
    for (int j = 0; j < at.k(); ++j) {
        if (at.stds[j] < resolution(at.means[j], origin)) return j;
    }
    return -1;
}

bool moved(const Parameters& a, const Parameters& b) {
    return a.weights != b.weights || a.means != b.means || a.stds != b.stds;
}

}  // namespace

Climb em(Accumulator& data, Parameters at, const Penalty& penalty, const Rules& rules) {
    Climb climb{Stop::INTERRUPTED, -1, {}};
    Statistics statistics(Detail::EM, at.k());
    double before = -std::numeric_limits<double>::infinity();
    for (std::int64_t step = 0;; ++step) {
        if (!pass(data, at, Detail::EM, statistics)) return climb;
        const double objective = statistics.log_likelihood() + penalty_at(data.kernel(), penalty, at);
        climb.trace.push_back(objective);
        for (const auto* row : {&at.weights, &at.means, &at.stds}) {
            climb.trace.insert(climb.trace.end(), row->begin(), row->end());
        }
        if (step > 0 && std::abs(objective - before) < rules.tol) climb.stop = Stop::TOLERANCE;
        else if (gradient_norm(statistics, penalty, at) < rules.gradient_tol) climb.stop = Stop::GRADIENT;
        else if (step >= rules.max_iter) climb.stop = Stop::MAX_ITER;
        if (climb.stop != Stop::INTERRUPTED) return climb;

        Parameters next = m_step(statistics, penalty, at);
        climb.collapsed = penalty.a > 0.0 ? -1 : collapsed(next, data.origin());
        if (climb.collapsed >= 0) {
            climb.stop = Stop::COLLAPSED;
        } else if (!moved(at, next)) {
            climb.stop = Stop::GRADIENT;  // a fixed point of the rounded map
        }
        if (climb.stop != Stop::INTERRUPTED) return climb;
        at = std::move(next);
        before = objective;
    }
}

bool em_pass(Accumulator& data, const Parameters& at, std::vector<double>& out) {
    Statistics s(Detail::EM, at.k());
    if (!pass(data, at, Detail::EM, s)) return false;
    s.sums[0] = s.log_likelihood();
    out = std::move(s.sums);
    return true;
}

// H = -C + for every j: EE += M0, EM += M1, ET += M2 - M0, MM += M2 - M0, MT += M3 - 3 M1,
//     TT += M4 - 4 M2 + M0 - 4 a v0 / s^2;  and EE -= n (diag(pi) - pi pi')        (Louis 1982)
bool derivatives(Accumulator& data, const Parameters& at, const Penalty& penalty, Derivatives& out) {
    const int k = at.k(), size = 3 * k;
    Statistics s(Detail::INFORMATION, k);
    if (!pass(data, at, Detail::INFORMATION, s)) return false;
    out.log_likelihood = s.log_likelihood();
    out.counts.assign(s.count(), s.count() + k);
    out.gradient.resize(size);
    gradient(s, penalty, at, out.gradient.data());

    std::vector<double>& h = out.hessian;
    h.assign(size * size, 0.0);
    const auto add = [&](int a, int b, double value) {
        h[a * size + b] += value;
        if (a != b) h[b * size + a] += value;
    };
    const double* c = s.outer();
    for (int a = 0; a < size; ++a) {
        for (int b = a; b < size; ++b) add(a, b, -*c++);
    }
    const double n = s.total();
    for (int j = 0; j < k; ++j) {
        const double m0 = s.moment(0)[j], m1 = s.moment(1)[j], m2 = s.moment(2)[j], m3 = s.moment(3)[j],
                     m4 = s.moment(4)[j], std = at.stds[j];
        add(j, j, m0 - n * at.weights[j]);
        add(j, k + j, m1);
        add(j, 2 * k + j, m2 - m0);
        add(k + j, k + j, m2 - m0);
        add(k + j, 2 * k + j, m3 - 3.0 * m1);
        add(2 * k + j, 2 * k + j, m4 - 4.0 * m2 + m0 - 4.0 * penalty.a * (penalty.v0 / std / std));
        for (int i = j; i < k; ++i) add(j, i, n * at.weights[j] * at.weights[i]);
    }
    return true;
}

}  // namespace gmm1d

#include "weighing.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "pass.hpp"

namespace gmm1d {
namespace {

constexpr std::int64_t STRETCH = 1 << 12;  // numbers read at a time, whose largest one is the unit of their squares
constexpr std::int64_t PIECE = 1 << 18;
constexpr double WHOLE = 0x1p52;  // from here on a float64 has no fraction

Weighing weighing_of(const double* w, std::int64_t size) {
    Weighing out;
    double most = 0.0;
    for (std::int64_t i = 0; i < size; ++i) {
        most = std::max(most, w[i]);
        out.whole &= w[i] >= WHOLE || (w[i] + WHOLE) - WHOLE == w[i];
    }
    if (!(most > 0.0 && most - most == 0.0)) return out;
    out.exponent = std::ilogb(most);
    const int half = out.exponent / 2;  // in two steps, as the unit of subnormal numbers has no inverse
    const double first = std::ldexp(1.0, -half), second = std::ldexp(1.0, half - out.exponent);
    Sum sum{0.0, 0.0};
    for (std::int64_t i = 0; i < size; ++i) {
        const double u = w[i] * first * second;
        sum.add(u * u);
    }
    out.squares = sum.value();
    return out;
}

}  // namespace

void Weighing::add(const Weighing& other) {
    whole = whole && other.whole;
    if (other.squares == 0.0) return;
    const int most = squares == 0.0 ? other.exponent : std::max(exponent, other.exponent);
    squares = std::ldexp(squares, 2 * (exponent - most)) + std::ldexp(other.squares, 2 * (other.exponent - most));
    exponent = most;
}

void Weighing::scale_by(double factor) {
    int power;
    const double part = std::frexp(factor, &power);
    squares *= part * part;
    exponent += power;
}

double Weighing::norm() const { return std::ldexp(std::sqrt(squares), exponent); }

bool Weighing::is_importance(double total, Meaning asked) const {
    if (asked != Meaning::EITHER) return asked == Meaning::IMPORTANCE;
    return !whole || total > MOST_COUNTED;
}

bool weigh(const Source& weights, int threads, const Poll& poll, Weighing& out) {
    const std::int64_t pieces = (weights.size + PIECE - 1) / PIECE;
    std::vector<Weighing> found(pieces);
    const bool done = parallel(pieces, threads, poll, [&](std::int64_t i, int) {
        std::vector<double> w(std::min(weights.size, STRETCH));
        const std::int64_t end = std::min(weights.size, (i + 1) * PIECE);
        for (std::int64_t at = i * PIECE; at < end; at += STRETCH) {
            const std::int64_t count = std::min(STRETCH, end - at);
            read(weights, at, count, w.data());
            found[i].add(weighing_of(w.data(), count));
        }
    });
    out = {};
    for (const Weighing& each : found) out.add(each);
    return done;
}

}  // namespace gmm1d

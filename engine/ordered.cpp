#include "ordered.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "pass.hpp"

namespace gmm1d {
namespace {

struct Weighted {
    double value, weight;
};

inline bool before(double a, double b) { return a < b; }
inline bool before(const Weighted& a, const Weighted& b) {
    return (a.value < b.value) | ((a.value == b.value) & (a.weight < b.weight));
}

template <class T>
void exchange(T& a, T& b) {
    const bool wrong = before(b, a);
    const T low = wrong ? b : a, high = wrong ? a : b;
    a = low;
    b = high;
}

// Merges two ascending runs of one length from both ends at once, which needs no look at where they end.
template <class T>
void merge(const T* from, std::int64_t length, T* to) {
    std::int64_t a = 0, b = length, a_last = length - 1, b_last = 2 * length - 1;
    for (std::int64_t i = 0; i < length; ++i) {
        const std::int64_t second = before(from[b], from[a]);
        to[i] = from[a ^ ((a ^ b) & -second)];
        b += second;
        a += 1 - second;
        const std::int64_t first = before(from[b_last], from[a_last]);
        to[2 * length - 1 - i] = from[b_last ^ ((a_last ^ b_last) & -first)];
        a_last -= first;
        b_last -= 1 - first;
    }
}

// Merges two ascending runs of any lengths.
template <class T>
void merge(const T* from, std::int64_t middle, std::int64_t size, T* to) {
    std::int64_t a = 0, b = middle;
    while (a < middle && b < size) {
        const std::int64_t second = before(from[b], from[a]);
        *to++ = from[a ^ ((a ^ b) & -second)];
        b += second;
        a += 1 - second;
    }
    std::copy(from + b, from + size, std::copy(from + a, from + middle, to));
}

// A merge sort without branches that depend on the values: several times faster than std::sort. Equal elements are
// the same to the last bit, so their order does not matter.
template <class T>
void sort(std::vector<T>& x) {
    const auto less = [](const T& a, const T& b) { return before(a, b); };
    if (std::is_sorted(x.begin(), x.end(), less)) return;
    constexpr std::int64_t SHORT = 4;
    const auto size = static_cast<std::int64_t>(x.size());
    std::int64_t start = 0;
    for (; start + SHORT <= size; start += SHORT) {
        T* run = &x[start];
        exchange(run[0], run[1]);
        exchange(run[2], run[3]);
        exchange(run[0], run[2]);
        exchange(run[1], run[3]);
        exchange(run[1], run[2]);
    }
    std::sort(x.begin() + start, x.end(), less);
    std::vector<T> other(size);
    for (std::int64_t length = SHORT; length < size; length *= 2) {
        for (start = 0; start + 2 * length <= size; start += 2 * length) merge(&x[start], length, &other[start]);
        merge(x.data() + start, std::min(length, size - start), size - start, other.data() + start);
        x.swap(other);
    }
}

// Adds the counts of equal neighbours.
void unite(Ordered& ordered) {
    std::vector<double>&values = ordered.values, &counts = ordered.counts;
    if (values.empty()) return;
    std::size_t last = 0;
    for (std::size_t i = 1; i < values.size(); ++i) {
        if (values[i] == values[last]) {
            counts[last] += counts[i];
        } else {
            ++last;
            values[last] = values[i];
            counts[last] = counts[i];
        }
    }
    values.resize(last + 1);
    counts.resize(last + 1);
}

// Makes counts of importance weights, of which there are some, in the order of their values.
void make_counts(std::vector<Weighted>& pairs, Meaning asked, Ordered& out) {
    const auto size = static_cast<std::int64_t>(pairs.size());
    Weighing weighing;
    weigh({reinterpret_cast<const char*>(&pairs[0].weight), sizeof(Weighted), size, Type::F64}, 1, nullptr, weighing);
    Sum sum{0.0, 0.0};
    for (const Weighted& pair : pairs) sum.add(pair.weight);
    const double total = sum.value(), first = pairs[0].weight;
    out.importance = weighing.is_importance(total, asked);
    out.scale = out.importance ? weighing.scale(total) : 1.0;
    if (!out.importance || !std::isnormal(total) || !std::isnormal(out.scale)) return;
    const bool equal = std::all_of(pairs.begin(), pairs.end(), [&](const Weighted& pair) { return pair.weight == first; });
    for (Weighted& pair : pairs) {
        pair.weight = equal ? 1.0 : std::max(out.scale * pair.weight, std::numeric_limits<double>::denorm_min());
    }
}

// The largest power of two that is not above a positive value.
double power_of_two(double value) { return std::ldexp(1.0, std::ilogb(value)); }

}  // namespace

std::int64_t condense(const Source& points, const std::optional<Source>& weights, Meaning asked, Ordered& out) {
    std::vector<double> values(points.size);
    read(points, 0, points.size, values.data());
    for (std::int64_t i = 0; i < points.size; ++i) {
        if (!(values[i] - values[i] == 0.0)) return i;
        values[i] += 0.0;  // no negative zero
    }
    if (!weights) {
        sort(values);
        out.counts.assign(values.size(), 1.0);
        out.values = std::move(values);
        unite(out);
        return -1;
    }
    std::vector<double> given(points.size);
    read(*weights, 0, points.size, given.data());
    std::vector<Weighted> pairs;
    pairs.reserve(values.size());
    for (std::int64_t i = 0; i < points.size; ++i) {
        if (!(given[i] >= 0.0 && given[i] - given[i] == 0.0)) return i;
        if (given[i] > 0.0) pairs.push_back({values[i], given[i]});
    }
    sort(pairs);
    if (asked != Meaning::COUNTS && !pairs.empty()) make_counts(pairs, asked, out);
    out.values.clear();
    out.counts.clear();
    for (const Weighted& pair : pairs) {
        out.values.push_back(pair.value);
        out.counts.push_back(pair.weight);
    }
    unite(out);
    return -1;
}

double total(const double* counts, std::int64_t size) {
    Sum sum{0.0, 0.0};
    for (std::int64_t i = 0; i < size; ++i) sum.add(counts[i]);
    return sum.value();
}

Quartiles quartiles(const double* values, const double* counts, std::int64_t size, std::int64_t stride) {
    double total = 0.0, upto = counts[0];
    for (std::int64_t i = 0; i < size; ++i) total += counts[i * stride];
    std::int64_t at = 0;
    const auto next = [&](double part) {
        while (upto < total * part) upto += counts[++at * stride];
        return values[at * stride];
    };
    const double lower = next(0.25), median = next(0.5);
    return {lower, median, next(0.75)};
}

Moments moments(const double* values, const double* counts, std::int64_t size) {
    const double centre = values[size / 2];
    const double reach = std::max(values[size - 1] - centre, centre - values[0]);
    if (reach == 0.0) return {centre, 0.0};
    const double scale = std::ldexp(1.0, std::ilogb(reach));
    double n = 0.0;
    for (std::int64_t i = 0; i < size; ++i) n += counts[i];
    Sum first{0.0, 0.0}, second{0.0, 0.0};
    for (std::int64_t i = 0; i < size; ++i) first.add(counts[i] / n * ((values[i] - centre) / scale));
    const double offset = first.value();
    for (std::int64_t i = 0; i < size; ++i) {
        const double d = (values[i] - centre) / scale - offset;
        second.add(counts[i] / n * (d * d));
    }
    return {centre + scale * offset, scale * std::sqrt(second.value())};
}

bool Standardised::has_scale() const {
    const double spread = high - low;
    return spread == 0.0 || (spread <= LARGEST && spread >= SMALLEST && unit >= SMALLEST && spread / unit <= LARGEST);
}

Standardised standardised(Ordered&& ordered) {
    Standardised out{std::move(ordered)};
    std::vector<double>&values = out.nodes.values, &counts = out.nodes.counts;
    const auto size = static_cast<std::int64_t>(values.size());
    const Quartiles q = quartiles(values.data(), counts.data(), size);
    out.n = total(counts.data(), size);
    out.low = values.front();
    out.high = values.back();
    out.centre = q.median;
    if (out.low == out.high) {
        out.unit = std::clamp(power_of_two(q.median == 0.0 ? 1.0 : std::abs(q.median)), Standardised::SMALLEST,
                              Standardised::LARGEST);
    } else {
        const double width = q.upper - q.lower;
        out.unit = power_of_two(width != 0.0 ? width : moments(values.data(), counts.data(), size).std);
    }
    if (!out.has_scale()) return out;
    for (double& value : values) value = (value - out.centre) / out.unit + 0.0;
    unite(out.nodes);
    return out;
}

}  // namespace gmm1d

// A table of distinct values and the weight of each, of bounded size.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "lattice.hpp"

namespace gmm1d {

class Counter {
public:
    explicit Counter(std::size_t most) : most_(most), places_(64, empty()) {}

    // Adds to a value that is there; false if it is not.
    bool add_known(double value, double weight) {
        Weighted& place = places_[place_of(value)];
        if (bits(place.value) == EMPTY_BITS) return false;
        place.weight += weight;
        return true;
    }

    // False if there is no room.
    bool add(double value, double weight) {
        Weighted& place = places_[place_of(value)];
        if (bits(place.value) == EMPTY_BITS) {
            if (size_ == most_) return false;
            place = {value + 0.0, weight};  // no negative zero
            if (2 * ++size_ > places_.size()) grow();
        } else {
            place.weight += weight;
        }
        return true;
    }

    std::size_t size() const { return size_; }

    // Those of positive weight, in an order of its own.
    void give(std::vector<Weighted>& out) const {
        for (const Weighted& place : places_)
            if (place.weight > 0.0) out.push_back(place);
    }

private:
    static constexpr std::uint64_t EMPTY_BITS = 0x7ff8000000000000;  // a NaN, which is no value
    static Weighted empty() {
        Weighted out{0.0, 0.0};
        std::memcpy(&out.value, &EMPTY_BITS, sizeof EMPTY_BITS);
        return out;
    }

    static std::uint64_t bits(double value) {
        std::uint64_t out;
        std::memcpy(&out, &value, sizeof out);
        return out;
    }

    // Where the value is, or the free place for it: multiplicative hashing twice, as values may be an arithmetic
    // progression, then the next place.
    std::size_t place_of(double value) const {
        const std::uint64_t key = bits(value + 0.0);
        std::uint64_t mixed = (key ^ (key >> 32)) * 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9;
        std::size_t at = mixed >> shift_;
        while (bits(places_[at].value) != key && bits(places_[at].value) != EMPTY_BITS) at = (at + 1) & (places_.size() - 1);
        return at;
    }

    void grow() {
        std::vector<Weighted> old(2 * places_.size(), empty());
        old.swap(places_);
        --shift_;
        for (const Weighted& place : old)
            if (bits(place.value) != EMPTY_BITS) places_[place_of(place.value)] = place;
    }

    std::size_t most_, size_ = 0;
    std::vector<Weighted> places_;
    int shift_ = 64 - 6;
};

}  // namespace gmm1d

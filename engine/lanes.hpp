// Eight doubles side by side as PARTS vectors of the machine's width; exp and log as straight-line arithmetic.
//
// Every instruction set runs the same operations in the same order on the same eight lanes (no contraction,
// no reassociation), so every copy of the kernel gives the same bits.
#pragma once

#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#include "pass.hpp"

namespace gmm1d {

#if defined(__AVX512F__)
constexpr int WIDTH = 8;
#elif defined(__AVX__)
constexpr int WIDTH = 4;
#else
constexpr int WIDTH = 2;
#endif
constexpr int PARTS = LANES / WIDTH;

typedef double Vector __attribute__((vector_size(WIDTH * sizeof(double))));
typedef std::int64_t Ints __attribute__((vector_size(WIDTH * sizeof(std::int64_t))));
typedef std::uint64_t Bits __attribute__((vector_size(WIDTH * sizeof(std::uint64_t))));

GMM1D_INLINE Vector all(double value) { return Vector{} + value; }
GMM1D_INLINE Vector max(Vector a, Vector b) { return a > b ? a : b; }

GMM1D_INLINE Vector load(const void* from) {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
GMM1D_INLINE void store(double* to, Vector v) { std::memcpy(to, &v, sizeof v); }

// The sum of eight lanes, in one order for every width: halves are added to halves.
GMM1D_INLINE double sum(const Vector* parts) {
    typedef double Four __attribute__((vector_size(4 * sizeof(double))));
    typedef double Two __attribute__((vector_size(2 * sizeof(double))));
    Four low, high;
    std::memcpy(&low, parts, sizeof low);
    std::memcpy(&high, reinterpret_cast<const char*>(parts) + sizeof low, sizeof high);
    low += high;
    Two even, odd;
    std::memcpy(&even, &low, sizeof even);
    std::memcpy(&odd, reinterpret_cast<const char*>(&low) + sizeof even, sizeof odd);
    even += odd;
    return even[0] + even[1];
}

// Whether all are; NaN is not.
GMM1D_INLINE bool at_most(Vector v, double limit) {
#if defined(__AVX512F__)
    return _mm512_cmp_pd_mask((__m512d)v, (__m512d)all(limit), _CMP_LE_OQ) == 0xff;
#elif defined(__AVX__)
    return _mm256_movemask_pd((__m256d)(v <= limit)) == 0xf;
#else
    const Ints are = v <= limit;
    return are[0] & are[1];
#endif
}

constexpr double MAGIC = 0x1.8p52;  // adding it rounds to an integer that stands in the low bits
constexpr double LN2_HI = 0x1.62e42fee00000p-1, LN2_LO = 0x1.a39ef35793c76p-33;

// exp(x) for x <= 709; 0 below -708, where the result is no longer a normal number. Below 1 ulp.
// x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite 1980); exp(r) = 1 + r + r^2 P(r), P interpolates at the
// Chebyshev nodes with relative error 1.6e-17.
GMM1D_INLINE Vector exp(Vector x) {
    const Vector shifted = x * 0x1.71547652b82fep0 + MAGIC;
    const Vector n = shifted - MAGIC;
    const Vector r = (x - n * LN2_HI) - n * LN2_LO;
    const Vector r2 = r * r;
    const Vector r4 = r2 * r2;
    const Vector p01 = 0x1.0000000000001p-1 + r * 0x1.5555555555556p-3;
    const Vector p23 = 0x1.5555555553d37p-5 + r * 0x1.11111111109a6p-7;
    const Vector p45 = 0x1.6c16c1789d1d7p-10 + r * 0x1.a01a01a7cebcdp-13;
    const Vector p67 = 0x1.a019b8ca26fcfp-16 + r * 0x1.71de0d85293b8p-19;
    const Vector p89 = 0x1.2891d4ffbb0f9p-22 + r * 0x1.af390ba7e6f47p-26;
    const Vector p = (p01 + r2 * p23) + r4 * ((p45 + r2 * p67) + r4 * p89);
    const Vector unscaled = 1.0 + (r + r2 * p);
    const Bits scaled = (Bits)unscaled + ((Bits)shifted << 52);
    return (Vector)(x < -708.0 ? Ints{} : (Ints)scaled);
}

// log(x) for normal positive x; below 1 ulp. The algorithm and coefficients are those of FreeBSD's e_log.c
// (Sun Microsystems 1993): x = 2^n (1 + f), s = f / (2 + f), log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)).
GMM1D_INLINE Vector log(Vector x) {
    const std::int64_t sqrt_half = 0x3fe6a09e00000000;
    const Ints offset = (Ints)x - sqrt_half;
    const Ints exponent = offset & ~0xfffffffffffff;  // n 2^52
    const Vector f = (Vector)((Ints)x - exponent) - 1.0;
    // n + 1024 becomes a double without a conversion instruction: as the low bits of 2^52
    const Bits biased = ((Bits)exponent + (1024ULL << 52)) >> 52;
    const Vector n = (Vector)(biased | 0x4330000000000000) - (0x1p52 + 1024.0);
    const Vector half_f2 = 0.5 * f * f;
    const Vector s = f / (2.0 + f);
    const Vector z = s * s;
    const Vector w = z * z;
    const Vector odd = w * (0x1.999999997fa04p-2 + w * (0x1.c71c51d8e78afp-3 + w * 0x1.39a09d078c69fp-3));
    const Vector even = z * (0x1.5555555555593p-1 + w * (0x1.2492494229359p-2 + w * (0x1.7466496cb03dep-3 + w * 0x1.2f112df3e5244p-3)));
    return n * LN2_HI - ((half_f2 - (s * (half_f2 + (odd + even)) + n * LN2_LO)) - f);
}

}  // namespace gmm1d

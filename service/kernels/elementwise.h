// What happens to single values between products, written so that a compiler computes many at once.
//
// Rows are whole multiples of 16 values. Sums over a row are sixteen sums side by side that are added in one order: the
// same on every instruction set that is as wide or narrower.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "products.h"

namespace livetalker {

constexpr int kLanes = 16;

inline float as_float(int32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline int32_t as_bits(float value) {
    int32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

/// `a b + c`, rounded once. Said where it is meant: compilers are told to fuse nothing by themselves, since they would
/// in some of the places that a function is inlined in and not in others, and a frame's last bit would tell which.
inline float fused(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

inline float least(float a, float b) { return a < b ? a : b; }
inline float most(float a, float b) { return a > b ? a : b; }

/// The nearest whole number, even where two are as near; for values within +-2^22.
inline float nearest(float x) {
    constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: what is added to it has no room for a fraction
    return (x + kShift) - kShift;
}

/// e^x, within 2 units in the last place, of what lies within -87..88 (Cephes' expf).
inline float exponential(float x) {
    x = most(least(x, 88.0f), -87.0f);
    const float n = nearest(x * 1.44269504f);
    const float r = fused(n, 2.12194440e-4f, fused(n, -0.693359375f, x));
    float p = 1.9875691500e-4f;
    p = fused(p, r, 1.3981999507e-3f);
    p = fused(p, r, 8.3334519073e-3f);
    p = fused(p, r, 4.1665795894e-2f);
    p = fused(p, r, 1.6666665459e-1f);
    p = fused(p, r, 5.0000001201e-1f);
    p = fused(p, r * r, r + 1.0f);
    return p * as_float((int32_t(n) + 127) << 23);
}

/// The natural logarithm of a normal positive number (Cephes' logf).
inline float logarithm(float x) {
    int32_t bits = as_bits(x);
    int32_t exponent = ((bits >> 23) & 255) - 126;
    float m = as_float((bits & 0x007fffff) | 0x3f000000);  // 0.5 <= m < 1
    const int32_t low = m < 0.707106781f;
    exponent -= low;
    m = m + (low ? m : 0.0f) - 1.0f;
    const float e = float(exponent), z = m * m;
    float p = 7.0376836292e-2f;
    p = fused(p, m, -1.1514610310e-1f);
    p = fused(p, m, 1.1676998740e-1f);
    p = fused(p, m, -1.2420140846e-1f);
    p = fused(p, m, 1.4249322787e-1f);
    p = fused(p, m, -1.6668057665e-1f);
    p = fused(p, m, 2.0000714765e-1f);
    p = fused(p, m, -2.4999993993e-1f);
    p = fused(p, m, 3.3333331174e-1f);
    return fused(e, 0.693359375f, m + fused(p, m * z, fused(e, -2.12194440e-4f, -0.5f * z)));
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }
inline float hyperbolic_tangent(float x) { return 1.0f - 2.0f / (1.0f + exponential(2.0f * x)); }

/// x times the normal distribution's share below x; its error function within 2e-7 (Abramowitz and Stegun 7.1.26).
inline float gelu(float x) {
    const float z = std::fabs(x) * 0.70710678f;
    const float t = 1.0f / fused(0.3275911f, z, 1.0f);
    float p = 1.061405429f;
    p = fused(p, t, -1.453152027f);
    p = fused(p, t, 1.421413741f);
    p = fused(p, t, -0.284496736f);
    p = fused(p, t, 0.254829592f);
    const float tail = 0.5f * p * t * exponential(-z * z);
    return x * (x < 0.0f ? tail : 1.0f - tail);
}

/// What of a level is kept (see `Level`).
inline Level level(float x, float zero) {
    const float least_level = -zero, most_level = 255.0f - zero;
    const int32_t whole = int32_t(nearest(most(least(x, most_level), least_level)));
    return kTogether == 4 ? Level(whole + int32_t(zero)) : Level(whole);
}

/// Values times `per_unit` as levels around `zero`.
inline void levels(const float* x, int count, float per_unit, float zero, Level* out) {
    for (int i = 0; i < count; i++) out[i] = level(x[i] * per_unit, zero);
}

/// The sum of a row of `count` values, each through `of`.
template <class Of>
inline float sum(int count, const Of& of) {
    float lanes[kLanes] = {};
    for (int i = 0; i < count; i += kLanes)
        for (int lane = 0; lane < kLanes; lane++) lanes[lane] += of(i + lane);
    for (int half = kLanes / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

/// A row less its mean, over its standard deviation: layer normalisation without gain and shift.
inline void normalise(const float* x, int width, float* out) {
    constexpr float kEpsilon = 1e-5f;
    const float mean = sum(width, [&](int i) { return x[i]; }) / float(width);
    const float variance = sum(width, [&](int i) { return (x[i] - mean) * (x[i] - mean); }) / float(width);
    const float scale = 1.0f / std::sqrt(variance + kEpsilon);
    for (int i = 0; i < width; i++) out[i] = (x[i] - mean) * scale;
}

}  // namespace livetalker

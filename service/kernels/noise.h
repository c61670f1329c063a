// Counter-based noise: what the sampler starts from, a function of (seed, frame) and of nothing else.
//
// See the model's `noise` module, whose numbers these are but for the last digits: Philox4x32-10 (Salmon et al. 2011),
// Box and Muller's transform, and a spline for what changes slowly.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace livetalker {

/// Ten rounds; `counter` becomes four random words.
inline void philox(uint32_t (&counter)[4], uint64_t seed) {
    uint32_t key[2] = {uint32_t(seed), uint32_t(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        const uint64_t first = uint64_t(0xD2511F53u) * counter[0], second = uint64_t(0xCD9E8D57u) * counter[2];
        const uint32_t odd[2] = {counter[1], counter[3]};
        counter[0] = uint32_t(second >> 32) ^ odd[0] ^ key[0];
        counter[1] = uint32_t(second);
        counter[2] = uint32_t(first >> 32) ^ odd[1] ^ key[1];
        counter[3] = uint32_t(first);
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
}

/// `width` independent standard normal values of a frame or a knot.
inline void normal(uint64_t seed, uint64_t index, uint32_t kind, int width, float* out) {
    constexpr float kUnit = 0x1p-32f, kTurn = 6.28318530717958647692f;
    for (int first = 0; first < width; first += 4) {
        uint32_t words[4] = {uint32_t(index), uint32_t(index >> 32), uint32_t(first / 4), kind};
        philox(words, seed);
        for (int i = 0; i < 4 && first + i < width; i++) {
            const float radius = std::sqrt(-2.0f * std::log((float(words[i & 2]) + 0.5f) * kUnit));
            const float angle = kTurn * ((float(words[i | 1]) + 0.5f) * kUnit);
            out[first + i] = radius * (i & 1 ? std::sin(angle) : std::cos(angle));
        }
    }
}

/// What the sampler starts a face from, `[width]`.
///
/// @param slow `[slow_count]` which of them follow a spline.
/// @param spline `[period, 4]` shares of the four knots around a frame.
inline void face_noise(uint64_t seed, uint64_t frame, int width, const int32_t* slow, int slow_count,
                       const float* spline, int period, float* out) {
    constexpr uint32_t kFrames = 0, kKnots = 1;
    normal(seed, frame, kFrames, width, out);
    if (period <= 1) return;
    const float* shares = spline + 4 * (frame % period);
    std::vector<float> drawn(slow_count), sum(slow_count);
    for (int knot = 0; knot < 4; knot++) {
        normal(seed, frame / period + knot, kKnots, slow_count, drawn.data());
        for (int i = 0; i < slow_count; i++) sum[i] += shares[knot] * drawn[i];
    }
    for (int i = 0; i < slow_count; i++) out[slow[i]] = sum[i];
}

}  // namespace livetalker

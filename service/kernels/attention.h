// One feature's attention to the features before it, whose keys and values a ring holds in 8 bits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "elementwise.h"

namespace livetalker {

// Largest sizes: what one feature's attention works on lies on the stack.
constexpr int kMostHeard = 64;  // features, the feature itself among them
constexpr int kMostHeads = 16;
constexpr int kMostWidth = 1024;

/// The nearest whole number within -128..127.
inline int whole_byte(float x) { return int(nearest(most(least(x, 127.0f), -128.0f))); }

/// `scores[h] = unit[h] * (query of head h . key of head h)`; exact until the last multiplication.
inline void score(const int16_t* query, const int8_t* key, int size, int heads, const float* unit, float* scores,
                  int stride) {
    int head = 0;
#if defined(__AVX2__)
    auto product = [&](int of) {
        __m256i sum = _mm256_setzero_si256();
        for (int i = of * size; i < (of + 1) * size; i += 16) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key + i));
            const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + i));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(q, _mm256_cvtepi8_epi16(bytes)));
        }
        return sum;
    };
    for (; head + 4 <= heads; head += 4) {  // four heads' sums come together in the lanes of one register
        const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(product(head), product(head + 1)),
                                                _mm256_hadd_epi32(product(head + 2), product(head + 3)));
        const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        float each[4];
        _mm_storeu_ps(each, _mm_mul_ps(_mm_cvtepi32_ps(four), _mm_loadu_ps(unit + head)));
        for (int i = 0; i < 4; i++) scores[(head + i) * stride] = each[i];
    }
#endif
    for (; head < heads; head++) {
        int32_t sum = 0;
        for (int i = head * size; i < (head + 1) * size; i++) sum += query[i] * key[i];
        scores[head * stride] = float(sum) * unit[head];
    }
}

/// `out += share * values` of one head.
inline void gather(const int8_t* values, size_t stride, const float* shares, int count, int size, float* out) {
    int i = 0;
#if defined(__AVX2__)
    for (; i + 32 <= size; i += 32) {
        __m256 sum[4];
        for (auto& part : sum) part = _mm256_setzero_ps();
        for (int k = 0; k < count; k++) {
            const __m256 share = _mm256_broadcast_ss(shares + k);
            const int8_t* value = values + k * stride + i;
            for (int part = 0; part < 4; part++) {
                const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(value + 8 * part));
                sum[part] = _mm256_fmadd_ps(share, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), sum[part]);
            }
        }
        for (int part = 0; part < 4; part++) _mm256_storeu_ps(out + i + 8 * part, sum[part]);
    }
#endif
    for (; i < size; i++) {
        out[i] = 0.0f;
        for (int k = 0; k < count; k++) out[i] += shares[k] * float(values[k * stride + i]);
    }
}

/// Attends, then remembers the feature's own key and value.
///
/// @param projected `[3, width]` levels of query, key and value, not rounded yet.
/// @param index of the feature.
/// @param keys, values `[context, width]`: those of feature k at place k % context.
/// @param unit `[heads]` what a product of levels counts.
/// @param out `[width]` levels of values, averaged.
inline void attention(const float* projected, int64_t index, int8_t* keys, int8_t* values, const float* unit,
                      int width, int heads, int context, float* out) {
    int16_t query[kMostWidth];
    int8_t own_key[kMostWidth], own_value[kMostWidth];
    for (int i = 0; i < width; i++) {
        query[i] = int16_t(whole_byte(projected[i]));
        own_key[i] = int8_t(whole_byte(projected[width + i]));
        own_value[i] = int8_t(whole_byte(projected[2 * width + i]));
    }
    const int known = int(std::min<int64_t>(index, context)), size = width / heads;
    float scores[kMostHeads][kMostHeard];
    std::fill_n(scores[0], heads * kMostHeard, -1e9f);
    for (int k = 0; k < known; k++)
        score(query, keys + size_t(k) * width, size, heads, unit, scores[0] + k, kMostHeard);
    score(query, own_key, size, heads, unit, scores[0] + known, kMostHeard);
    for (int head = 0; head < heads; head++) {
        float* share = scores[head];
        const int all = (known + kLanes) / kLanes * kLanes;  // the feature itself, and a whole number of lanes
        const float largest = *std::max_element(share, share + known + 1);
        for (int k = 0; k < all; k++) share[k] = exponential(share[k] - largest);
        const float scale = 1.0f / sum(all, [&](int k) { return share[k]; });
        for (int k = 0; k <= known; k++) share[k] *= scale;
        float* result = out + head * size;
        gather(values + head * size, width, share, known, size, result);
        for (int i = 0; i < size; i++) result[i] += share[known] * float(own_value[head * size + i]);
    }
    const size_t place = size_t(index % context) * width;
    std::copy_n(own_key, width, keys + place);
    std::copy_n(own_value, width, values + place);
}

}  // namespace livetalker

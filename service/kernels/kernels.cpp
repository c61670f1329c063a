// The C interface. Only a model that does not fit is an error that can be handled; what is left is memory, without
// which nothing goes on: functions that may allocate it are `noexcept`.
#include "kernels.h"

#include <cstdio>
#include <exception>
#include <vector>

#include "denoiser.h"
#include "encoder.h"
#include "level.h"
#include "noise.h"

struct livetalker_model {
    livetalker_model(const livetalker::Tensors& tensors, const livetalker_sizes& sizes)
        : encoder(tensors, sizes), denoiser(tensors, sizes) {}

    livetalker::Encoder encoder;
    livetalker::Denoiser denoiser;
};

int32_t livetalker_interface(void) noexcept { return LIVETALKER_INTERFACE; }

/// The largest levels and weights there are, and others, for every number of rows that a block can have.
int32_t livetalker_correct(void) noexcept {
    using namespace livetalker;
    constexpr int kInputs = 64, kOutputs = 20, kZero = 128, kMost = 2 * kRows + 1;
    uint32_t random = 1;
    auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 24; };
    std::vector<int8_t> weight(kInputs * kOutputs);
    for (size_t i = 0; i < weight.size(); i++) weight[i] = int8_t(i % 3 ? int(next()) - 128 : i % 2 ? 127 : -127);
    std::vector<float> scale(kOutputs, 1.0f), bias(kOutputs, 0.5f);
    std::vector<int> plain(kMost * kInputs);
    std::vector<Level> rows(plain.size());
    for (size_t i = 0; i < plain.size(); i++) {
        plain[i] = (i % 3 ? int(next()) : i % 2 ? 255 : 0) - kZero;
        rows[i] = level(float(plain[i]), kZero);
    }
    const IntegerProduct product(kInputs, kOutputs, weight.data(), scale.data(), bias.data(), 1.0f, kZero);
    std::vector<float> out(size_t(kMost) * product.outputs());
    for (int count = 1; count <= kMost; count++) {
        product(rows.data(), kInputs, count, out.data(), product.outputs());
        for (int r = 0; r < count; r++)
            for (int j = 0; j < kOutputs; j++) {
                int sum = 0;
                for (int i = 0; i < kInputs; i++) sum += plain[r * kInputs + i] * weight[i * kOutputs + j];
                if (out[size_t(r) * product.outputs() + j] != float(sum) + 0.5f) return 0;
            }
    }
    return 1;
}

livetalker_model* livetalker_open(livetalker_sizes sizes, int32_t count, const char* const* names,
                                  const void* const* data, const int64_t* shapes, const int32_t* axes,
                                  char* error) noexcept {
    constexpr int kMostAxes = 4;
    constexpr size_t kErrorSize = 256;
    try {
        livetalker::Tensors tensors;
        for (int32_t i = 0; i < count; i++) {
            const int64_t* shape = shapes + kMostAxes * i;
            tensors.add(names[i], {data[i], {shape, shape + axes[i]}});
        }
        return new livetalker_model(tensors, sizes);
    } catch (const std::exception& failure) {
        std::snprintf(error, kErrorSize, "%s", failure.what());
        return nullptr;
    }
}

void livetalker_close(livetalker_model* model) noexcept { delete model; }

void livetalker_encode(const livetalker_model* model, int32_t streams, int32_t hop, const float* samples,
                       const int64_t* position, const int64_t* rows, int64_t slots, int32_t places, int8_t* keys,
                       int8_t* values, float* positional, float* features, float* speech) noexcept {
    model->encoder({streams, hop, samples, position, rows, slots, places, keys, values, positional, features, speech});
}

void livetalker_denoise(const livetalker_model* model, int32_t streams, int32_t frames, const float* audio,
                        const float* identity, const int64_t* preset, float* curves, float* hidden) noexcept {
    model->denoiser({streams, frames, audio, identity, preset, curves, hidden});
}

void livetalker_noise(int32_t streams, int32_t frames, const uint64_t* seeds, const uint64_t* indexes, int32_t width,
                      const int32_t* slow, int32_t slow_count, const float* spline, int32_t period,
                      float* out) noexcept {
    for (int32_t stream = 0; stream < streams; stream++)
        for (int32_t frame = 0; frame < frames; frame++, indexes++, out += width)
            livetalker::face_noise(seeds[stream], *indexes, width, slow, slow_count, spline, period, out);
}

void livetalker_normalize(int32_t streams, int32_t blocks, const double* filter, double floor, double release,
                          const float* samples, double* powers, double* held, double* low_cut, float* out) noexcept {
    livetalker::Section sections[livetalker::kSections];
    for (int i = 0; i < livetalker::kSections; i++)
        sections[i] = {filter[5 * i], filter[5 * i + 1], filter[5 * i + 2], filter[5 * i + 3], filter[5 * i + 4]};
    const size_t length = size_t(blocks) * livetalker::kBlock;
    for (int32_t stream = 0; stream < streams; stream++)
        livetalker::normalize_level(sections, floor, release, samples + stream * length, blocks,
                                    powers + stream * (livetalker::kAveraged - 1), held[stream], low_cut + 4 * stream,
                                    out + stream * length);
}

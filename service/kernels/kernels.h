// The C interface of the kernels: the compact encoder and the denoiser of one model, in 8-bit integers, and what a tick
// computes beside them.
//
// A library is compiled for one instruction set. A model holds packed weights and nothing of any stream. What a stream
// remembers lies in arrays of the caller; a call changes only those of the rows it is given. Calls on one model may run
// at the same time if their rows differ. Where there is no memory left, the process ends.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
#define LIVETALKER_NEVER_THROWS noexcept
extern "C" {
#else
#define LIVETALKER_NEVER_THROWS
#endif

#define LIVETALKER_KERNELS __attribute__((visibility("default")))

/// Counts up with every change of what follows: a caller of another number must not call anything else.
#define LIVETALKER_INTERFACE 1

typedef struct livetalker_model livetalker_model;

/// What the caller's arrays are made for, and what a bundle's tensors do not say.
typedef struct {
    int32_t width;    ///< of a feature
    int32_t layers;   ///< of the encoder
    int32_t kernel;   ///< features that the positional convolution hears
    int32_t heads;    ///< of attention
    int32_t context;  ///< past features that a feature hears
    int32_t presets;  ///< of the speech detector
    int32_t silence;  ///< the phone that is none
    int32_t identity; ///< width of an identity
    int32_t steps;    ///< of the denoiser
    int32_t hidden;   ///< width of its states
} livetalker_sizes;

/// `LIVETALKER_INTERFACE` as the library was compiled with it.
LIVETALKER_KERNELS int32_t livetalker_interface(void) LIVETALKER_NEVER_THROWS;

/// Whether this processor has the instructions that this library was compiled for; nothing else may be called if not.
LIVETALKER_KERNELS int32_t livetalker_supported(void) LIVETALKER_NEVER_THROWS;

/// Whether products of integers are here what plain arithmetic makes of them.
LIVETALKER_KERNELS int32_t livetalker_correct(void) LIVETALKER_NEVER_THROWS;

/// A model, or null; then `error` (at least 256 bytes) says why.
///
/// @param names, data, shapes, axes of `count` tensors: `shapes` holds four axes each. All are float32, but for those
/// whose names end in `.int8`. Copied before it returns.
LIVETALKER_KERNELS livetalker_model* livetalker_open(livetalker_sizes sizes, int32_t count, const char* const* names,
                                                     const void* const* data, const int64_t* shapes,
                                                     const int32_t* axes, char* error) LIVETALKER_NEVER_THROWS;

LIVETALKER_KERNELS void livetalker_close(livetalker_model* model) LIVETALKER_NEVER_THROWS;

/// `hop` new features of `streams` streams.
///
/// @param samples `[streams, 320 hop + 80]`, level-normalised.
/// @param position `[streams]` features each stream has had.
/// @param rows `[streams]` distinct rows of the arrays that follow, of `slots` rows.
/// @param keys, values `[layers, slots, context, width]`: those of feature k at place k % context; zeros at first.
/// @param positional `[slots, places, width]`: likewise the positional convolution's inputs.
/// @param features `[streams, hop, width]`, written.
/// @param speech `[streams, hop, presets]`, written.
LIVETALKER_KERNELS void livetalker_encode(const livetalker_model* model, int32_t streams, int32_t hop,
                                          const float* samples, const int64_t* position, const int64_t* rows,
                                          int64_t slots, int32_t places, int8_t* keys, int8_t* values,
                                          float* positional, float* features, float* speech) LIVETALKER_NEVER_THROWS;

/// `frames` frames of `streams` streams.
///
/// @param audio `[streams, frames, 2 width]`; `identity` `[streams, frames, E]`; `preset` `[streams]`.
/// @param curves `[streams, frames, 52]`: noise, which becomes faces.
/// @param hidden `[steps, layers, streams, H]`, the decoder's states before, and after.
LIVETALKER_KERNELS void livetalker_denoise(const livetalker_model* model, int32_t streams, int32_t frames,
                                           const float* audio, const float* identity, const int64_t* preset,
                                           float* curves, float* hidden) LIVETALKER_NEVER_THROWS;

/// What the sampler starts faces from.
///
/// @param seeds `[streams]`; `indexes` `[streams, frames]` of the frames.
/// @param slow `[slow_count]` coefficients that follow a spline; `spline` `[period, 4]`.
/// @param out `[streams, frames, width]`, written.
LIVETALKER_KERNELS void livetalker_noise(int32_t streams, int32_t frames, const uint64_t* seeds,
                                         const uint64_t* indexes, int32_t width, const int32_t* slow,
                                         int32_t slow_count, const float* spline, int32_t period,
                                         float* out) LIVETALKER_NEVER_THROWS;

/// Level normalisation of whole blocks of 80 samples.
///
/// @param filter `[2, 5]`: a0, a1, b0, b1 and d of each section of the high-pass.
/// @param floor, release dBFS, and dB a block.
/// @param samples `[streams, 80 blocks]`; `out` likewise, written.
/// @param powers `[streams, 9]`, `held` `[streams]`, `low_cut` `[streams, 4]`: changed.
LIVETALKER_KERNELS void livetalker_normalize(int32_t streams, int32_t blocks, const double* filter, double floor,
                                             double release, const float* samples, double* powers, double* held,
                                             double* low_cut, float* out) LIVETALKER_NEVER_THROWS;

#ifdef __cplusplus
}
#endif

#include "presentation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace livetalker {
namespace {

// Frames between the session's thread and the sampling one: what comes while a game hangs for seconds.
constexpr std::size_t kArrivals = 1024;
constexpr std::size_t kObservations = 256;
// Frames that a lossless stream may be ahead of the playhead by.
constexpr int kBuffered = 512;
// What a network and a server under load usually take beyond the model's own latency; see docs/presentation.md.
constexpr double kTransit = 0.06;

}  // namespace

Presentation::Presentation(const Options& options)
    : sample_rate_(options.sample_rate),
      by_capture_(!options.clock_by_playback),
      arrivals_(kArrivals),
      observations_(kObservations) {}

double Presentation::now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Presentation::start(int frame_rate, std::int64_t latency_us) {
  // Audio that is played late enough for its frames needs no delay of the face.
  const double floor = by_capture_ ? static_cast<double>(latency_us) / 1e6 + 1.0 / frame_rate + kTransit : 0.0;
  made_ = std::make_unique<JitterBuffer>(frame_rate, floor, floor + JitterBuffer::kDefaultRange, kBuffered);
  buffer_.store(made_.get(), std::memory_order_release);
}

bool Presentation::push(const FaceFrame& frame) { return arrivals_.push({frame, now()}); }

void Presentation::captured(std::int64_t position) {
  if (by_capture_) observations_.push({now(), static_cast<double>(position) / sample_rate_});
}

void Presentation::played(double audio_s) {
  if (!by_capture_) observations_.push({now(), audio_s});
}

void Presentation::interrupt(std::int64_t until_us) { interrupted_us_.store(until_us, std::memory_order_release); }

livetalker_sample_info Presentation::sample(double audio_s, float* out) {
  livetalker_sample_info info{};
  info.struct_size = sizeof(info);
  info.audio_s = info.playhead_s = std::numeric_limits<double>::quiet_NaN();
  const double local_s = now();
  while (const Observation* observation = observations_.front()) {
    if (std::isnan(observation->audio_s)) {
      clock_.reset();
    } else {
      clock_.observe(observation->local_s, observation->audio_s);
    }
    observations_.pop();
  }
  JitterBuffer* const buffer = buffer_.load(std::memory_order_acquire);
  if (buffer == nullptr) {
    std::fill_n(out, kBlendshapes, 0.0F);
    return info;
  }
  if (std::isnan(audio_s)) audio_s = clock_.position(local_s);
  const std::int64_t interrupted_us = interrupted_us_.exchange(-1, std::memory_order_acq_rel);
  if (interrupted_us >= 0) {
    while (arrivals_.front() != nullptr) arrivals_.pop();
    buffer->flush(interrupted_us);
  }
  while (const Arrival* arrival = arrivals_.front()) {
    const double arrived_s = audio_s - (local_s - arrival->local_s);
    if (buffer->push(arrival->frame, arrived_s) == JitterBuffer::PushResult::kFull) break;
    arrivals_.pop();
  }
  buffer->sample(audio_s, local_s, out);
  info.state = static_cast<std::int32_t>(buffer->state());
  info.presence = buffer->presence();
  info.audio_s = audio_s;
  info.playhead_s = buffer->playhead_s();
  info.delay_s = buffer->delay_s();
  return info;
}

}  // namespace livetalker

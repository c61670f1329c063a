#include "audio_clock.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace livetalker {
namespace {

// Time in which an error is made good: long beside the jitter of callbacks, short beside what drift does.
constexpr double kSettle = 2.0;
// At most this much of an error is made good at once: the pace stays within 0.95 and 1.05.
constexpr double kErrorLimit = 0.1;
// Errors above this are a discontinuity and not a late callback ...
constexpr double kJump = 0.25;
// ... once they have lasted this long: one callback that a busy machine delayed is none.
constexpr double kDoubt = 0.1;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void AudioClock::reset() {
  running_ = false;
  local_ = audio_ = slew_ = 0.0;
  doubt_since_ = kNever;
}

double AudioClock::position(double local_s) const {
  if (!running_) return kNever;
  const double elapsed = local_s - local_;
  return audio_ + elapsed + slew_ * std::min(elapsed, kSettle);
}

bool AudioClock::observe(double local_s, double audio_s) {
  if (!std::isfinite(local_s) || !std::isfinite(audio_s)) return false;
  if (!running_) {
    running_ = true;
    set(local_s, audio_s);
    return true;
  }
  if (local_s < local_) return false;
  const double predicted = position(local_s);
  const double error = audio_s - predicted;
  if (std::fabs(error) > kJump) {
    if (std::isnan(doubt_since_)) doubt_since_ = local_s;
    if (local_s - doubt_since_ < kDoubt) return false;
    set(local_s, audio_s);
    return true;
  }
  local_ = local_s;
  audio_ = predicted;
  slew_ = std::clamp(error, -kErrorLimit, kErrorLimit) / kSettle;
  doubt_since_ = kNever;
  return false;
}

void AudioClock::set(double local_s, double audio_s) {
  local_ = local_s;
  audio_ = audio_s;
  slew_ = 0.0;
  doubt_since_ = kNever;
}

}  // namespace livetalker

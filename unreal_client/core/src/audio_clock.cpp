#include "audio_clock.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace livetalker {
namespace {

// Time in which an error is made good: long beside the jitter of callbacks, short beside what drift does.
constexpr double kSettle = 2.0;
// How fast errors teach the rate, 1/s^2: with 1 / kSettle for the position, the loop is critically damped.
constexpr double kDriftGain = 1.0 / (4.0 * kSettle * kSettle);
// Largest error that one observation is believed to have; it bounds the slew to 5 %.
constexpr double kErrorLimit = 0.1;
// Largest difference of rates that two clocks are believed to have; sound devices stay below 0.0002.
constexpr double kDriftLimit = 0.001;
// Errors above this are a discontinuity and not a late callback ...
constexpr double kJump = 0.25;
// ... once they have lasted this long: one callback that a busy machine delayed is none.
constexpr double kDoubt = 0.1;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void AudioClock::reset() {
  running_ = false;
  local_ = audio_ = drift_ = slew_ = 0.0;
  doubt_since_ = kNever;
}

double AudioClock::position(double local_s) const {
  if (!running_) return kNever;
  const double elapsed = local_s - local_;
  return audio_ + elapsed + drift_ * elapsed + slew_ * std::min(elapsed, kSettle);
}

bool AudioClock::observe(double local_s, double audio_s) {
  if (!std::isfinite(local_s) || !std::isfinite(audio_s)) return false;
  if (!running_) {
    running_ = true;
    set(local_s, audio_s);
    return true;
  }
  const double elapsed = local_s - local_;
  if (elapsed < 0.0) return false;
  const double predicted = position(local_s);
  double error = audio_s - predicted;
  if (std::fabs(error) > kJump) {
    if (std::isnan(doubt_since_)) doubt_since_ = local_s;
    if (local_s - doubt_since_ < kDoubt) return false;
    set(local_s, audio_s);
    return true;
  }
  doubt_since_ = kNever;
  error = std::clamp(error, -kErrorLimit, kErrorLimit);
  // Over a long interval the drift may claim a quarter of what the error asks for; more would swing.
  const double gain = elapsed < kSettle ? kDriftGain * elapsed : 0.25 / elapsed;
  drift_ = std::clamp(drift_ + gain * error, -kDriftLimit, kDriftLimit);
  slew_ = error / kSettle;
  local_ = local_s;
  audio_ = predicted;
  return false;
}

void AudioClock::set(double local_s, double audio_s) {
  local_ = local_s;
  audio_ = audio_s;
  slew_ = 0.0;
  doubt_since_ = kNever;
}

}  // namespace livetalker

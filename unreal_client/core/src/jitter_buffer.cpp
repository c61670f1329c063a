#include "jitter_buffer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace livetalker {
namespace {

// How long the last frame stays; also the widest hole that is interpolated.
constexpr std::int64_t kHoldUs = 150000;
// How long the face then takes to rest: half a second after its last frame it is there.
constexpr double kEase = 0.35;
// How fast a coefficient may move while the face is not simply following its frames, per second.
constexpr double kSlew = 6.0;
// Longest render interval that counts for the slew: no step is above 0.2.
constexpr double kLongestStep = 1.0 / 30.0;
// A playhead that moves on by more than this between two samples has jumped.
constexpr double kJump = 0.1;
// How fast late frames raise the delay that is aimed at, seconds per second between arrivals,
constexpr double kGrow = 0.2;
// and how fast timely ones lower it: where the two balance, one frame in forty is late.
constexpr double kShrink = 0.005;
// Longest interval between arrivals that counts for either: an outage is no jitter.
constexpr double kLongestWait = 0.1;
// How much slower or faster than the audio the playhead may run to reach the delay that is aimed at.
constexpr double kPace = 0.2;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

double seconds(std::int64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

// 0 for what is negative or NaN.
double positive(double value) { return value > 0.0 ? value : 0.0; }

}  // namespace

JitterBuffer::JitterBuffer(int frame_rate, double floor_s, double max_s, int capacity)
    : period_(1.0 / frame_rate), floor_(floor_s), max_(max_s), slots_(static_cast<std::size_t>(capacity)), last_local_(kNever) {
  reset();
}

void JitterBuffer::reset() {
  first_ = count_ = 0;
  last_index_ = last_time_us_ = -1;
  last_arrival_ = last_audio_ = playhead_ = kNever;
  aim_ = delay_ = floor_;
  settled_ = false;
  state_ = State::kResting;
}

JitterBuffer::PushResult JitterBuffer::push(const FaceFrame& frame, double arrived_s) {
  if (frame.index <= last_index_ || frame.time_us <= last_time_us_) return PushResult::kDropped;
  if (count_ == slots_.size()) return PushResult::kFull;
  const double time_s = seconds(frame.time_us);
  if (!std::isnan(arrived_s)) learn(arrived_s - time_s + period_, arrived_s);
  last_index_ = frame.index;
  last_time_us_ = frame.time_us;
  Slot& free = slot(count_++);
  free.time_us = frame.time_us;
  std::copy(frame.weights.begin(), frame.weights.end(), free.pose.begin());
  free.pose[kBlendshapes] = 1.0F;
  return time_s < playhead_ ? PushResult::kLate : PushResult::kAccepted;
}

void JitterBuffer::flush(std::int64_t until_us) {
  first_ = count_ = 0;
  last_time_us_ = std::max(last_time_us_, until_us - 1);
  if (std::isnan(playhead_)) return;
  // What is shown becomes a frame that has been held long enough.
  slots_[0].pose = output_;
  slots_[0].time_us = static_cast<std::int64_t>(std::floor(playhead_ * 1e6)) - kHoldUs;
  count_ = 1;
}

void JitterBuffer::sample(double audio_s, double local_s, float* out) {
  const double passed = positive(local_s - last_local_);
  last_local_ = local_s;
  move_playhead(audio_s);
  aim_pose();
  show(passed);
  std::copy_n(output_.begin(), kBlendshapes, out);
}

void JitterBuffer::learn(double need, double arrived_s) {
  need = std::clamp(need, floor_, max_);
  const double waited = std::min(positive(arrived_s - last_arrival_), kLongestWait);
  aim_ += std::clamp(need - aim_, -kShrink * waited, kGrow * waited);
  last_arrival_ = arrived_s;
}

void JitterBuffer::move_playhead(double audio_s) {
  const double passed = positive(audio_s - last_audio_);
  if (passed > 0.0) delay_ += std::clamp(aim_ - delay_, -kPace * passed, kPace * passed);
  const double playhead = audio_s - delay_;
  const double moved = playhead - playhead_;
  if (!(moved >= 0.0 && moved <= kJump)) settled_ = false;
  last_audio_ = audio_s;
  playhead_ = playhead;
}

void JitterBuffer::aim_pose() {
  while (count_ >= 2 && seconds(slot(1).time_us) <= playhead_) {
    first_ = (first_ + 1) % slots_.size();
    --count_;
  }
  const Slot& present = slot(0);
  const double since = playhead_ - seconds(present.time_us);
  if (count_ == 0 || !(since >= 0.0)) {
    state_ = State::kResting;
    target_.fill(0.0F);
    return;
  }
  if (count_ >= 2) {
    const Slot& following = slot(1);
    const std::int64_t interval = following.time_us - present.time_us;
    if (interval <= kHoldUs) {
      state_ = State::kPlaying;
      const auto part = static_cast<float>(since / seconds(interval));
      for (std::size_t i = 0; i < target_.size(); ++i) {
        target_[i] = present.pose[i] + part * (following.pose[i] - present.pose[i]);
      }
      return;
    }
  }
  const double eased = (since - seconds(kHoldUs)) / kEase;
  if (eased < 0.0) {
    state_ = State::kHolding;
    target_ = present.pose;
  } else if (eased < 1.0) {
    state_ = State::kEasing;
    const auto left = static_cast<float>(1.0 - eased * eased * (3.0 - 2.0 * eased));
    for (std::size_t i = 0; i < target_.size(); ++i) target_[i] = left * present.pose[i];
  } else {
    state_ = State::kResting;
    target_.fill(0.0F);
  }
}

void JitterBuffer::show(double passed_s) {
  const bool playing = state_ == State::kPlaying;
  if (playing && settled_) {
    output_ = target_;
    return;
  }
  const auto step = static_cast<float>(kSlew * std::min(passed_s, kLongestStep));
  bool reached = true;
  for (std::size_t i = 0; i < output_.size(); ++i) {
    const float move = target_[i] - output_[i];
    reached = reached && std::fabs(move) <= step;
    output_[i] += std::clamp(move, -step, step);
  }
  settled_ = playing && reached;
}

}  // namespace livetalker

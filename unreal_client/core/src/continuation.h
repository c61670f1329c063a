// Where each call of a session begins, so that the caller's clock and frame numbers go on across calls.
//
// A call that resumes keeps the stream's clock. A call that has to begin a new stream starts it at a whole second of the
// caller's clock, so that frames of the new stream fall on instants of the old one: their numbers differ by a constant.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace livetalker {

// How to begin a call.
struct Opening {
  // Token to resume with; empty: a new stream.
  std::string token;
  // First frame that is still needed, as the call's stream numbers frames.
  std::int64_t next_frame = 0;
  // First sample to send, on the caller's clock.
  std::int64_t first_sample = 0;
  // Position of the call's sample 0 on the caller's clock.
  std::int64_t origin = 0;
  // Sample on the caller's clock up to which the token knows of identities and flushes; 0: of none.
  std::int64_t known = 0;
};

class Continuation {
 public:
  // Audio before the next frame that is sent again: what the model needs to speak on as if nothing had happened.
  static constexpr int kRepeatSeconds = 2;
  // Holes that are left to the server to fill with silence; it refuses those of more than ten seconds.
  static constexpr double kLongestGapSeconds = 9.5;

  Continuation(int sample_rate, int frame_rate) : sample_rate_(sample_rate), frame_rate_(frame_rate) {}

  // Decides how the next call begins, given the oldest sample that can still be sent.
  Opening next(std::int64_t oldest_sample);

  // The token that a call begins with: it knows no more than the one that was shown, or nothing.
  void keep(std::string token) { token_ = std::move(token); }
  // A newer token, and the frame of the present call that it was made at.
  void keep(std::string token, std::int64_t frame_in_call) {
    keep(std::move(token));
    known_ = instant(on_callers_clock(frame_in_call));
  }
  // The server does not want the token: the next call begins a new stream.
  void forget() { token_.clear(); }

  // Number on the caller's clock of a frame of the present call; nothing where the caller has had it already.
  std::optional<std::int64_t> accept(std::int64_t index_in_call);

  // Frames before this one, on the caller's clock, will never come.
  void skip_to(std::int64_t frame) { next_frame_ = std::max(next_frame_, frame); }

  std::int64_t on_callers_clock(std::int64_t index_in_call) const { return index_in_call + origin_frames_; }
  std::int64_t next_frame() const { return next_frame_; }
  // Position from which audio may still be asked for again: by a new stream, which begins at a whole second.
  std::int64_t needed_from() const { return repeat_from() / sample_rate_ * sample_rate_; }

 private:
  std::int64_t instant(std::int64_t frame) const { return frame * sample_rate_ / frame_rate_; }
  // Where the audio begins that a resumed stream wants to hear again.
  std::int64_t repeat_from() const { return std::max<std::int64_t>(0, instant(next_frame_) - kRepeatSeconds * sample_rate_); }

  const std::int64_t sample_rate_;
  const std::int64_t frame_rate_;
  std::string token_;
  std::int64_t next_frame_ = 0;
  std::int64_t origin_frames_ = 0;
  std::int64_t known_ = 0;
};

}  // namespace livetalker

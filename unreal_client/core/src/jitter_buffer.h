// The face that belongs to a position on the audio, from frames that come early, late, in bursts or not at all.
//
// Specified in docs/presentation.md; the vectors in tests/vectors/presentation hold what it must answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "face_frame.h"

namespace livetalker {

// The playhead is the audio's position less a delay, which adapts to how late frames come. What is shown is a function
// of the playhead and the frames alone, but that a face which is not simply following its frames moves no faster than a
// limit. One thread at a time; nothing is allocated after construction.
class JitterBuffer {
 public:
  // What a sample shows.
  enum class State {
    kResting,  // no frame belongs there: the face is at rest, or on its way
    kPlaying,  // between two frames
    kHolding,  // the next frame is missing: the last one stays
    kEasing,   // it has been missing for long: the last one fades to rest
  };

  // What became of a frame.
  enum class PushResult {
    kAccepted,  // it will be shown in time
    kLate,      // the playhead was past it already: if it is the newest, it is held
    kDropped,   // its index or time is not above all before it, or a flush had ruled it out
    kFull,      // nothing was done: every slot holds a frame yet to be shown
  };

  static constexpr double kDefaultRange = 0.5;  // by how much the greatest delay is above the least

  // `floor_s` and `max_s`: least and greatest delay; `capacity`: frames held at most, at least 2.
  JitterBuffer(int frame_rate, double floor_s, double max_s, int capacity);

  // Makes ready for another stream; the face goes to rest from where it is.
  void reset();

  // Takes a frame. `arrived_s`: where the audio was when it arrived; NaN: that is not known.
  PushResult push(const FaceFrame& frame, double arrived_s);

  // Drops what is not shown yet, and frames before `until_us` when they come; the face eases to rest.
  void flush(std::int64_t until_us);

  // Writes the face for now. `audio_s`: where the audio is, NaN if that is not known; `local_s`: a monotonic clock.
  void sample(double audio_s, double local_s, float* out);

  State state() const { return state_; }
  // How far the playhead is behind the audio.
  double delay_s() const { return delay_; }
  // The instant the last sample showed; NaN if there was none.
  double playhead_s() const { return playhead_; }
  // How far the last sample was from rest, 0 to 1, for what moves with the face: head, gaze.
  float presence() const { return output_[kBlendshapes]; }

 private:
  // The 53rd coefficient is 1 in every frame and 0 at rest: it becomes the presence.
  using Pose = std::array<float, kBlendshapes + 1>;
  struct Slot {
    std::int64_t time_us = 0;
    Pose pose{};
  };

  Slot& slot(std::size_t number) { return slots_[(first_ + number) % slots_.size()]; }
  void learn(double need, double arrived_s);
  void move_playhead(double audio_s);
  void aim_pose();
  void show(double passed_s);

  const double period_;
  const double floor_;
  const double max_;
  std::vector<Slot> slots_;
  Pose output_{};
  Pose target_{};
  double last_local_;

  std::size_t first_;
  std::size_t count_;
  std::int64_t last_index_;
  std::int64_t last_time_us_;
  double last_arrival_;
  double aim_;
  double delay_;
  double playhead_;
  double last_audio_;
  bool settled_;  // the output follows the frames and nothing but them
  State state_;
};

}  // namespace livetalker

// Where a stream's audio is by now, from the times at which a sound device said so: no steps, no drift.
//
// Specified in docs/presentation.md; the vectors in tests/vectors/presentation hold what it must answer.
#pragma once

namespace livetalker {

// Maps a local monotonic clock to the position on a stream's audio. One thread at a time.
//
// A first-order tracking loop: every error is made good as a slightly other pace, never as a step.
class AudioClock {
 public:
  AudioClock() { reset(); }

  // Stops the clock and forgets everything: where playback stops, starts anew or is moved.
  void reset();

  bool running() const { return running_; }

  // Seconds since the stream's sample 0 at a local time; NaN if the clock is not running.
  double position(double local_s) const;

  // The audio was at `audio_s` at local time `local_s`. True where the clock jumped there, as it does at first.
  bool observe(double local_s, double audio_s);

 private:
  void set(double local_s, double audio_s);

  bool running_;
  double local_;        // of the last observation used
  double audio_;        // the clock's own position there
  double slew_;         // audio seconds per local second, less one, for a while after the last observation
  double doubt_since_;  // local time of the first of the implausible observations in a row
};

}  // namespace livetalker

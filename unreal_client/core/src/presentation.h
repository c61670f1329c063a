// The face at the audio's present position: a jitter buffer and an audio clock that belong to the thread that samples,
// and the queues, free of locks, through which the other threads reach them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "audio_clock.h"
#include "face_frame.h"
#include "jitter_buffer.h"
#include "options.h"
#include "spsc_ring.h"

namespace livetalker {

class Presentation {
 public:
  explicit Presentation(const Options& options);

  // Seconds of the local monotonic clock.
  static double now();

  // Of the session's thread. Frames pushed before `start` are not shown.
  void start(int frame_rate, std::int64_t latency_us);
  // False: the frame was dropped, because nobody has sampled for a long time.
  bool push(const FaceFrame& frame);
  // Whether the sampling thread is far behind.
  bool crowded() const { return 2 * arrivals_.size() > arrivals_.capacity(); }

  // Of the thread that pushes audio: `position` samples were captured by now.
  void captured(std::int64_t position);
  // Of any one thread: the loudspeaker plays `audio_s` now; NaN: it has stopped.
  void played(double audio_s);

  // Of any thread: drops what is not shown yet; frames that start before `until_us` are dropped when they come.
  void interrupt(std::int64_t until_us);

  // Of the thread that samples; neither allocates nor waits. `audio_s`: where the audio is; NaN: ask the clock.
  livetalker_sample_info sample(double audio_s, float* out);

 private:
  struct Arrival {
    FaceFrame frame;
    double local_s = 0;
  };
  struct Observation {
    double local_s = 0;
    double audio_s = 0;
  };

  const double sample_rate_;
  const bool by_capture_;
  SpscRing<Arrival> arrivals_;
  SpscRing<Observation> observations_;
  std::atomic<std::int64_t> interrupted_us_{-1};
  std::unique_ptr<JitterBuffer> made_;        // owned; made once, by `start`
  std::atomic<JitterBuffer*> buffer_{nullptr};  // the same, once it may be used
  AudioClock clock_;
};

}  // namespace livetalker

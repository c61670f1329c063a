// What a session has to send, in order: audio in chunks of 20 ms, controls where they belong between them, the end.
//
// The caller's threads put it in, the session's thread takes it out. Audio that was sent stays for some seconds, so that
// a stream that broke can be given its last two seconds again.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "audio_ring.h"
#include "livetalker/v1/face_animation.pb.h"
#include "options.h"

namespace livetalker {

class Outbound {
 public:
  explicit Outbound(const Options& options);

  // Caller's side ------------------------------------------------------------------------------------------------------

  // Takes `count` samples of every channel, averaged. `worth_sending` becomes true when another chunk can be sent.
  livetalker_status push(const float* samples, std::int64_t count, bool& worth_sending);
  livetalker_status end();
  // A control that takes effect after the audio pushed so far.
  livetalker_status control(v1::Control control);
  // Forgets the audio that was not sent and flushes the server. The result is the position of the next sample.
  std::optional<std::int64_t> interrupt();
  // Refuses everything from now on.
  void close();

  std::int64_t position() const;
  std::int64_t samples_lost() const;

  // Session's side -----------------------------------------------------------------------------------------------------

  struct Chunk {
    std::int64_t start = 0;
    std::vector<float> samples;
  };
  enum class Next { kNothing, kAudio, kControl, kEnd };

  // Takes what is to be sent next. kEnd is given once per restart.
  Next take(Chunk& chunk, v1::Control& control);

  // Span of audio that can still be sent.
  std::int64_t oldest() const;
  std::int64_t newest() const { return position(); }

  // A new call begins: audio from `position` on is sent again, and the standing controls (mute, shaping) with it. Whose
  // style was chosen, and an interruption, are said again unless they lie before `known`: the server knows of them.
  void restart(std::int64_t position, std::int64_t known);

  // Lossless: audio before this position will not be needed again.
  void release_before(std::int64_t position);

 private:
  struct Placed {
    std::int64_t position;
    v1::Control control;
    bool again = false;  // it was sent in an earlier call
  };

  void remember(const Placed& placed);

  const int channels_;
  const bool lossless_;
  const std::int64_t chunk_;

  mutable std::mutex mutex_;
  AudioRing ring_;
  std::int64_t sent_ = 0;          // next position to send in the present call
  std::int64_t sent_ever_ = 0;     // highest position sent in any call
  std::int64_t needed_from_ = 0;   // lossless: the oldest position a restart may ask for
  std::int64_t lost_ = 0;
  std::deque<Placed> controls_;    // to be sent, by position
  std::optional<Placed> mute_;     // newest of each kind that was sent: a new call has to hear it again
  std::optional<Placed> shaping_;
  std::optional<Placed> identity_;
  std::optional<Placed> flush_;
  bool ended_ = false;
  bool end_taken_ = false;
  bool closed_ = false;
};

}  // namespace livetalker

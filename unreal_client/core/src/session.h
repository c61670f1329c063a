// One voice and one face: what the C interface's functions do, and the thread that keeps a stream going.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "backoff.h"
#include "completion.h"
#include "continuation.h"
#include "event_queue.h"
#include "failure.h"
#include "frame_queue.h"
#include "inbound.h"
#include "options.h"
#include "outbound.h"
#include "presentation.h"

namespace livetalker {

class Session {
 public:
  explicit Session(Options options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // Waits for the thread to end. Virtual, because the C interface's type is what is made, and this is what is deleted.
  virtual ~Session();

  // Orders the thread to end and returns at once.
  void stop();

  livetalker_status push_audio(const float* samples, std::int64_t count);
  livetalker_status end_audio();
  livetalker_status send(v1::Control control);
  livetalker_status interrupt();

  livetalker_state state() const { return state_; }
  bool next_event(SessionEvent& event) { return events_.pop(event); }
  livetalker_status next_frame(FaceFrame& frame);
  livetalker_stats stats() const;
  std::int64_t audio_position() const { return outbound_.position(); }
  Presentation& presentation() { return presentation_; }

 private:
  using Time = Completion::Clock::time_point;

  void run();
  // What is done once, before the first call, because it may take time. False: the session has failed.
  bool prepare();
  // Decides whether another call follows, and tells the caller why it is needed.
  bool prepare_retry(const Failure& failure);
  void fail(const Failure& failure, const std::string& message);
  void rest(double seconds);

  Options options_;  // the session's thread adds the TLS files before its first call; nothing else changes
  std::atomic<livetalker_state> state_{LIVETALKER_STATE_CONNECTING};
  std::atomic<bool> stop_{false};
  Counters counters_;
  EventQueue events_;
  FrameQueue frames_;
  Outbound outbound_;
  Presentation presentation_;
  Completion completion_;

  // Of the session's thread.
  Continuation continuation_;
  Inbound inbound_;
  Backoff backoff_;
  Time outage_since_;
  bool in_outage_ = false;
  livetalker_error told_ = LIVETALKER_ERROR_NONE;

  std::thread thread_;
};

}  // namespace livetalker

// What the server says, on the session's thread: frames to whoever shows or takes them, the rest as events.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "call.h"
#include "continuation.h"
#include "event_queue.h"
#include "frame_queue.h"
#include "options.h"
#include "outbound.h"
#include "presentation.h"

namespace livetalker {

// Counts that other threads read.
struct Counters {
  std::atomic<std::int64_t> received{0};
  std::atomic<std::int64_t> dropped{0};
  std::atomic<std::int64_t> reconnects{0};
  std::atomic<std::int64_t> latency_us{0};
};

class Inbound final : public CallListener {
 public:
  Inbound(const Options& options, Continuation& continuation, Outbound& outbound, FrameQueue& frames,
          Presentation& presentation, EventQueue& events, Counters& counters, std::atomic<livetalker_state>& state);

  // A call begins.
  void begin() { delivered_ = false; }
  // The present call has delivered frames.
  bool delivered() const { return delivered_; }
  // Some call was taken by the server.
  bool ever_started() const { return ever_started_; }

  void on_response(const v1::AnimateResponse& response) override;
  bool wants_more() override;

 private:
  void on_started(const v1::Started& started);
  void on_frames(const v1::Frames& frames);
  void on_event(const v1::Event& event);
  void on_gap(const v1::Gap& gap);

  const Options& options_;
  Continuation& continuation_;
  Outbound& outbound_;
  FrameQueue& frames_;
  Presentation& presentation_;
  EventQueue& events_;
  Counters& counters_;
  std::atomic<livetalker_state>& state_;

  // Where in a wire frame each of our coefficients stands; -1: nowhere.
  std::array<int, kBlendshapes> order_{};
  bool delivered_ = false;
  bool ever_started_ = false;
};

}  // namespace livetalker

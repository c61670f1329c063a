// A session of the C interface as the tests use it: events and frames are collected, audio can come at its own pace.
#pragma once

#include <livetalker/livetalker.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace testing_support {

double now_s();

// Checks again and again; false: it did not become true in time.
bool wait_for(double seconds, const std::function<bool()>& condition);

struct TimedFrame {
  livetalker_frame frame;
  double arrived_s;
};

class Talker {
 public:
  // Opens a session that keeps its frames; `change` sets what is to be other than the defaults.
  explicit Talker(const std::string& address, const std::function<void(livetalker_config&)>& change = {});
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;
  ~Talker();

  livetalker_session* get() const { return session_; }

  // Takes what there is by now.
  void collect();
  const std::vector<TimedFrame>& frames() const { return frames_; }
  const std::vector<livetalker_event>& events() const { return events_; }
  // The first event of a kind; null: there is none yet.
  const livetalker_event* event(int kind);
  int count(int kind) const;

  // Collects until an event of the kind is there.
  const livetalker_event* wait_event(int kind, double seconds);
  // Pushes everything and collects until the session has ended.
  bool push_all(const std::vector<float>& samples, int rate, double seconds);

 private:
  livetalker_session* session_ = nullptr;
  std::vector<TimedFrame> frames_;
  std::vector<livetalker_event> events_;
};

// Pushes samples at the pace at which they would be spoken, ten milliseconds at a time, from a thread of its own.
class Microphone {
 public:
  Microphone(livetalker_session* session, const std::vector<float>& samples, int rate);
  Microphone(const Microphone&) = delete;
  Microphone& operator=(const Microphone&) = delete;
  ~Microphone();

  bool done() const { return done_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

// Every frame once and in order.
void expect_in_order(const std::vector<TimedFrame>& frames);

}  // namespace testing_support

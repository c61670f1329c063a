// Events that wait for livetalker_next_event; a caller that takes none loses the oldest.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "livetalker/livetalker.h"

namespace livetalker {

struct SessionEvent {
  int kind = 0;
  livetalker_error error = LIVETALKER_ERROR_NONE;
  double confidence = 0;
  double retry_after_s = 0;
  std::int64_t first_frame = 0;
  std::int64_t frame_count = 0;
  std::string name;
  std::string message;
};

class EventQueue {
 public:
  static constexpr std::size_t kMost = 256;

  void push(SessionEvent event) {
    const std::lock_guard lock(mutex_);
    if (events_.size() == kMost) events_.pop_front();
    events_.push_back(std::move(event));
  }

  bool pop(SessionEvent& event) {
    const std::lock_guard lock(mutex_);
    if (events_.empty()) return false;
    event = std::move(events_.front());
    events_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<SessionEvent> events_;
};

}  // namespace livetalker

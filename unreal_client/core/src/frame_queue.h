// Frames that wait for livetalker_next_frame, oldest first, about as many as the caller asked to keep.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>

#include "face_frame.h"

namespace livetalker {

class FrameQueue {
 public:
  // Beyond `limit` a lossless queue is full, and still takes the rest of a message; another one forgets the oldest.
  FrameQueue(int limit, bool lossless) : limit_(static_cast<std::size_t>(limit)), lossless_(lossless) {}

  bool kept() const { return limit_ > 0; }

  bool full() const {
    const std::lock_guard lock(mutex_);
    return kept() && frames_.size() >= limit_;
  }

  void push(const FaceFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (!kept() || frame.index < wanted_from_) return;
    if (!lossless_ && frames_.size() == limit_) frames_.pop_front();
    frames_.push_back(frame);
  }

  // False: there is none.
  bool pop(FaceFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (frames_.empty()) return false;
    frame = frames_.front();
    frames_.pop_front();
    return true;
  }

  // Forgets every frame, and those still under way whose number is below `index`.
  void interrupt(std::int64_t index) {
    const std::lock_guard lock(mutex_);
    frames_.clear();
    wanted_from_ = index;
  }

 private:
  const std::size_t limit_;
  const bool lossless_;
  mutable std::mutex mutex_;
  std::deque<FaceFrame> frames_;
  std::int64_t wanted_from_ = 0;
};

}  // namespace livetalker

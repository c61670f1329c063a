// Frames that wait for livetalker_next_frame, oldest first, at most as many as the caller asked to keep.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "face_frame.h"

namespace livetalker {

class FrameQueue {
 public:
  explicit FrameQueue(int capacity) : slots_(static_cast<std::size_t>(capacity)) {}

  bool kept() const { return !slots_.empty(); }

  bool full() const {
    const std::lock_guard lock(mutex_);
    return kept() && count_ == slots_.size();
  }

  // Adds a frame; the oldest goes when there is no room.
  void push(const FaceFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (!kept() || frame.index < wanted_from_) return;
    slots_[(first_ + count_) % slots_.size()] = frame;
    if (count_ < slots_.size()) {
      ++count_;
    } else {
      first_ = (first_ + 1) % slots_.size();
    }
  }

  // False: there is none.
  bool pop(FaceFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (count_ == 0) return false;
    frame = slots_[first_];
    first_ = (first_ + 1) % slots_.size();
    --count_;
    return true;
  }

  // Forgets every frame, and those still under way whose number is below `index`.
  void interrupt(std::int64_t index) {
    const std::lock_guard lock(mutex_);
    count_ = 0;
    wanted_from_ = index;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<FaceFrame> slots_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::int64_t wanted_from_ = 0;
};

}  // namespace livetalker

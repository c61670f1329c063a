// The queue that a session's thread waits on: gRPC's completions, and wake-ups from other threads.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <chrono>
#include <cstdint>
#include <mutex>

namespace livetalker {

// What a completion belongs to.
enum class Tag : std::intptr_t { kWake = 1, kBegun, kRead, kWritten, kHalfClosed, kFinished };

inline void* as_pointer(Tag tag) { return reinterpret_cast<void*>(static_cast<std::intptr_t>(tag)); }

class Completion {
 public:
  using Clock = std::chrono::system_clock;  // gRPC's deadlines are of this clock

  Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  // Nothing may be pending on the queue but a wake-up.
  ~Completion() {
    {
      const std::lock_guard lock(mutex_);
      open_ = false;
    }
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::CompletionQueue& queue() { return queue_; }

  // Makes `wait` return, from any thread. Cheap while a wake-up is under way already.
  void wake() {
    const std::lock_guard lock(mutex_);
    if (!open_ || waking_) return;
    waking_ = true;
    alarm_.Set(&queue_, Clock::now(), as_pointer(Tag::kWake));
  }

  // Waits for the next completion or wake-up. False: the deadline came first.
  bool wait(Clock::time_point deadline, Tag& tag, bool& ok) {
    void* pointer = nullptr;
    if (queue_.AsyncNext(&pointer, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return false;
    tag = static_cast<Tag>(reinterpret_cast<std::intptr_t>(pointer));
    if (tag == Tag::kWake) {
      const std::lock_guard lock(mutex_);
      waking_ = false;
    }
    return true;
  }

 private:
  std::mutex mutex_;
  bool open_ = true;
  bool waking_ = false;
  grpc::CompletionQueue queue_;
  grpc::Alarm alarm_;
};

}  // namespace livetalker

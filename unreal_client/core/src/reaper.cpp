#include "reaper.h"

#include <grpc/grpc.h>

#include <utility>

namespace livetalker {

Reaper& Reaper::instance() {
  static Reaper* const reaper = new Reaper();
  return *reaper;
}

void Reaper::hold_grpc() {
  const std::lock_guard lock(mutex_);
  if (holds_grpc_) return;
  grpc_init();
  holds_grpc_ = true;
}

void Reaper::take(std::unique_ptr<Session> session) {
  session->stop();
  const std::lock_guard lock(mutex_);
  closed_.push_back(std::move(session));
  if (!running_) {
    if (thread_.joinable()) thread_.join();  // it has nothing left to do but return
    thread_ = std::thread([this] { run(); });
    running_ = true;
  }
  changed_.notify_one();
}

void Reaper::shutdown() {
  std::unique_lock lock(mutex_);
  std::thread thread = std::move(thread_);
  if (thread.joinable()) {
    ending_ = true;
    changed_.notify_one();
    lock.unlock();
    thread.join();
    lock.lock();
    ending_ = false;
  }
  if (!holds_grpc_) return;
  holds_grpc_ = false;
  lock.unlock();
  grpc_shutdown_blocking();
}

void Reaper::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !closed_.empty(); });
    if (closed_.empty()) {
      running_ = false;
      return;
    }
    std::unique_ptr<Session> session = std::move(closed_.front());
    closed_.pop_front();
    lock.unlock();
    session.reset();
    lock.lock();
  }
}

}  // namespace livetalker

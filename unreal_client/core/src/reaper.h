// Ends closed sessions in the background, so that closing one never waits for its thread or the network.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "session.h"

namespace livetalker {

class Reaper {
 public:
  // The library's one. It is never destroyed: threads may need it until the process ends.
  static Reaper& instance();

  // A session is about to be opened: gRPC stays up until `shutdown`.
  void hold_grpc();
  void take(std::unique_ptr<Session> session);
  // Waits until all that was taken is gone, then for the threads of the reaper and of gRPC.
  void shutdown();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Session>> closed_;
  bool running_ = false;  // the thread has not decided to end
  bool ending_ = false;
  bool holds_grpc_ = false;
  std::thread thread_;
};

}  // namespace livetalker

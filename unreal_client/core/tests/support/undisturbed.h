// Repeats what is judged by the clock while the machine stands still: a test machine may be stopped for seconds.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

namespace testing_support {

// Measures by how much a thread that only sleeps oversleeps.
class PauseWatch {
 public:
  PauseWatch()
      : thread_([this] {
          using Clock = std::chrono::steady_clock;
          for (auto last = Clock::now(); !stop_;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            const auto now = Clock::now();
            const double slept = std::chrono::duration<double>(now - last).count();
            if (slept > longest_) longest_ = slept;
            last = now;
          }
        }) {}
  ~PauseWatch() {
    stop_ = true;
    thread_.join();
  }

  double longest_s() const { return longest_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<double> longest_{0};
  std::thread thread_;
};

// What `run` returns, from a run during which the machine did not stand still; after five attempts, whatever it was.
template <typename Run>
auto undisturbed(Run run) {
  constexpr int kAttempts = 5;
  constexpr double kPause = 0.2;
  for (int attempt = 1;; ++attempt) {
    PauseWatch watch;
    auto result = run();
    if (watch.longest_s() < kPause || attempt == kAttempts) return result;
    std::printf("the machine stood still for %.1f s; once more\n", watch.longest_s());
  }
}

}  // namespace testing_support

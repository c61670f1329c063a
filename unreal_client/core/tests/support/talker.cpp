#include "support/talker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace testing_support {

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool wait_for(double seconds, const std::function<bool()>& condition) {
  const double until = now_s() + seconds;
  while (!condition()) {
    if (now_s() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

Talker::Talker(const std::string& address, const std::function<void(livetalker_config&)>& change) {
  livetalker_config config;
  livetalker_config_init(&config, sizeof(config));
  config.address = address.c_str();
  config.frame_queue = 10000;
  if (change) change(config);
  char message[512];
  if (livetalker_open(&config, &session_, message, sizeof(message)) != LIVETALKER_OK) throw std::runtime_error(message);
}

Talker::~Talker() { livetalker_close(session_); }

void Talker::collect() {
  livetalker_event event{};
  event.struct_size = sizeof(event);
  while (livetalker_next_event(session_, &event) == LIVETALKER_OK) events_.push_back(event);
  TimedFrame timed{};
  timed.frame.struct_size = sizeof(timed.frame);
  while (livetalker_next_frame(session_, &timed.frame) == LIVETALKER_OK) {
    timed.arrived_s = now_s();
    frames_.push_back(timed);
  }
}

const livetalker_event* Talker::event(int kind) {
  const auto found = std::find_if(events_.begin(), events_.end(), [=](const auto& event) { return event.kind == kind; });
  return found == events_.end() ? nullptr : &*found;
}

int Talker::count(int kind) const {
  return static_cast<int>(std::count_if(events_.begin(), events_.end(), [=](const auto& event) { return event.kind == kind; }));
}

const livetalker_event* Talker::wait_event(int kind, double seconds) {
  wait_for(seconds, [&] {
    collect();
    return event(kind) != nullptr;
  });
  return event(kind);
}

bool Talker::push_all(const std::vector<float>& samples, int rate, double seconds) {
  const double until = now_s() + seconds;
  for (std::size_t start = 0; start < samples.size();) {
    const std::size_t piece = std::min(samples.size() - start, static_cast<std::size_t>(rate / 10));
    const livetalker_status status = livetalker_push_audio(session_, &samples[start], static_cast<std::int64_t>(piece));
    if (status == LIVETALKER_OK) start += piece;
    if (status != LIVETALKER_OK && status != LIVETALKER_BUSY) return false;
    collect();
    if (now_s() > until) return false;
    if (status == LIVETALKER_BUSY) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  livetalker_end_audio(session_);
  const bool ended = wait_for(until - now_s(), [&] {
    collect();
    return event(LIVETALKER_EVENT_ENDED) != nullptr || event(LIVETALKER_EVENT_FAILED) != nullptr;
  });
  collect();
  return ended;
}

Microphone::Microphone(livetalker_session* session, const std::vector<float>& samples, int rate)
    : thread_([this, session, &samples, rate] {
        const auto begin = std::chrono::steady_clock::now();
        const std::size_t block = static_cast<std::size_t>(rate / 100);
        for (std::size_t start = 0; start + block <= samples.size() && !stop_; start += block) {
          std::this_thread::sleep_until(begin + std::chrono::milliseconds(10 * (start / block + 1)));
          livetalker_push_audio(session, &samples[start], static_cast<std::int64_t>(block));
        }
        done_ = true;
      }) {}

Microphone::~Microphone() {
  stop_ = true;
  thread_.join();
}

void expect_in_order(const std::vector<TimedFrame>& frames) {
  for (std::size_t i = 1; i < frames.size(); ++i) {
    ASSERT_LT(frames[i - 1].frame.index, frames[i].frame.index) << "at " << i;
    ASSERT_LT(frames[i - 1].frame.time_us, frames[i].frame.time_us) << "at " << i;
  }
}

}  // namespace testing_support

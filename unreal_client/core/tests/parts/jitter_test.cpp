// The jitter buffer on simulated networks, in virtual time: frames in their place under 80 ms of jitter, and no pop
// when half a second of them is missing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <random>

#include "jitter_buffer.h"

namespace livetalker {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Coefficient 0 rises with time, so that a face tells the instant it belongs to; the others move as fast as a mouth.
constexpr double kLongest = 40.0;

FaceFrame frame_at(std::int64_t index, int frame_rate) {
  FaceFrame frame;
  frame.index = index;
  frame.time_us = index * 1000000 / frame_rate;
  const double time = static_cast<double>(frame.time_us) / 1e6;
  frame.weights[0] = static_cast<float>(time / kLongest);
  for (std::size_t i = 1; i < frame.weights.size(); ++i) {
    frame.weights[i] = static_cast<float>(0.5 + 0.5 * std::sin(time * (4.0 + static_cast<double>(i) / 8.0)));
  }
  return frame;
}

// Renders for `seconds` while frames arrive `delay(index)` after their instant, in order; `check` sees each sample.
template <typename Delay, typename Check>
void simulate(int frame_rate, int render_rate, double floor_s, double seconds, Delay delay, Check check) {
  JitterBuffer buffer(frame_rate, floor_s, floor_s + JitterBuffer::kDefaultRange, 256);
  Face face{};
  std::int64_t next = 0;
  double arrival = delay(next);
  for (int tick = 0; tick < static_cast<int>(seconds * render_rate); ++tick) {
    const double now = static_cast<double>(tick) / render_rate;
    while (arrival <= now) {
      buffer.push(frame_at(next, frame_rate), arrival);
      ++next;
      // What TCP delivers stays in order.
      arrival = std::max(arrival, static_cast<double>(next) / frame_rate + delay(next));
    }
    buffer.sample(now, now, face.data());
    check(now, face, buffer);
  }
}

struct Rates {
  int frames;
  int renders;
};

class Simulated : public testing::TestWithParam<Rates> {};

TEST_P(Simulated, EightyMillisecondsOfJitterLeaveEveryFrameWithinHalfAFrame) {
  const auto [frame_rate, render_rate] = GetParam();
  std::minstd_rand random(7);
  std::uniform_real_distribution<double> jitter(0.0, 0.08);
  double worst = 0;
  double longest_age = 0;
  double shortest_age = kNever;
  simulate(
      frame_rate, render_rate, 0.04, 30.0, [&](std::int64_t) { return 0.02 + jitter(random); },
      [&](double now, const Face& face, const JitterBuffer& buffer) {
        if (now < 3.0) return;  // until the delay has grown to what this network needs
        const double shown = static_cast<double>(face[0]) * kLongest;
        worst = std::max(worst, std::fabs(buffer.playhead_s() - shown));
        longest_age = std::max(longest_age, now - shown);
        shortest_age = std::min(shortest_age, now - shown);
      });
  const double half_a_frame = 0.5 / frame_rate;
  EXPECT_LT(worst, half_a_frame);                          // from the instant it is said to be of
  EXPECT_LT(longest_age - shortest_age, 2 * half_a_frame);  // half a frame to either side of a constant delay
  RecordProperty("worst_ms", std::to_string(worst * 1e3));
  RecordProperty("spread_ms", std::to_string((longest_age - shortest_age) * 1e3));
  std::printf("%d fps at %d Hz: worst %.1f ms from its instant, delay within %.1f ms\n", frame_rate, render_rate,
              worst * 1e3, (longest_age - shortest_age) * 1e3);
}

TEST_P(Simulated, AnUnderrunOfHalfASecondHasNoPop) {
  const auto [frame_rate, render_rate] = GetParam();
  const auto outage = [](double time) { return time >= 5.0 && time < 5.5 ? 5.5 - time : 0.0; };
  Face before{};
  double largest = 0;
  float least_presence = 1;
  simulate(
      frame_rate, render_rate, 0.1, 10.0,
      [&, rate = frame_rate](std::int64_t index) { return 0.05 + outage(static_cast<double>(index) / rate); },
      [&](double now, const Face& face, const JitterBuffer& buffer) {
        for (std::size_t i = 0; i < face.size(); ++i) {
          largest = std::max(largest, std::fabs(static_cast<double>(face[i] - before[i])));
        }
        before = face;
        if (now > 5.0 && now < 6.0) least_presence = std::min(least_presence, buffer.presence());
      });
  EXPECT_LE(largest, 0.25);
  EXPECT_LT(least_presence, 0.9F);  // it did ease
  std::printf("%d fps at %d Hz: largest move %.3f, presence down to %.2f\n", frame_rate, render_rate, largest,
              static_cast<double>(least_presence));
}

INSTANTIATE_TEST_SUITE_P(Networks, Simulated, testing::Values(Rates{30, 30}, Rates{30, 60}, Rates{60, 60}, Rates{60, 144}),
                         [](const auto& made) {
                           return std::to_string(made.param.frames) + "fps" + std::to_string(made.param.renders) + "Hz";
                         });

}  // namespace
}  // namespace livetalker

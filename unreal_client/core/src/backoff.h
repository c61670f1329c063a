// How long to wait between attempts to connect: doubling, spread by chance so that many characters do not come at once,
// and short at first, so that a server that is only restarted is found within a second of its return.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace livetalker {

class Backoff {
 public:
  static constexpr double kFirst = 0.1;
  static constexpr double kLongest = 2.0;
  // With the time it takes to hear two seconds of audio again, the face goes on within a second.
  static constexpr double kLongestAtFirst = 0.25;
  static constexpr double kAtFirst = 10.0;
  static constexpr double kSpread = 0.2;

  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  // Seconds to wait before the next attempt, `outage` seconds after the connection was lost.
  double next(double outage) {
    const double step = wait_;
    wait_ = std::min(2 * wait_, kLongest);
    const double spread = std::uniform_real_distribution<double>(1 - kSpread, 1 + kSpread)(random_);
    return std::min(step * spread, outage < kAtFirst ? kLongestAtFirst : kLongest);
  }

  // A stream has delivered: the next outage begins anew.
  void reset() { wait_ = kFirst; }

 private:
  double wait_ = kFirst;
  std::minstd_rand random_;
};

}  // namespace livetalker

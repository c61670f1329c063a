// Waits double, spread, and stay short while an outage is young.
#include "backoff.h"

#include <gtest/gtest.h>

namespace livetalker {
namespace {

TEST(Backoff, DoublesWithinTwentyPercentAndStaysShortForTenSeconds) {
  Backoff backoff(1);
  for (const double step : {0.1, 0.2}) {
    const double wait = backoff.next(0);
    EXPECT_GE(wait, 0.8 * step);
    EXPECT_LE(wait, 1.2 * step);
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(backoff.next(9.9), 0.25);
  for (int i = 0; i < 100; ++i) {
    const double wait = backoff.next(10.0);
    EXPECT_GE(wait, 1.6);
    EXPECT_LE(wait, 2.0);
  }
  backoff.reset();
  EXPECT_LE(backoff.next(0), 0.12);
}

}  // namespace
}  // namespace livetalker

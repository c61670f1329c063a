// What is sent, and in which order: chunks of 20 ms, controls in their place, and the past again after a break.
#include "outbound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "wire.h"

namespace livetalker {
namespace {

using Next = Outbound::Next;

class OutboundTest : public testing::Test {
 protected:
  static Options options(bool lossless, int channels = 1) {
    Options made;
    made.sample_rate = 1000;  // chunks of 20 samples
    made.lossless = lossless;
    made.channels = channels;
    return made;
  }

  // Pushes samples whose values are their positions, in thousandths.
  livetalker_status push(Outbound& outbound, std::int64_t count) {
    std::vector<float> samples(static_cast<std::size_t>(count));
    const std::int64_t start = outbound.position();
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(start + static_cast<std::int64_t>(i)) / 1000.0F;
    return outbound.push(samples.data(), count, worth_);
  }

  Next take(Outbound& outbound) { return outbound.take(chunk_, control_); }

  bool worth_ = false;
  Outbound::Chunk chunk_;
  v1::Control control_;
};

TEST_F(OutboundTest, CutsAudioIntoChunksOfTwentyMilliseconds) {
  Outbound outbound(options(false));
  push(outbound, 19);
  EXPECT_FALSE(worth_);
  EXPECT_EQ(Next::kNothing, take(outbound));
  push(outbound, 22);
  EXPECT_TRUE(worth_);
  for (const int start : {0, 20}) {
    ASSERT_EQ(Next::kAudio, take(outbound));
    EXPECT_EQ(start, chunk_.start);
    ASSERT_EQ(20U, chunk_.samples.size());
    EXPECT_FLOAT_EQ(static_cast<float>(start) / 1000.0F, chunk_.samples[0]);
  }
  EXPECT_EQ(Next::kNothing, take(outbound));
  outbound.end();
  ASSERT_EQ(Next::kAudio, take(outbound));  // the rest
  EXPECT_EQ(1U, chunk_.samples.size());
  EXPECT_EQ(Next::kEnd, take(outbound));
  EXPECT_EQ(Next::kNothing, take(outbound));
  EXPECT_EQ(LIVETALKER_ENDED, push(outbound, 1));
}

TEST_F(OutboundTest, AveragesChannels) {
  Outbound outbound(options(false, 2));
  std::vector<float> samples(40);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = i % 2 == 0 ? 0.5F : -0.25F;
  ASSERT_EQ(LIVETALKER_OK, outbound.push(samples.data(), 20, worth_));
  ASSERT_EQ(Next::kAudio, take(outbound));
  for (const float sample : chunk_.samples) EXPECT_FLOAT_EQ(0.125F, sample);
}

TEST_F(OutboundTest, RefusesWhatIsNoSound) {
  Outbound outbound(options(false));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 17.0F}) {
    const float samples[2] = {0.0F, bad};
    EXPECT_EQ(LIVETALKER_INVALID_ARGUMENT, outbound.push(samples, 2, worth_));
  }
  EXPECT_EQ(LIVETALKER_INVALID_ARGUMENT, outbound.push(nullptr, 1, worth_));
  EXPECT_EQ(LIVETALKER_INVALID_ARGUMENT, outbound.push(nullptr, -1, worth_));
  EXPECT_EQ(0, outbound.position());
}

TEST_F(OutboundTest, ControlsStandBetweenTheAudioBeforeAndAfterThem) {
  Outbound outbound(options(false));
  push(outbound, 25);
  outbound.control(mute_control(true));
  push(outbound, 25);
  ASSERT_EQ(Next::kAudio, take(outbound));
  ASSERT_EQ(Next::kAudio, take(outbound));
  EXPECT_EQ(5U, chunk_.samples.size());
  ASSERT_EQ(Next::kControl, take(outbound));
  EXPECT_TRUE(control_.has_mute());
  ASSERT_EQ(Next::kAudio, take(outbound));
  EXPECT_EQ(25, chunk_.start);
}

TEST_F(OutboundTest, ALiveStreamForgetsWhatIsOlderThanFourSeconds) {
  Outbound outbound(options(false));
  push(outbound, 3000);
  ASSERT_EQ(Next::kAudio, take(outbound));
  push(outbound, 3000);
  EXPECT_EQ(2000, outbound.oldest());
  EXPECT_EQ(2000 - 20, outbound.samples_lost());
  ASSERT_EQ(Next::kAudio, take(outbound));
  EXPECT_EQ(2000, chunk_.start);
  EXPECT_FLOAT_EQ(2.0F, chunk_.samples[0]);
}

TEST_F(OutboundTest, ALosslessStreamIsBusyUntilItsFramesHaveCome) {
  Outbound outbound(options(true));
  EXPECT_EQ(LIVETALKER_INVALID_ARGUMENT, push(outbound, 4001));
  EXPECT_EQ(LIVETALKER_OK, push(outbound, 4000));
  EXPECT_EQ(LIVETALKER_OK, push(outbound, 4000));
  EXPECT_EQ(LIVETALKER_BUSY, push(outbound, 1));
  EXPECT_EQ(8000, outbound.position());
  while (take(outbound) == Next::kAudio) {
  }
  outbound.release_before(1500);
  EXPECT_EQ(LIVETALKER_BUSY, push(outbound, 1501));
  EXPECT_EQ(LIVETALKER_OK, push(outbound, 1500));
  EXPECT_EQ(1500, outbound.oldest());
  EXPECT_EQ(0, outbound.samples_lost());
}

TEST_F(OutboundTest, ARestartSendsThePastAndStandingControlsAgain) {
  Outbound outbound(options(false));
  push(outbound, 100);
  outbound.control(mute_control(true));
  outbound.control(rematch_control("anna"));
  push(outbound, 100);
  while (take(outbound) != Next::kNothing) {
  }
  const auto sequence = [&](std::int64_t known) {
    outbound.restart(60, known);
    std::string said;
    for (Next next = take(outbound); next != Next::kNothing; next = take(outbound)) {
      said += next == Next::kAudio ? std::to_string(chunk_.start) + " " : control_.has_mute() ? "mute " : "identity ";
    }
    return said;
  };
  EXPECT_EQ("60 80 mute 100 120 140 160 180 ", sequence(101));
  EXPECT_EQ("60 80 mute identity 100 120 140 160 180 ", sequence(0));
}

TEST_F(OutboundTest, ARestartSaysAgainWhatTheTokenDoesNotKnow) {
  Outbound outbound(options(false));
  push(outbound, 100);
  while (take(outbound) != Next::kNothing) {
  }
  outbound.control(rematch_control("anna"));
  ASSERT_EQ(100, outbound.interrupt());
  push(outbound, 100);
  while (take(outbound) != Next::kNothing) {
  }
  const auto said = [&](std::int64_t position, std::int64_t known) {
    outbound.restart(position, known);
    std::string all;
    for (Next next = take(outbound); next != Next::kNothing; next = take(outbound)) {
      all += next == Next::kAudio ? std::to_string(chunk_.start) + " " : control_.has_flush() ? "flush " : "identity ";
    }
    return all;
  };
  EXPECT_EQ("60 80 identity flush 100 120 140 160 180 ", said(60, 100));
  EXPECT_EQ("60 80 100 120 140 160 180 ", said(60, 101));
  EXPECT_EQ("60 80 identity flush 100 120 140 160 180 ", said(60, 0));
  EXPECT_EQ("identity 140 160 180 ", said(140, 0)) << "there is nothing left to take back";
}

TEST_F(OutboundTest, RestartsOfCallsThatNeverWereSendStandingControlsOnce) {
  Outbound outbound(options(false));
  outbound.control(mute_control(true));
  ASSERT_EQ(Next::kControl, take(outbound));
  outbound.control(mute_control(false));
  for (int attempt = 0; attempt < 100; ++attempt) outbound.restart(0, 0);
  ASSERT_EQ(Next::kControl, take(outbound));
  EXPECT_TRUE(control_.has_mute());
  ASSERT_EQ(Next::kControl, take(outbound));
  EXPECT_TRUE(control_.has_unmute());
  EXPECT_EQ(Next::kNothing, take(outbound));
}

TEST_F(OutboundTest, AnInterruptionTakesBackWhatWasNotSent) {
  Outbound outbound(options(false));
  push(outbound, 100);
  take(outbound);
  EXPECT_EQ(20, outbound.interrupt());
  EXPECT_EQ(20, outbound.position());
  ASSERT_EQ(Next::kControl, take(outbound));
  EXPECT_TRUE(control_.has_flush());
  EXPECT_EQ(Next::kNothing, take(outbound));
  push(outbound, 20);
  ASSERT_EQ(Next::kAudio, take(outbound));
  EXPECT_EQ(20, chunk_.start);
}

TEST_F(OutboundTest, AnInterruptionInMidResumeKeepsWhatTheServerHasHeard) {
  Outbound outbound(options(false));
  push(outbound, 100);
  while (take(outbound) != Next::kNothing) {
  }
  push(outbound, 50);
  outbound.restart(0, false);
  take(outbound);
  EXPECT_EQ(100, outbound.interrupt());
  EXPECT_EQ(100, outbound.position());
}

}  // namespace
}  // namespace livetalker

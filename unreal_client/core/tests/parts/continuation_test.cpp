// Where calls begin, so that the caller's clock and frame numbers go on.
#include "continuation.h"

#include <gtest/gtest.h>

namespace livetalker {
namespace {

constexpr int kRate = 16000;
constexpr int kFps = 60;

// A stream of which `frames` frames have arrived.
Continuation after(std::int64_t frames, const char* token) {
  Continuation continuation(kRate, kFps);
  continuation.next(0);
  continuation.keep(token);
  for (std::int64_t i = 0; i < frames; ++i) EXPECT_EQ(i, continuation.accept(i));
  return continuation;
}

TEST(Continuation, BeginsAtSampleZero) {
  Continuation continuation(kRate, kFps);
  const Opening opening = continuation.next(0);
  EXPECT_TRUE(opening.token.empty());
  EXPECT_EQ(0, opening.origin);
  EXPECT_EQ(0, opening.first_sample);
}

TEST(Continuation, ResumesWithTwoSecondsOfAudio) {
  Continuation continuation = after(301, "token");
  const Opening opening = continuation.next(0);
  EXPECT_EQ("token", opening.token);
  EXPECT_EQ(301, opening.next_frame);
  EXPECT_EQ(0, opening.origin);
  EXPECT_EQ(301 * kRate / kFps - 2 * kRate, opening.first_sample);
}

TEST(Continuation, SaysWhatTheTokenKnows) {
  Continuation continuation = after(301, "token");
  EXPECT_EQ(0, continuation.next(0).known);
  continuation.keep("newer", 300);
  EXPECT_EQ(5 * kRate, continuation.next(0).known);
  continuation.keep("as it was");  // a resumed call begins
  EXPECT_EQ(5 * kRate, continuation.next(0).known);
  continuation.forget();
  EXPECT_EQ(0, continuation.next(0).known) << "a new stream knows nothing";
  continuation.keep("of the new stream");
  EXPECT_EQ(0, continuation.next(0).known);
  continuation.keep("newer", 240);  // on a clock that began three seconds later
  EXPECT_EQ(7 * kRate, continuation.next(0).known);
}

TEST(Continuation, NeverAsksForAudioBeforeTheStream) {
  Continuation continuation = after(30, "token");
  EXPECT_EQ(0, continuation.next(0).first_sample);
}

TEST(Continuation, ResumesWithWhatTheRingStillHas) {
  Continuation continuation = after(301, "token");
  EXPECT_EQ(7 * kRate, continuation.next(7 * kRate).first_sample);
}

TEST(Continuation, ANewStreamBeginsAtAWholeSecondAndItsFramesGoOn) {
  Continuation continuation = after(301, "token");
  continuation.forget();
  const Opening opening = continuation.next(0);
  EXPECT_TRUE(opening.token.empty());
  EXPECT_EQ(3 * kRate, opening.origin);  // 5.017 s less two seconds, and on to the second before
  EXPECT_EQ(3 * kRate, opening.first_sample);
  EXPECT_FALSE(continuation.accept(120));  // frame 300, which the caller has
  EXPECT_EQ(301, continuation.accept(121));
  EXPECT_EQ(302, continuation.accept(122));
  EXPECT_FALSE(continuation.accept(122));
}

TEST(Continuation, KeepsTheAudioThatANewStreamWouldWant) {
  Continuation continuation = after(301, "token");
  EXPECT_EQ(3 * kRate, continuation.needed_from());
  continuation.forget();
  EXPECT_EQ(continuation.needed_from(), continuation.next(3 * kRate).origin);
}

TEST(Continuation, AResumedNewStreamKeepsItsOwnNumbers) {
  Continuation continuation = after(301, "first");
  continuation.forget();
  continuation.next(0);
  continuation.keep("second");
  EXPECT_EQ(301, continuation.accept(121));
  const Opening opening = continuation.next(0);
  EXPECT_EQ("second", opening.token);
  EXPECT_EQ(122, opening.next_frame);
  EXPECT_EQ(3 * kRate, opening.origin);
}

TEST(Continuation, AnOutageTooLongToFillWithSilenceOpensANewStream) {
  Continuation continuation = after(300, "token");  // 5 s
  const Opening opening = continuation.next(5 * kRate + 10 * kRate + 1);
  EXPECT_TRUE(opening.token.empty());
  EXPECT_EQ(16 * kRate, opening.origin);
  EXPECT_EQ(16 * kFps, continuation.accept(0));
}

TEST(Continuation, FramesThatNeverComeAreNotAskedFor) {
  Continuation continuation = after(100, "token");
  continuation.skip_to(150);
  EXPECT_EQ(150, continuation.next(0).next_frame);
}

}  // namespace
}  // namespace livetalker

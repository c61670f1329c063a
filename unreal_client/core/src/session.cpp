#include "session.h"

#include <algorithm>
#include <utility>

#include "call.h"

namespace livetalker {

Session::Session(Options options)
    : options_(std::move(options)),
      frames_(options_.frame_queue, options_.lossless),
      outbound_(options_),
      presentation_(options_),
      continuation_(options_.sample_rate, options_.frame_rate),
      inbound_(options_, continuation_, outbound_, frames_, presentation_, events_, counters_, state_),
      backoff_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())),
      thread_([this] { run(); }) {}

Session::~Session() {
  stop();
  thread_.join();
}

void Session::stop() {
  stop_ = true;
  outbound_.close();
  completion_.wake();
}

livetalker_status Session::push_audio(const float* samples, std::int64_t count) {
  bool worth_sending = false;
  const livetalker_status status = outbound_.push(samples, count, worth_sending);
  if (status == LIVETALKER_OK) presentation_.captured(outbound_.position());
  if (worth_sending) completion_.wake();
  return status;
}

livetalker_status Session::end_audio() {
  const livetalker_status status = outbound_.end();
  completion_.wake();
  return status;
}

livetalker_status Session::send(v1::Control control) {
  const livetalker_status status = outbound_.control(std::move(control));
  completion_.wake();
  return status;
}

livetalker_status Session::interrupt() {
  const auto position = outbound_.interrupt();
  if (!position) return LIVETALKER_ENDED;
  // The first frame whose instant is not before the audio that comes next.
  const std::int64_t frame = (*position * options_.frame_rate + options_.sample_rate - 1) / options_.sample_rate;
  frames_.interrupt(frame);
  presentation_.interrupt(*position * 1000000 / options_.sample_rate);
  completion_.wake();
  return LIVETALKER_OK;
}

livetalker_status Session::next_frame(FaceFrame& frame) {
  const livetalker_state state = state_;  // before looking: the last frames come before the end
  if (frames_.pop(frame)) return LIVETALKER_OK;
  return state == LIVETALKER_STATE_ENDED || state == LIVETALKER_STATE_FAILED ? LIVETALKER_ENDED : LIVETALKER_EMPTY;
}

livetalker_stats Session::stats() const {
  livetalker_stats stats{};
  stats.struct_size = sizeof(stats);
  stats.state = state_;
  stats.frames_received = counters_.received;
  stats.frames_dropped = counters_.dropped;
  stats.reconnects = counters_.reconnects;
  stats.samples_pushed = outbound_.position();
  stats.samples_lost = outbound_.samples_lost();
  stats.algorithmic_latency_us = counters_.latency_us;
  return stats;
}

bool Session::prepare() {
  if (sends_token_in_plain_text(options_)) {
    SessionEvent event;
    event.kind = LIVETALKER_EVENT_WARNING;
    event.name = "TOKEN_IN_PLAIN_TEXT";
    event.message = "the token goes to " + options_.address + " in plain text, and anybody on the way can read it; use TLS";
    events_.push(std::move(event));
  }
  Failure failure;
  failure.error = LIVETALKER_ERROR_TLS;
  if (read_tls_files(options_, failure.message)) return true;
  fail(failure, failure.message);
  return false;
}

void Session::run() {
  if (!prepare()) {
    outbound_.close();
    return;
  }
  while (!stop_) {
    const Opening opening = continuation_.next(outbound_.oldest());
    outbound_.restart(opening.first_sample, opening.known);
    inbound_.begin();
    const Call::Result result = Call(options_, opening, outbound_, inbound_, completion_).run(stop_);
    if (stop_) break;
    if (inbound_.delivered()) {
      backoff_.reset();
      in_outage_ = false;
      told_ = LIVETALKER_ERROR_NONE;
    }
    if (result.status.ok() && result.half_closed) {
      state_ = LIVETALKER_STATE_ENDED;
      SessionEvent event;
      event.kind = LIVETALKER_EVENT_ENDED;
      events_.push(std::move(event));
      break;
    }
    const Failure failure = result.silent ? silent_server(options_, Call::kFirstAnswerSeconds)
                                          : explain(result.status, options_, inbound_.ever_started());
    if (!prepare_retry(failure)) break;
  }
  outbound_.close();
}

bool Session::prepare_retry(const Failure& failure) {
  const Time now = Completion::Clock::now();
  if (!in_outage_) outage_since_ = now;
  in_outage_ = true;
  if (failure.resume_refused) {
    continuation_.forget();
    return true;  // at once: the server is there, and would have a new stream
  }
  if (!failure.worth_retrying) {
    fail(failure, failure.message);
    return false;
  }
  const double outage = std::chrono::duration<double>(now - outage_since_).count();
  if (options_.give_up_after_s > 0 && outage >= options_.give_up_after_s) {
    fail(failure, "given up: " + failure.message);
    return false;
  }
  // A stopping server names a time too, but another one may take its place much sooner.
  const bool full = failure.error == LIVETALKER_ERROR_SERVER_FULL;
  const double wait = std::max(full ? failure.retry_after_s : 0.0, backoff_.next(outage));
  state_ = inbound_.ever_started() ? LIVETALKER_STATE_RECONNECTING : LIVETALKER_STATE_CONNECTING;
  if (told_ != failure.error) {
    told_ = failure.error;
    SessionEvent event;
    event.kind = LIVETALKER_EVENT_RETRYING;
    event.error = failure.error;
    event.retry_after_s = wait;
    event.name = failure.reason;
    event.message = failure.message;
    events_.push(std::move(event));
  }
  rest(wait);
  return true;
}

void Session::fail(const Failure& failure, const std::string& message) {
  SessionEvent event;
  event.kind = LIVETALKER_EVENT_FAILED;
  event.error = failure.error;
  event.name = failure.reason;
  event.message = message;
  events_.push(std::move(event));
  state_ = LIVETALKER_STATE_FAILED;
}

void Session::rest(double seconds) {
  const Time until = Completion::Clock::now() +
                     std::chrono::duration_cast<Completion::Clock::duration>(std::chrono::duration<double>(seconds));
  Tag tag{};
  bool ok = false;
  while (!stop_ && Completion::Clock::now() < until && completion_.wait(until, tag, ok)) {
  }
}

}  // namespace livetalker

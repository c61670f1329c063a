#include "call.h"

#include <utility>

#include "channel.h"
#include "wire.h"

namespace livetalker {

Call::Call(const Options& options, const Opening& opening, Outbound& outbound, CallListener& listener,
           Completion& completion)
    : options_(options), opening_(opening), outbound_(outbound), listener_(listener), completion_(completion) {
  if (!options.token.empty()) context_.AddMetadata("authorization", "Bearer " + options.token);
  for (const auto& [key, value] : options.metadata) context_.AddMetadata(key, value);
  channel_ = make_channel(options);
  stub_ = v1::FaceAnimationService::NewStub(channel_);
  stream_ = stub_->PrepareAsyncAnimate(&context_, &completion.queue());
}

Call::Result Call::run(const std::atomic<bool>& stop) {
  using Seconds = std::chrono::duration<double>;
  const auto answer_by = Completion::Clock::now() +
                         std::chrono::duration_cast<Completion::Clock::duration>(Seconds(kFirstAnswerSeconds));
  stream_->StartCall(as_pointer(Tag::kBegun));
  ++pending_;
  while (!finished_ || pending_ > 0) {
    if (stop && !cancelled_) cancel();
    Tag tag{};
    bool ok = false;
    if (completion_.wait(deadline(answer_by), tag, ok)) {
      on_completion(tag, ok);
    } else if (answered_) {
      read_on();
    } else {
      result_.silent = true;
      cancel();
    }
  }
  let_connect();
  return std::move(result_);
}

Completion::Clock::time_point Call::deadline(Completion::Clock::time_point answer_by) const {
  if (cancelled_ || finishing_) return Completion::Clock::time_point::max();
  if (!answered_) return answer_by;
  return reading_ ? Completion::Clock::time_point::max() : Completion::Clock::now() + kAskAgain;
}

void Call::on_completion(Tag tag, bool ok) {
  if (tag != Tag::kWake) --pending_;
  switch (tag) {
    case Tag::kBegun:
      begun_ = may_write_ = ok;
      if (ok) {
        send(first_request(options_, opening_));
      } else {
        finish();
      }
      break;
    case Tag::kRead:
      reading_ = false;
      if (!ok) {
        finish();
      } else {
        answered_ = true;
        listener_.on_response(response_);
      }
      break;
    case Tag::kWritten:
      writing_ = false;
      may_write_ = may_write_ && ok;  // the end of the reads tells why
      break;
    case Tag::kFinished:
      finished_ = true;
      break;
    case Tag::kHalfClosed:
    case Tag::kWake:
      break;
  }
  read_on();
  send_on();
}

void Call::read_on() {
  if (reading_ || finishing_ || !begun_) return;
  if (cancelled_) {
    finish();
  } else if (!answered_ || listener_.wants_more()) {
    reading_ = true;
    ++pending_;
    stream_->Read(&response_, as_pointer(Tag::kRead));
  }
}

void Call::send_on() {
  if (writing_ || !may_write_ || finishing_ || cancelled_ || !answered_) return;
  v1::Control control;
  switch (outbound_.take(chunk_, control)) {
    case Outbound::Next::kAudio:
      send(audio_request(options_, chunk_, opening_.origin));
      break;
    case Outbound::Next::kControl:
      send(control_request(std::move(control)));
      break;
    case Outbound::Next::kEnd:
      result_.half_closed = true;
      may_write_ = false;
      ++pending_;
      stream_->WritesDone(as_pointer(Tag::kHalfClosed));
      break;
    case Outbound::Next::kNothing:
      break;
  }
}

void Call::send(const v1::AnimateRequest& request) {
  writing_ = true;
  ++pending_;
  stream_->Write(request, as_pointer(Tag::kWritten));  // serialised before it returns
}

void Call::finish() {
  if (finishing_) return;
  finishing_ = true;
  ++pending_;
  stream_->Finish(&result_.status, as_pointer(Tag::kFinished));
}

void Call::cancel() {
  cancelled_ = true;
  context_.TryCancel();
  // A read that is held back would never tell; without one, the status has to be asked for.
  if (begun_ && !reading_) finish();
}

// A channel that goes while its socket is being connected leaves the socket open if both happen at the same moment
// (seen with gRPC 1.51: one in a thousand sessions that were closed as soon as they were opened).
void Call::let_connect() {
  if (channel_->GetState(false) == GRPC_CHANNEL_CONNECTING) {
    channel_->WaitForStateChange(GRPC_CHANNEL_CONNECTING, Completion::Clock::now() + kLetConnect);
  }
}

}  // namespace livetalker

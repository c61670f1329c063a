#include "inbound.h"

#include <algorithm>
#include <string>

namespace livetalker {

Inbound::Inbound(const Options& options, Continuation& continuation, Outbound& outbound, FrameQueue& frames,
                 Presentation& presentation, EventQueue& events, Counters& counters,
                 std::atomic<livetalker_state>& state)
    : options_(options),
      continuation_(continuation),
      outbound_(outbound),
      frames_(frames),
      presentation_(presentation),
      events_(events),
      counters_(counters),
      state_(state) {
  order_.fill(-1);
}

bool Inbound::wants_more() {
  if (!options_.lossless) return true;
  return frames_.kept() ? !frames_.full() : !presentation_.crowded();
}

void Inbound::on_response(const v1::AnimateResponse& response) {
  switch (response.response_case()) {
    case v1::AnimateResponse::kStarted:
      on_started(response.started());
      break;
    case v1::AnimateResponse::kFrames:
      on_frames(response.frames());
      break;
    case v1::AnimateResponse::kEvent:
      on_event(response.event());
      break;
    case v1::AnimateResponse::RESPONSE_NOT_SET:
      break;  // of a later version of the contract
  }
}

void Inbound::on_started(const v1::Started& started) {
  order_.fill(-1);
  for (int i = 0; i < started.blendshape_names_size(); ++i) {
    const int index = blendshape_index(started.blendshape_names(i));
    if (index >= 0) order_[static_cast<std::size_t>(index)] = i;
  }
  if (!started.resume_token().empty()) continuation_.keep(started.resume_token());
  counters_.latency_us = started.algorithmic_latency_us();
  SessionEvent event;
  if (ever_started_) {
    ++counters_.reconnects;
    event.kind = LIVETALKER_EVENT_RESUMED;
    event.first_frame = std::max(continuation_.next_frame(), continuation_.on_callers_clock(started.first_frame()));
    event.message = "the stream goes on as " + started.session_id();
  } else {
    presentation_.start(options_.frame_rate, started.algorithmic_latency_us());
    event.kind = LIVETALKER_EVENT_STARTED;
    event.message = "model version " + started.model_version() + ", session " + started.session_id();
  }
  event.name = started.model_name();
  ever_started_ = true;
  events_.push(std::move(event));
  state_ = LIVETALKER_STATE_STREAMING;
}

void Inbound::on_frames(const v1::Frames& frames) {
  FaceFrame face;
  for (const v1::Frame& frame : frames.frames()) {
    ++counters_.received;
    const auto index = continuation_.accept(frame.index());
    if (!index) {
      ++counters_.dropped;
      continue;
    }
    face.index = *index;
    face.time_us = *index * 1000000 / options_.frame_rate;
    for (std::size_t i = 0; i < face.weights.size(); ++i) {
      face.weights[i] = order_[i] >= 0 && order_[i] < frame.weights_size() ? frame.weights(order_[i]) : 0.0F;
    }
    frames_.push(face);
    presentation_.push(face);
    delivered_ = true;
  }
  outbound_.release_before(continuation_.needed_from());
}

void Inbound::on_event(const v1::Event& wire) {
  SessionEvent event;
  switch (wire.event_case()) {
    case v1::Event::kIdentityMatched:
      event.kind = LIVETALKER_EVENT_IDENTITY;
      event.name = wire.identity_matched().identity();
      event.confidence = static_cast<double>(wire.identity_matched().confidence());
      event.first_frame = continuation_.on_callers_clock(wire.identity_matched().frame_index());
      break;
    case v1::Event::kGap:
      on_gap(wire.gap());
      return;
    case v1::Event::kDraining:
      event.kind = LIVETALKER_EVENT_DRAINING;
      event.message = "the server is stopping and ends the stream in " +
                      std::to_string(wire.draining().grace_ms() / 1000) + " s";
      break;
    case v1::Event::kWarning:
      event.kind = LIVETALKER_EVENT_WARNING;
      event.name = wire.warning().reason();
      event.message = wire.warning().message();
      break;
    case v1::Event::kResumePoint:
      continuation_.keep(wire.resume_point().token(), wire.resume_point().frame_index());
      return;
    case v1::Event::EVENT_NOT_SET:
      return;  // of a later version of the contract
  }
  events_.push(std::move(event));
}

void Inbound::on_gap(const v1::Gap& gap) {
  SessionEvent event;
  event.kind = LIVETALKER_EVENT_GAP;
  switch (gap.cause()) {
    case v1::GAP_CAUSE_AUDIO_MISSING:
      event.message = std::to_string(gap.sample_count() * 1000 / options_.sample_rate) +
                      " ms of audio were missing and heard as silence";
      break;
    case v1::GAP_CAUSE_SLOW_READER:
      event.message = "frames were dropped, because the network or this machine was too slow for them";
      break;
    case v1::GAP_CAUSE_FLUSH:
      event.message = "frames were dropped by the interruption";
      break;
    default:
      event.message = "frames are missing";
      break;
  }
  if (gap.frame_count() > 0) {
    event.first_frame = continuation_.on_callers_clock(gap.first_frame());
    event.frame_count = gap.frame_count();
    // They never come: audio before them is not needed again, and a resume must not ask for them.
    continuation_.skip_to(event.first_frame + event.frame_count);
    outbound_.release_before(continuation_.needed_from());
  }
  events_.push(std::move(event));
}

}  // namespace livetalker

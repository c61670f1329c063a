// The C interface: checks what it is given, keeps exceptions inside, and copies strings into the caller's structs.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <system_error>

#include "arkit.h"
#include "livetalker/livetalker.h"
#include "reaper.h"
#include "session.h"
#include "wire.h"

#ifndef LIVETALKER_VERSION
#error "LIVETALKER_VERSION comes from CMake's project version"
#endif

struct livetalker_session final : livetalker::Session {
  using Session::Session;
};

namespace {

using livetalker::Session;

void copy_text(const std::string& text, char* out, std::size_t capacity) {
  if (out == nullptr || capacity == 0) return;
  std::size_t length = std::min(text.size(), capacity - 1);
  // Not through the middle of a character.
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

// Copies as much of a struct as the caller's version of it has.
template <typename Struct>
bool hand_out(Struct value, Struct* out) {
  const std::uint32_t size = out->struct_size;
  if (size < 2 * sizeof(std::uint32_t)) return false;
  value.struct_size = size;
  std::memcpy(out, &value, std::min<std::size_t>(size, sizeof(value)));
  return true;
}

// Runs what may throw: only memory and threads can be short here.
template <typename Work>
livetalker_status guarded(Work work) {
  try {
    return work();
  } catch (const std::exception&) {
    return LIVETALKER_NO_RESOURCES;
  }
}

}  // namespace

extern "C" {

uint32_t livetalker_api_version(void) { return LIVETALKER_API_VERSION; }

const char* livetalker_version(void) { return LIVETALKER_VERSION; }

const char* livetalker_blendshape_name(int32_t index) {
  return index >= 0 && index < livetalker::kBlendshapes ? livetalker::blendshape_name(index) : nullptr;
}

void livetalker_config_init(livetalker_config* config, uint32_t struct_size) {
  if (config != nullptr) livetalker::init_config(config, struct_size);
}

livetalker_status livetalker_open(const livetalker_config* config, livetalker_session** session, char* message,
                                  uint32_t capacity) {
  copy_text("", message, capacity);
  if (session == nullptr || config == nullptr) {
    copy_text("config and session must not be NULL", message, capacity);
    return LIVETALKER_INVALID_ARGUMENT;
  }
  *session = nullptr;
  const livetalker_status status = guarded([&]() -> livetalker_status {
    livetalker::Options options;
    std::string problem;
    if (!livetalker::read_options(*config, options, problem)) {
      copy_text(problem, message, capacity);
      return LIVETALKER_INVALID_ARGUMENT;
    }
    livetalker::Reaper::instance().hold_grpc();
    *session = new livetalker_session(std::move(options));
    return LIVETALKER_OK;
  });
  if (status == LIVETALKER_NO_RESOURCES) {
    copy_text("this machine has no memory or threads left; close sessions that are not needed", message, capacity);
  }
  return status;
}

void livetalker_close(livetalker_session* session) {
  if (session == nullptr) return;
  guarded([&]() -> livetalker_status {
    livetalker::Reaper::instance().take(std::unique_ptr<livetalker_session>(session));
    return LIVETALKER_OK;
  });
}

void livetalker_shutdown(void) {
  guarded([]() -> livetalker_status {
    livetalker::Reaper::instance().shutdown();
    return LIVETALKER_OK;
  });
}

livetalker_status livetalker_push_audio(livetalker_session* session, const float* samples, int64_t count) {
  if (session == nullptr) return LIVETALKER_INVALID_ARGUMENT;
  return session->push_audio(samples, count);
}

livetalker_status livetalker_end_audio(livetalker_session* session) {
  return session == nullptr ? LIVETALKER_INVALID_ARGUMENT : session->end_audio();
}

int64_t livetalker_audio_position(const livetalker_session* session) {
  return session == nullptr ? 0 : session->audio_position();
}

livetalker_status livetalker_interrupt(livetalker_session* session) {
  if (session == nullptr) return LIVETALKER_INVALID_ARGUMENT;
  return guarded([&]() -> livetalker_status { return session->interrupt(); });
}

livetalker_status livetalker_set_muted(livetalker_session* session, int32_t muted) {
  if (session == nullptr) return LIVETALKER_INVALID_ARGUMENT;
  return guarded([&]() -> livetalker_status { return session->send(livetalker::mute_control(muted != 0)); });
}

livetalker_status livetalker_rematch_identity(livetalker_session* session, const char* identity) {
  if (session == nullptr) return LIVETALKER_INVALID_ARGUMENT;
  return guarded([&]() -> livetalker_status { return session->send(livetalker::rematch_control(identity == nullptr ? "" : identity)); });
}

livetalker_status livetalker_set_shaping(livetalker_session* session, const livetalker_shaping* shaping) {
  if (session == nullptr || shaping == nullptr || shaping->struct_size < sizeof(livetalker_shaping)) {
    return LIVETALKER_INVALID_ARGUMENT;
  }
  return guarded([&]() -> livetalker_status {
    livetalker::v1::Control control;
    if (!livetalker::shaping_control(*shaping, control)) return LIVETALKER_INVALID_ARGUMENT;
    return session->send(std::move(control));
  });
}

livetalker_status livetalker_report_playback(livetalker_session* session, double audio_s) {
  if (session == nullptr || std::isinf(audio_s)) return LIVETALKER_INVALID_ARGUMENT;
  session->presentation().played(audio_s);
  return LIVETALKER_OK;
}

livetalker_status livetalker_sample(livetalker_session* session, double audio_s, float out[LIVETALKER_BLENDSHAPES],
                                    livetalker_sample_info* info) {
  if (session == nullptr || out == nullptr || std::isinf(audio_s)) return LIVETALKER_INVALID_ARGUMENT;
  const livetalker_sample_info shown = session->presentation().sample(audio_s, out);
  return info == nullptr || hand_out(shown, info) ? LIVETALKER_OK : LIVETALKER_INVALID_ARGUMENT;
}

livetalker_state livetalker_get_state(const livetalker_session* session) {
  return session == nullptr ? LIVETALKER_STATE_FAILED : session->state();
}

livetalker_status livetalker_next_event(livetalker_session* session, livetalker_event* event) {
  if (session == nullptr || event == nullptr || event->struct_size < 2 * sizeof(uint32_t)) {
    return LIVETALKER_INVALID_ARGUMENT;
  }
  livetalker::SessionEvent next;
  if (!session->next_event(next)) return LIVETALKER_EMPTY;
  livetalker_event told{};
  told.kind = next.kind;
  told.error = next.error;
  told.confidence = static_cast<float>(next.confidence);
  told.retry_after_s = static_cast<float>(next.retry_after_s);
  told.first_frame = next.first_frame;
  told.frame_count = next.frame_count;
  copy_text(next.name, told.name, sizeof(told.name));
  copy_text(next.message, told.message, sizeof(told.message));
  hand_out(told, event);
  return LIVETALKER_OK;
}

livetalker_status livetalker_next_frame(livetalker_session* session, livetalker_frame* frame) {
  if (session == nullptr || frame == nullptr || frame->struct_size < 2 * sizeof(uint32_t)) {
    return LIVETALKER_INVALID_ARGUMENT;
  }
  livetalker::FaceFrame next;
  const livetalker_status status = session->next_frame(next);
  if (status != LIVETALKER_OK) return status;
  livetalker_frame told{};
  told.index = next.index;
  told.time_us = next.time_us;
  std::copy(next.weights.begin(), next.weights.end(), told.weights);
  hand_out(told, frame);
  return LIVETALKER_OK;
}

livetalker_status livetalker_get_stats(const livetalker_session* session, livetalker_stats* stats) {
  if (session == nullptr || stats == nullptr || !hand_out(session->stats(), stats)) return LIVETALKER_INVALID_ARGUMENT;
  return LIVETALKER_OK;
}

}  // extern "C"

// Translation between the library's values and the messages of livetalker.v1.
#pragma once

#include <string>

#include "continuation.h"
#include "livetalker/v1/face_animation.pb.h"
#include "options.h"
#include "outbound.h"

namespace livetalker {

// The first message of a call: a config, or a resume.
v1::AnimateRequest first_request(const Options& options, const Opening& opening);

// A chunk, as the config said that audio is written.
v1::AnimateRequest audio_request(const Options& options, const Outbound::Chunk& chunk, std::int64_t origin);

v1::AnimateRequest control_request(v1::Control control);

// False: `shaping` names something that is no coefficient, or has a value out of range.
bool shaping_control(const livetalker_shaping& shaping, v1::Control& control);

v1::Control rematch_control(const std::string& identity);
v1::Control mute_control(bool muted);

}  // namespace livetalker

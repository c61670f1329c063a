#include "wire.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "arkit.h"

namespace livetalker {
namespace {

void choose_identity(const std::string& name, v1::Identity& identity) {
  if (name.empty()) {
    identity.mutable_automatic();
  } else {
    identity.set_pinned(name);
  }
}

using Named = google::protobuf::Map<std::string, float>;

bool read_named(const livetalker_coefficient* values, std::uint32_t count, float least, float most, Named& named) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const char* name = values == nullptr ? nullptr : values[i].name;
    if (name == nullptr || blendshape_index(name) < 0) return false;
    if (!(values[i].value >= least && values[i].value <= most)) return false;
    named[name] = values[i].value;
  }
  return true;
}

void put_little_endian(std::uint32_t value, int bytes, std::string& data) {
  for (int i = 0; i < bytes; ++i) data.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

}  // namespace

v1::AnimateRequest first_request(const Options& options, const Opening& opening) {
  v1::AnimateRequest request;
  if (!opening.token.empty()) {
    request.mutable_resume()->set_token(opening.token);
    request.mutable_resume()->set_next_frame(opening.next_frame);
    return request;
  }
  v1::StreamConfig& config = *request.mutable_config();
  config.set_sample_rate(options.sample_rate);
  config.set_encoding(options.lossless ? v1::AUDIO_ENCODING_PCM_F32LE : v1::AUDIO_ENCODING_PCM_S16LE);
  config.set_channels(1);
  config.set_frame_rate(options.frame_rate);
  config.set_latency_preset(static_cast<v1::LatencyPreset>(options.preset));
  config.set_delivery(options.lossless ? v1::DELIVERY_LOSSLESS : v1::DELIVERY_LIVE);
  choose_identity(options.identity, *config.mutable_identity());
  config.set_seed(options.seed);
  config.set_blinks(options.blinks);
  config.set_idle_motion(options.idle_motion);
  return request;
}

v1::AnimateRequest audio_request(const Options& options, const Outbound::Chunk& chunk, std::int64_t origin) {
  v1::AnimateRequest request;
  v1::AudioChunk& audio = *request.mutable_audio();
  audio.set_start_sample(chunk.start - origin);
  std::string& data = *audio.mutable_data();
  // Recorded lines travel as they are; a microphone has no more than 16 bits.
  data.reserve(chunk.samples.size() * (options.lossless ? 4 : 2));
  for (const float sample : chunk.samples) {
    if (options.lossless) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &sample, sizeof(bits));
      put_little_endian(bits, 4, data);
    } else {
      const float scaled = std::clamp(std::nearbyint(sample * 32768.0F), -32768.0F, 32767.0F);
      put_little_endian(static_cast<std::uint32_t>(static_cast<std::int32_t>(scaled)), 2, data);
    }
  }
  return request;
}

v1::AnimateRequest control_request(v1::Control control) {
  v1::AnimateRequest request;
  *request.mutable_control() = std::move(control);
  return request;
}

bool shaping_control(const livetalker_shaping& shaping, v1::Control& control) {
  v1::Shaping& wire = *control.mutable_shaping();
  wire.set_clamp(shaping.soft == 0);
  return read_named(shaping.gains, shaping.gain_count, 0.0F, 10.0F, *wire.mutable_gains()) &&
         read_named(shaping.offsets, shaping.offset_count, -1.0F, 1.0F, *wire.mutable_offsets()) &&
         read_named(shaping.expression, shaping.expression_count, 0.0F, 1.0F, *wire.mutable_expression());
}

v1::Control rematch_control(const std::string& identity) {
  v1::Control control;
  choose_identity(identity, *control.mutable_rematch_identity()->mutable_identity());
  return control;
}

v1::Control mute_control(bool muted) {
  v1::Control control;
  if (muted) {
    control.mutable_mute();
  } else {
    control.mutable_unmute();
  }
  return control;
}

}  // namespace livetalker

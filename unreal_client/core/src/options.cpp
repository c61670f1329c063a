#include "options.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

namespace livetalker {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:50051";

livetalker_config defaults() {
  livetalker_config config{};
  config.struct_size = sizeof(config);
  config.sample_rate = 16000;
  config.channels = 1;
  config.frame_rate = 60;
  config.preset = LIVETALKER_PRESET_DEFAULT;
  config.delivery = LIVETALKER_DELIVERY_LIVE;
  config.clock = LIVETALKER_CLOCK_CAPTURE;
  config.address = kDefaultAddress;
  config.blinks = 1;
  config.idle_motion = 1;
  return config;
}

std::string text(const char* value) { return value == nullptr ? std::string() : std::string(value); }

bool within(const char* name, std::int64_t value, std::int64_t least, std::int64_t most, std::string& message) {
  if (value >= least && value <= most) return true;
  std::ostringstream said;
  said << name << " is " << value << "; give " << least << " to " << most;
  message = said.str();
  return false;
}

bool read_file(const char* name, const std::string& path, std::string& content, std::string& message) {
  if (path.empty()) return true;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream read;
  if (file) read << file.rdbuf();
  content = read.str();
  if (content.find("-----BEGIN ") != std::string::npos) return true;
  message = std::string(name) + " '" + path + "' " +
            (file ? "holds no PEM text; give the file that begins with -----BEGIN" : "cannot be read; check the path");
  return false;
}

bool check_address(const std::string& address, std::string& message) {
  const auto colon = address.rfind(':');
  const bool has_host = colon != std::string::npos && colon > 0;
  const std::string port = has_host ? address.substr(colon + 1) : std::string();
  const bool numeric =
      !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c); });
  if (has_host && numeric && std::stoi(port) >= 1 && std::stoi(port) <= 65535 &&
      address.find("//") == std::string::npos && address.find(' ') == std::string::npos) {
    return true;
  }
  message = "the address '" + address + "' is not of the form host:port; the default is " + kDefaultAddress;
  return false;
}

// gRPC aborts a call without a word over keys and values that HTTP/2 does not allow.
bool check_metadata(const std::string& key, const std::string& value, std::string& message) {
  const auto allowed = [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '-' || c == '_' || c == '.'; };
  const bool binary = key.size() > 4 && key.compare(key.size() - 4, 4, "-bin") == 0;
  if (key.empty() || binary || key.compare(0, 5, "grpc-") == 0 || !std::all_of(key.begin(), key.end(), allowed)) {
    message = "the metadata key '" + key + "' cannot be sent; use lower case letters, digits, '-', '_' and '.'";
    return false;
  }
  if (!std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c <= 0x7e; })) {
    message = "the value of '" + key + "' holds characters that cannot be sent; use printable ASCII";
    return false;
  }
  return true;
}

}  // namespace

void init_config(livetalker_config* config, std::uint32_t struct_size) {
  livetalker_config fresh = defaults();
  fresh.struct_size = struct_size;
  std::memset(config, 0, struct_size);
  std::memcpy(config, &fresh, std::min<std::size_t>(struct_size, sizeof(fresh)));
}

bool read_options(const livetalker_config& caller, Options& options, std::string& message) {
  if (caller.struct_size < sizeof(caller.struct_size) || caller.struct_size > 4096) {
    message = "livetalker_config.struct_size is not set; call livetalker_config_init first";
    return false;
  }
  livetalker_config config = defaults();
  std::memcpy(&config, &caller, std::min<std::size_t>(caller.struct_size, sizeof(config)));

  options.address = text(config.address);
  if (!check_address(options.address, message)) return false;
  if (!within("sample_rate", config.sample_rate, 8000, 48000, message)) return false;
  if (!within("channels", config.channels, 1, 8, message)) return false;
  if (config.frame_rate != 30 && config.frame_rate != 60) {
    message = "frame_rate is " + std::to_string(config.frame_rate) + "; give 30 or 60";
    return false;
  }
  if (!within("preset", config.preset, LIVETALKER_PRESET_DEFAULT, LIVETALKER_PRESET_QUALITY, message)) return false;
  if (!within("delivery", config.delivery, LIVETALKER_DELIVERY_LIVE, LIVETALKER_DELIVERY_LOSSLESS, message)) return false;
  if (!within("clock", config.clock, LIVETALKER_CLOCK_CAPTURE, LIVETALKER_CLOCK_PLAYBACK, message)) return false;
  if (!within("frame_queue", config.frame_queue, 0, 100000, message)) return false;
  if (!std::isfinite(config.give_up_after_s) || config.give_up_after_s < 0) {
    message = "give_up_after_s is not a number of seconds; give 0 to go on trying";
    return false;
  }

  options.tls = config.tls != 0;
  options.tls_ca_file = text(config.tls_ca_file);
  options.tls_certificate_file = text(config.tls_certificate_file);
  options.tls_key_file = text(config.tls_key_file);
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    message = "tls_certificate_file and tls_key_file belong together; give both or neither";
    return false;
  }
  const bool has_tls_file = !options.tls_ca_file.empty() || !options.tls_certificate_file.empty();
  if (has_tls_file && !options.tls) {
    message = "TLS files are given but tls is 0; set it to 1";
    return false;
  }
  options.tls_server_name = text(config.tls_server_name);
  options.token = text(config.token);
  if (!options.token.empty() && !check_metadata("authorization", options.token, message)) return false;
  for (std::uint32_t i = 0; i < config.metadata_count; ++i) {
    if (config.metadata == nullptr) {
      message = "metadata is NULL although metadata_count is not 0";
      return false;
    }
    options.metadata.emplace_back(text(config.metadata[i].key), text(config.metadata[i].value));
    if (!check_metadata(options.metadata.back().first, options.metadata.back().second, message)) return false;
  }

  options.sample_rate = config.sample_rate;
  options.channels = config.channels;
  options.frame_rate = config.frame_rate;
  options.preset = config.preset;
  options.lossless = config.delivery == LIVETALKER_DELIVERY_LOSSLESS;
  options.clock_by_playback = config.clock == LIVETALKER_CLOCK_PLAYBACK;
  options.blinks = config.blinks != 0;
  options.idle_motion = config.idle_motion != 0;
  options.seed = config.seed;
  options.identity = text(config.identity);
  options.frame_queue = config.frame_queue;
  options.give_up_after_s = static_cast<double>(config.give_up_after_s);
  return true;
}

bool read_tls_files(Options& options, std::string& message) {
  return read_file("tls_ca_file", options.tls_ca_file, options.tls_roots, message) &&
         read_file("tls_certificate_file", options.tls_certificate_file, options.tls_certificate, message) &&
         read_file("tls_key_file", options.tls_key_file, options.tls_key, message);
}

bool sends_token_in_plain_text(const Options& options) {
  if (options.tls || options.token.empty()) return false;
  const std::string host = options.address.substr(0, options.address.rfind(':'));
  return host != "localhost" && host != "[::1]" && host.compare(0, 4, "127.") != 0;
}

}  // namespace livetalker

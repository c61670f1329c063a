// What a session was opened with, as C++ values, and the checks that turn the C struct into it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "livetalker/livetalker.h"

namespace livetalker {

struct Options {
  std::string address;
  bool tls = false;
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  // The PEM texts of these files, once they were read.
  std::string tls_roots;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_server_name;
  std::string token;
  std::vector<std::pair<std::string, std::string>> metadata;

  int sample_rate = 16000;
  int channels = 1;
  int frame_rate = 60;
  int preset = LIVETALKER_PRESET_DEFAULT;
  bool lossless = false;
  bool clock_by_playback = false;
  bool blinks = true;
  bool idle_motion = true;
  std::uint64_t seed = 0;
  std::string identity;
  int frame_queue = 0;
  double give_up_after_s = 0;
};

// Defaults of the C struct, in a caller's struct of any version.
void init_config(livetalker_config* config, std::uint32_t struct_size);

// Reads and checks a caller's config; touches no file. False: `message` says what to change.
bool read_options(const livetalker_config& config, Options& options, std::string& message);

// Reads the files that the options name, which may take as long as a disk does. False: `message` says what to change.
bool read_tls_files(Options& options, std::string& message);

// Whether the token goes to another machine in plain text, so that anybody on the way can read it.
bool sends_token_in_plain_text(const Options& options);

}  // namespace livetalker

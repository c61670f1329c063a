// Streams a sound file through a server and writes the face to standard output as CSV, one line a frame.
//
//   livetalker_stream speech.wav [host:port] > face.csv
//
// LIVETALKER_TOKEN and LIVETALKER_CA, where they are set, are the bearer token and the PEM file to trust; the latter
// turns TLS on.
#include <livetalker/livetalker.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "wav.h"

namespace {

void print_header() {
  std::printf("index,time_us");
  for (int i = 0; i < LIVETALKER_BLENDSHAPES; ++i) std::printf(",%s", livetalker_blendshape_name(i));
  std::printf("\n");
}

// False: the session has failed.
bool report_events(livetalker_session* session) {
  bool well = true;
  livetalker_event event{};
  event.struct_size = sizeof(event);
  while (livetalker_next_event(session, &event) == LIVETALKER_OK) {
    if (event.kind == LIVETALKER_EVENT_IDENTITY) {
      std::fprintf(stderr, "speaks like %s (%.2f)\n", event.name, static_cast<double>(event.confidence));
    } else if (event.message[0] != '\0') {
      std::fprintf(stderr, "%s\n", event.message);
    }
    well = well && event.kind != LIVETALKER_EVENT_FAILED;
  }
  return well;
}

// Pushes what fits and prints what has come, until every frame is here.
bool stream(livetalker_session* session, const Wav& wav) {
  const auto samples = static_cast<std::int64_t>(wav.samples.size()) / wav.channels;
  std::int64_t pushed = 0;
  bool ended = false;
  livetalker_frame frame{};
  frame.struct_size = sizeof(frame);
  while (true) {
    const std::int64_t piece = std::min<std::int64_t>(samples - pushed, wav.sample_rate / 10);
    if (piece > 0) {
      const float* const next = &wav.samples[static_cast<std::size_t>(pushed * wav.channels)];
      const livetalker_status status = livetalker_push_audio(session, next, piece);
      if (status == LIVETALKER_OK) pushed += piece;
      if (status == LIVETALKER_INVALID_ARGUMENT) {
        std::fprintf(stderr, "the file holds samples that are no sound\n");
        return false;
      }
    } else if (!ended) {
      livetalker_end_audio(session);
      ended = true;
    }
    livetalker_status status = LIVETALKER_OK;
    while ((status = livetalker_next_frame(session, &frame)) == LIVETALKER_OK) {
      std::printf("%" PRId64 ",%" PRId64, frame.index, frame.time_us);
      for (const float weight : frame.weights) std::printf(",%.5f", static_cast<double>(weight));
      std::printf("\n");
    }
    const bool well = report_events(session);
    if (status == LIVETALKER_ENDED) return well;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: livetalker_stream speech.wav [host:port] > face.csv\n");
    return 2;
  }
  Wav wav;
  std::string problem;
  if (!read_wav(argv[1], wav, problem)) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  livetalker_config config;
  livetalker_config_init(&config, sizeof(config));
  config.sample_rate = wav.sample_rate;
  config.channels = wav.channels;
  config.delivery = LIVETALKER_DELIVERY_LOSSLESS;
  config.frame_queue = 600;
  config.give_up_after_s = 5;
  config.token = std::getenv("LIVETALKER_TOKEN");
  config.tls_ca_file = std::getenv("LIVETALKER_CA");
  config.tls = config.tls_ca_file != nullptr;
  if (argc == 3) config.address = argv[2];

  livetalker_session* session = nullptr;
  char message[512];
  if (livetalker_open(&config, &session, message, sizeof(message)) != LIVETALKER_OK) {
    std::fprintf(stderr, "%s\n", message);
    return 1;
  }
  print_header();
  const bool well = stream(session, wav);
  livetalker_close(session);
  livetalker_shutdown();
  return well ? 0 : 1;
}

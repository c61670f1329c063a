// Twelve seconds of speech, and the face that the offline baker makes of it.
#pragma once

#include <cstdint>
#include <vector>

namespace testing_support {

struct Clip {
  static constexpr int kRate = 16000;
  static constexpr int kFps = 60;
  std::vector<float> samples;
  // 52 a frame.
  std::vector<float> face;

  std::int64_t frames() const { return static_cast<std::int64_t>(face.size()) / 52; }
};

// Made once, by the repository's Python.
const Clip& clip();

}  // namespace testing_support

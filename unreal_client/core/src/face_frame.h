// One frame of the face, on the caller's clock.
#pragma once

#include <array>
#include <cstdint>

#include "arkit.h"

namespace livetalker {

using Face = std::array<float, kBlendshapes>;

struct FaceFrame {
  std::int64_t index = 0;
  std::int64_t time_us = 0;
  Face weights{};
};

}  // namespace livetalker

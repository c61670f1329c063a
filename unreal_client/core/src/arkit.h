// The ARKit face contract: the 52 coefficient names in the order of every frame this library hands out.
#pragma once

#include <string_view>

namespace livetalker {

inline constexpr int kBlendshapes = 52;

// Zero-terminated camelCase name of a coefficient; index is 0 to 51.
const char* blendshape_name(int index);

// Position of a name; -1 where it is not one of the 52.
int blendshape_index(std::string_view name);

}  // namespace livetalker

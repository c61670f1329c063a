// The library's copy of the ARKit names is the model's.
#include "arkit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace livetalker {
namespace {

TEST(Arkit, NamesAndOrderAreThoseOfTheModel) {
  std::ifstream file(std::filesystem::path(REPOSITORY) / "models/diffusiontalker/arkit.py");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string source = text.str();
  const std::string names = source.substr(source.find("BLENDSHAPES"), source.find("\n)\n") - source.find("BLENDSHAPES"));
  const std::regex quoted("\"([A-Za-z]+)\"");
  int index = 0;
  for (auto match = std::sregex_iterator(names.begin(), names.end(), quoted); match != std::sregex_iterator(); ++match) {
    ASSERT_LT(index, kBlendshapes);
    EXPECT_EQ((*match)[1], blendshape_name(index));
    EXPECT_EQ(index, blendshape_index((*match)[1].str()));
    ++index;
  }
  EXPECT_EQ(kBlendshapes, index);
  EXPECT_EQ(-1, blendshape_index("jawopen"));
}

}  // namespace
}  // namespace livetalker

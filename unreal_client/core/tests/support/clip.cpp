#include "support/clip.h"

#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "support/server.h"

namespace testing_support {
namespace {

std::vector<float> read_floats(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

Clip make_clip() {
  std::string folder = (std::filesystem::temp_directory_path() / "livetalker-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder for the clip");
  const std::string source = std::string(REPOSITORY) + "/demo/clip.flac";
  const int status = run_python({std::string(TEST_SOURCES) + "/support/clip.py", source, folder})->wait();
  Clip made{read_floats(folder + "/clip.f32"), read_floats(folder + "/face.f32")};
  std::filesystem::remove_all(folder);
  if (status != 0 || made.samples.empty() || made.face.empty()) throw std::runtime_error("the clip could not be made");
  return made;
}

}  // namespace

const Clip& clip() {
  static const Clip made = make_clip();
  return made;
}

}  // namespace testing_support

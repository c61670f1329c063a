// The audio clock and the jitter buffer answer to the vectors that the Python and C# clients answer to.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "audio_clock.h"
#include "jitter_buffer.h"

namespace livetalker {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

const std::filesystem::path kFolder = std::filesystem::path(REPOSITORY) / "tests/vectors/presentation";

Struct read_vector(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  Struct vector;
  const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &vector);
  EXPECT_TRUE(status.ok()) << path << ": " << status.ToString();
  return vector;
}

bool has(const Struct& step, const char* name) { return step.fields().count(name) > 0; }
const Value& field(const Struct& step, const char* name) { return step.fields().at(name); }

// null is NaN.
double number(const Value& value) {
  return value.kind_case() == Value::kNumberValue ? value.number_value() : std::numeric_limits<double>::quiet_NaN();
}
double number(const Struct& step, const char* name) { return number(field(step, name)); }
std::int64_t integer(const Struct& step, const char* name) { return std::llround(number(step, name)); }
double element(const Struct& step, const char* name, int i) { return number(field(step, name).list_value().values(i)); }

void expect_near(double expected, double actual, double tolerance) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << actual;
  } else {
    EXPECT_NEAR(expected, actual, tolerance);
  }
}

// The triangle wave of tests/vectors/presentation/README.md.
float weight(std::int64_t frame, int coefficient) {
  const std::int64_t phase = (frame * (1 + coefficient % 4) + 5 * coefficient) % 40;
  return static_cast<float>(std::abs(phase - 20)) / 20.0F;
}

const char* name(JitterBuffer::State state) {
  constexpr const char* kNames[] = {"resting", "playing", "holding", "easing"};
  return kNames[static_cast<int>(state)];
}

const char* name(JitterBuffer::PushResult result) {
  constexpr const char* kNames[] = {"accepted", "late", "dropped", "full"};
  return kNames[static_cast<int>(result)];
}

void replay_clock(const Struct& vector) {
  const double tolerance = number(field(vector, "tolerance").struct_value(), "time_s");
  AudioClock clock;
  int at = 0;
  for (const Value& value : field(vector, "steps").list_value().values()) {
    SCOPED_TRACE("step " + std::to_string(at++));
    const Struct& step = value.struct_value();
    if (has(step, "observe")) {
      EXPECT_EQ(field(step, "jumped").bool_value(), clock.observe(element(step, "observe", 0), element(step, "observe", 1)));
    } else if (has(step, "position")) {
      expect_near(number(step, "audio"), clock.position(number(step, "position")), tolerance);
    } else {
      ASSERT_TRUE(has(step, "reset"));
      clock.reset();
    }
  }
}

void replay_buffer(const Struct& vector) {
  const Struct& config = field(vector, "config").struct_value();
  const Struct& tolerance = field(vector, "tolerance").struct_value();
  const double weight_tolerance = number(tolerance, "weight");
  JitterBuffer buffer(static_cast<int>(integer(config, "fps")), number(config, "floor_s"), number(config, "max_s"),
                      static_cast<int>(integer(config, "capacity")));
  std::array<float, kBlendshapes> face{};
  int at = 0;
  for (const Value& value : field(vector, "steps").list_value().values()) {
    SCOPED_TRACE("step " + std::to_string(at++));
    const Struct& step = value.struct_value();
    if (has(step, "push")) {
      FaceFrame frame;
      frame.index = integer(step, "push");
      frame.time_us = integer(step, "time_us");
      for (int i = 0; i < kBlendshapes; ++i) frame.weights[static_cast<std::size_t>(i)] = weight(frame.index, i);
      EXPECT_EQ(field(step, "result").string_value(), name(buffer.push(frame, number(step, "arrived"))));
    } else if (has(step, "sample")) {
      buffer.sample(element(step, "sample", 1), element(step, "sample", 0), face.data());
      EXPECT_EQ(field(step, "state").string_value(), name(buffer.state()));
      expect_near(number(step, "playhead"), buffer.playhead_s(), number(tolerance, "time_s"));
      expect_near(number(step, "presence"), static_cast<double>(buffer.presence()), weight_tolerance);
      const auto& coefficients = field(vector, "coefficients").list_value().values();
      for (int i = 0; i < coefficients.size(); ++i) {
        const auto coefficient = static_cast<std::size_t>(number(coefficients[i]));
        expect_near(element(step, "weights", i), static_cast<double>(face[coefficient]), weight_tolerance);
      }
    } else if (has(step, "flush")) {
      buffer.flush(integer(step, "flush"));
    } else {
      ASSERT_TRUE(has(step, "reset"));
      buffer.reset();
    }
  }
}

std::vector<std::string> vectors() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Vectors : public testing::TestWithParam<std::string> {};

TEST_P(Vectors, AreAnsweredAsSpecified) {
  const Struct vector = read_vector(kFolder / (GetParam() + ".json"));
  ASSERT_GT(field(vector, "steps").list_value().values_size(), 0);
  if (field(vector, "kind").string_value() == "audio_clock") {
    replay_clock(vector);
  } else {
    ASSERT_EQ("jitter_buffer", field(vector, "kind").string_value());
    replay_buffer(vector);
  }
}

INSTANTIATE_TEST_SUITE_P(Presentation, Vectors, testing::ValuesIn(vectors()), [](const auto& made) { return made.param; });

}  // namespace
}  // namespace livetalker

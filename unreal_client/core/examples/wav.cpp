#include "wav.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

std::uint32_t little_endian(const std::string& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)])) << (8 * i);
  }
  return value;
}

}  // namespace

bool read_wav(const std::string& path, Wav& wav, std::string& problem) {
  constexpr std::uint32_t kIntegers = 1;
  constexpr std::uint32_t kFloats = 3;
  constexpr std::uint32_t kExtensible = 0xFFFE;
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() < 12 || bytes.compare(0, 4, "RIFF") != 0 || bytes.compare(8, 4, "WAVE") != 0) {
    problem = "'" + path + (file.is_open() ? "' is no WAV file" : "' cannot be read");
    return false;
  }
  std::uint32_t format = 0;
  std::uint32_t bits = 0;
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::string name = bytes.substr(at, 4);
    const std::size_t size = little_endian(bytes, at + 4, 4);
    const std::size_t body = at + 8;
    if (name == "fmt " && size >= 16 && body + size <= bytes.size()) {
      format = little_endian(bytes, body, 2);
      wav.channels = static_cast<int>(little_endian(bytes, body + 2, 2));
      wav.sample_rate = static_cast<int>(little_endian(bytes, body + 4, 4));
      bits = little_endian(bytes, body + 14, 2);
      if (format == kExtensible && size >= 26) format = little_endian(bytes, body + 24, 2);
    } else if (name == "data" && wav.channels > 0) {
      const std::size_t end = body + size < bytes.size() ? body + size : bytes.size();
      if (format == kIntegers && bits == 16) {
        for (std::size_t i = body; i + 2 <= end; i += 2) {
          wav.samples.push_back(static_cast<float>(static_cast<std::int16_t>(little_endian(bytes, i, 2))) / 32768.0F);
        }
        return true;
      }
      if (format == kFloats && bits == 32) {
        for (std::size_t i = body; i + 4 <= end; i += 4) {
          const std::uint32_t word = little_endian(bytes, i, 4);
          float sample = 0;
          std::memcpy(&sample, &word, sizeof(sample));
          wav.samples.push_back(sample);
        }
        return true;
      }
      problem = "'" + path + "' holds neither 16-bit integers nor 32-bit floats; convert it first";
      return false;
    }
    at = body + size + size % 2;
  }
  problem = "'" + path + "' holds no sound";
  return false;
}

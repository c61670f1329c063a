// Reading sound files: RIFF WAVE with 16-bit integers or 32-bit floats.
#pragma once

#include <string>
#include <vector>

struct Wav {
  int sample_rate = 0;
  int channels = 0;
  // Interleaved, full scale -1 to 1.
  std::vector<float> samples;
};

// False: `problem` says why the file cannot be used.
bool read_wav(const std::string& path, Wav& wav, std::string& problem);

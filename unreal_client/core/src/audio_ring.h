// The newest seconds of a stream's audio, mono, addressed by sample position. Not synchronised.
#pragma once

#include <cstdint>
#include <vector>

namespace livetalker {

class AudioRing {
 public:
  explicit AudioRing(std::int64_t capacity) : samples_(static_cast<std::size_t>(capacity)) {}

  std::int64_t capacity() const { return static_cast<std::int64_t>(samples_.size()); }
  // Position of the oldest sample that is still here.
  std::int64_t begin() const { return begin_; }
  // Position of the sample that comes next.
  std::int64_t end() const { return end_; }

  // Appends one sample; the oldest is forgotten when the ring is full.
  void append(float sample) {
    samples_[index(end_++)] = sample;
    if (end_ - begin_ > capacity()) begin_ = end_ - capacity();
  }

  // A sample in begin..end - 1.
  float at(std::int64_t position) const { return samples_[index(position)]; }

  // Forgets what stands at `position` and after it.
  void truncate(std::int64_t position) {
    if (position < end_) end_ = position;
    if (begin_ > end_) begin_ = end_;
  }

 private:
  std::size_t index(std::int64_t position) const { return static_cast<std::size_t>(position % capacity()); }

  std::vector<float> samples_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace livetalker

#include "continuation.h"

#include <algorithm>

namespace livetalker {

Opening Continuation::next(std::int64_t oldest_sample) {
  const std::int64_t wanted = repeat_from();
  Opening opening;
  const auto longest_gap = static_cast<std::int64_t>(kLongestGapSeconds * static_cast<double>(sample_rate_));
  if (!token_.empty() && oldest_sample - instant(next_frame_) <= longest_gap) {
    opening.token = token_;
    opening.origin = origin_frames_ / frame_rate_ * sample_rate_;
    opening.first_sample = std::max({wanted, oldest_sample, opening.origin});
  } else {
    token_.clear();
    known_ = 0;
    std::int64_t second = wanted / sample_rate_;
    if (second * sample_rate_ < oldest_sample) second = (oldest_sample + sample_rate_ - 1) / sample_rate_;
    opening.origin = opening.first_sample = second * sample_rate_;
    origin_frames_ = second * frame_rate_;
  }
  opening.known = known_;
  opening.next_frame = next_frame_ - origin_frames_;
  return opening;
}

std::optional<std::int64_t> Continuation::accept(std::int64_t index_in_call) {
  const std::int64_t index = on_callers_clock(index_in_call);
  if (index < next_frame_) return std::nullopt;
  next_frame_ = index + 1;
  return index;
}

}  // namespace livetalker

#include "outbound.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace livetalker {
namespace {

constexpr int kChunksPerSecond = 50;
// A live stream forgets what is older; two seconds of it are what a resumed stream wants to hear again.
constexpr int kLiveSeconds = 4;
// A lossless stream keeps two seconds before the first frame it still needs, and up to this much after it.
constexpr int kLosslessSeconds = 8;
// The longest piece that a lossless stream takes at once; with the above there is always room for it in the end.
constexpr int kLongestPushSeconds = 4;
// What the service takes; beyond it, integers were taken for floats.
constexpr float kLoudest = 16.0F;

bool usable(const float* samples, std::int64_t count) {
  return std::all_of(samples, samples + count, [](float sample) { return std::fabs(sample) <= kLoudest; });
}

}  // namespace

Outbound::Outbound(const Options& options)
    : channels_(options.channels),
      lossless_(options.lossless),
      chunk_(options.sample_rate / kChunksPerSecond),
      ring_(static_cast<std::int64_t>(options.sample_rate) * (options.lossless ? kLosslessSeconds : kLiveSeconds)) {}

livetalker_status Outbound::push(const float* samples, std::int64_t count, bool& worth_sending) {
  worth_sending = false;
  if (count < 0 || (count > 0 && samples == nullptr) || !usable(samples, count * channels_)) {
    return LIVETALKER_INVALID_ARGUMENT;
  }
  const std::lock_guard lock(mutex_);
  if (closed_ || ended_) return LIVETALKER_ENDED;
  if (lossless_) {
    if (count > ring_.capacity() / kLosslessSeconds * kLongestPushSeconds) return LIVETALKER_INVALID_ARGUMENT;
    if (ring_.end() + count - needed_from_ > ring_.capacity()) return LIVETALKER_BUSY;
  }
  for (std::int64_t i = 0; i < count; ++i, samples += channels_) {
    float sum = 0;
    for (int channel = 0; channel < channels_; ++channel) sum += samples[channel];
    ring_.append(sum / static_cast<float>(channels_));
  }
  if (sent_ < ring_.begin()) {
    lost_ += std::max<std::int64_t>(0, ring_.begin() - std::max(sent_, sent_ever_));
    sent_ = ring_.begin();
    sent_ever_ = std::max(sent_ever_, sent_);
  }
  worth_sending = ring_.end() - sent_ >= chunk_;
  return LIVETALKER_OK;
}

livetalker_status Outbound::end() {
  const std::lock_guard lock(mutex_);
  if (closed_ || ended_) return LIVETALKER_ENDED;
  ended_ = true;
  return LIVETALKER_OK;
}

livetalker_status Outbound::control(v1::Control control) {
  const std::lock_guard lock(mutex_);
  if (closed_ || ended_) return LIVETALKER_ENDED;
  controls_.push_back({ring_.end(), std::move(control), false});
  return LIVETALKER_OK;
}

std::optional<std::int64_t> Outbound::interrupt() {
  const std::lock_guard lock(mutex_);
  if (closed_ || ended_) return std::nullopt;
  // In mid-resume `sent_` is behind what the server has heard already: that cannot be taken back.
  const std::int64_t here = std::max(sent_, std::min(sent_ever_, ring_.end()));
  ring_.truncate(here);
  for (Placed& placed : controls_) placed.position = std::min(placed.position, here);
  v1::Control flush;
  flush.mutable_flush();
  controls_.push_back({here, std::move(flush), false});
  return here;
}

void Outbound::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

std::int64_t Outbound::position() const {
  const std::lock_guard lock(mutex_);
  return ring_.end();
}

std::int64_t Outbound::samples_lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::int64_t Outbound::oldest() const {
  const std::lock_guard lock(mutex_);
  return ring_.begin();
}

Outbound::Next Outbound::take(Chunk& chunk, v1::Control& control) {
  const std::lock_guard lock(mutex_);
  std::int64_t until = ring_.end();
  if (!controls_.empty()) {
    if (controls_.front().position <= sent_) {
      control = controls_.front().control;
      remember(controls_.front());
      controls_.pop_front();
      return Next::kControl;
    }
    until = std::min(until, controls_.front().position);
  }
  const std::int64_t waiting = until - sent_;
  const bool cut_short = ended_ || !controls_.empty();  // the rest will not grow to a whole chunk
  if (waiting >= chunk_ || (waiting > 0 && cut_short)) {
    const std::int64_t length = std::min(waiting, chunk_);
    chunk.start = sent_;
    chunk.samples.resize(static_cast<std::size_t>(length));
    for (std::int64_t i = 0; i < length; ++i) chunk.samples[static_cast<std::size_t>(i)] = ring_.at(sent_ + i);
    sent_ += length;
    sent_ever_ = std::max(sent_ever_, sent_);
    return Next::kAudio;
  }
  if (ended_ && waiting == 0 && controls_.empty() && !end_taken_) {
    end_taken_ = true;
    return Next::kEnd;
  }
  return Next::kNothing;
}

void Outbound::remember(const Placed& placed) {
  if (placed.control.has_mute() || placed.control.has_unmute()) mute_ = placed;
  if (placed.control.has_shaping()) shaping_ = placed;
  if (placed.control.has_rematch_identity()) identity_ = placed;
  if (placed.control.has_flush()) flush_ = placed;
}

void Outbound::restart(std::int64_t position, std::int64_t known) {
  const std::lock_guard lock(mutex_);
  sent_ = std::clamp(position, ring_.begin(), ring_.end());
  end_taken_ = false;
  // What an earlier restart put there, for a call that broke before it was sent.
  controls_.erase(std::remove_if(controls_.begin(), controls_.end(), [](const Placed& placed) { return placed.again; }),
                  controls_.end());
  std::vector<Placed> standing;
  if (mute_) standing.push_back(*mute_);
  if (shaping_) standing.push_back(*shaping_);
  if (identity_ && identity_->position >= known) standing.push_back(*identity_);
  if (flush_ && flush_->position >= known && flush_->position > sent_) standing.push_back(*flush_);
  for (Placed& placed : standing) placed.again = true;
  std::stable_sort(standing.begin(), standing.end(),
                   [](const Placed& a, const Placed& b) { return a.position < b.position; });
  // Those not sent yet come after all that were.
  controls_.insert(controls_.begin(), standing.begin(), standing.end());
}

void Outbound::release_before(std::int64_t position) {
  const std::lock_guard lock(mutex_);
  needed_from_ = std::max(needed_from_, std::min(position, ring_.end()));
}

}  // namespace livetalker

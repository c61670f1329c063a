// The compact encoder: level-normalised samples in, features and speech probabilities out.
//
// What it computes is `StreamingHubert`; how its numbers are rounded to 8 bits is told in the model's export
// (`int8_layers`). A feature meets every older one as its keys and values are remembered, in 8 bits, those of the same
// call too. So it makes no difference in which pieces a stream's samples come: not to the last bit.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "attention.h"
#include "kernels.h"
#include "spectra.h"

namespace livetalker {

constexpr int kStride = 320, kOverlap = 80, kShortWindows = 4;
constexpr int kTile = 48;  // rows that go through a layer together: their values stay in the second cache

class Encoder {
public:
    struct Call {
        int streams, hop;
        const float* samples;
        const int64_t *position, *rows;
        int64_t slots;
        int places;
        int8_t *keys, *values;
        float *positional, *features, *speech;
    };

    Encoder(const Tensors& tensors, const livetalker_sizes& sizes)
        : heads_(sizes.heads),
          context_(sizes.context),
          presets_(sizes.presets),
          silence_(sizes.silence),
          width_(sizes.width),
          kernel_(sizes.kernel) {
        if (heads_ < 1 || width_ < 1 || width_ % (kLanes * heads_))
            throw std::invalid_argument("the encoder's heads must have a multiple of 16 channels");
        if (width_ > kMostWidth || heads_ > kMostHeads || context_ < 1 || context_ >= kMostHeard)
            throw std::invalid_argument("the encoder is larger than any the kernels were written for");
        long_ = LogMel(tensors, "encoder.front_end.long", kStride + kOverlap);
        short_ = LogMel(tensors, "encoder.front_end.short", 2 * kOverlap);
        const int bands = long_.bands() + kShortWindows * short_.bands();
        projection_ = affine(tensors, "encoder.front_end.projection", width_, bands);
        position_bias_ = tensors.row("encoder.positional.bias", width_);
        pack_positional(tensors.get("encoder.positional.weight", {width_, kPanel, kernel_}).floats());
        for (int i = 0; i < sizes.layers; i++) layers_.emplace_back(tensors, layer_name(i), width_, heads_);
        if (tensors.has(layer_name(sizes.layers) + "gelu.scales"))
            throw std::invalid_argument("the encoder has more layers than it says");
        final_gain_ = tensors.row("encoder.final_norm.weight", width_);
        final_shift_ = tensors.row("encoder.final_norm.bias", width_);
        const int phones = int(tensors.get("phone_head.linear.bias", {kAny}).size());
        phones_ = affine(tensors, "phone_head.linear", phones, width_);
        if (presets_ < 1 || phones % presets_ || silence_ < 0 || silence_ >= phones / presets_)
            throw std::invalid_argument("the phone head does not fit the presets");
        phone_count_ = phones / presets_;
    }

    void operator()(const Call& call) const {
        // A ring of the positional convolution must hold what a piece's first feature hears when its last is written.
        const int most = call.places - (kernel_ - 1);
        for (int first = 0; first < call.hop; first += most) piece(call, first, std::min(most, call.hop - first));
    }

private:
    struct Layer {
        Layer(const Tensors& tensors, const std::string& name, int width, int heads)
            : inner(int(tensors.get(name + "gelu.scales", {kAny}).size())),
              projection(rounded(tensors, name + "query_key_value", width, 3 * width, kNormalised / kLevels, kMiddle)),
              out(rounded(tensors, name + "attention_out", width, width, kAttended, kMiddle)),
              feed_in(rounded(tensors, name + "feed_forward_in", width, inner, kNormalised / kLevels, kMiddle)),
              feed_out(rounded(tensors, name + "feed_forward_out", inner, width, 1.0f, kGeluZero)),
              score(tensors.row(name + "score.folded", heads)),
              gelu_levels(tensors.row(name + "gelu.scales", inner)) {
            if (inner % kPanel) throw std::invalid_argument(name + "feed_forward must have a multiple of 16 channels");
        }
        int inner;
        IntegerProduct projection, out, feed_in, feed_out;
        std::vector<float> score, gelu_levels;
    };

    /// One row: a stream's feature.
    struct Row {
        int stream, feature;  // the feature counted from the piece's first
        int64_t index;        // and from the stream's beginning
    };

    // What levels count: see the model's export.
    static constexpr float kNormalised = 12.0f, kLevels = 127.0f, kAttended = 0.75f;
    static constexpr int kMiddle = 128, kGeluZero = 32;

    static std::string layer_name(int index) { return "encoder.layers." + std::to_string(index) + "."; }

    static FloatProduct affine(const Tensors& tensors, const std::string& name, int outputs, int inputs) {
        const float* weight = tensors.get(name + ".weight", {outputs, inputs}).floats();
        return FloatProduct(
            inputs, outputs, [&](int i, int j) { return weight[size_t(j) * inputs + i]; },
            tensors.get(name + ".bias", {outputs}).floats());
    }

    static IntegerProduct rounded(const Tensors& tensors, const std::string& name, int inputs, int outputs, float step,
                                  int zero) {
        const std::string bias = name + ".bias", folded = bias + ".folded";  // it may have taken something in
        return IntegerProduct(inputs, outputs, tensors.get(name + ".weight.int8", {inputs, outputs}).bytes(),
                              tensors.get(name + ".weight.scales", {outputs}).floats(),
                              tensors.get(tensors.has(folded) ? folded : bias, {outputs}).floats(), step, zero);
    }

    /// From `[width, 16 channels, kernel]`.
    void pack_positional(const float* weight) {
        position_weight_.resize(size_t(width_) * kPanel * kernel_);
        for (int out = 0; out < width_; out++)
            for (int in = 0; in < kPanel; in++)
                for (int tap = 0; tap < kernel_; tap++) {
                    const size_t group = size_t(out / kPanel) * kernel_ * kPanel;
                    position_weight_[(group + size_t(tap) * kPanel + in) * kPanel + out % kPanel] =
                        weight[(size_t(out) * kPanel + in) * kernel_ + tap];
                }
    }

    void piece(const Call& call, int first, int count) const {
        std::vector<Row> rows;
        for (int stream = 0; stream < call.streams; stream++)
            for (int i = 0; i < count; i++) rows.push_back({stream, i, call.position[stream] + first + i});
        std::vector<float> x(rows.size() * width_);
        for (size_t from = 0; from < rows.size(); from += kTile) {
            const int tile = int(std::min<size_t>(kTile, rows.size() - from));
            embed(call, first, rows.data() + from, tile, x.data() + from * width_);
        }
        place(call, rows, x);
        Scratch scratch(width_, *this);
        for (size_t layer = 0; layer < layers_.size(); layer++)
            for (size_t from = 0; from < rows.size(); from += kTile) {
                const int tile = int(std::min<size_t>(kTile, rows.size() - from));
                attend(call, layer, rows.data() + from, tile, x.data() + from * width_, scratch);
                feed_forward(layers_[layer], tile, x.data() + from * width_, scratch);
            }
        for (size_t from = 0; from < rows.size(); from += kTile) {
            const int tile = int(std::min<size_t>(kTile, rows.size() - from));
            deliver(call, first, rows.data() + from, tile, x.data() + from * width_);
        }
    }

    struct Scratch {
        Scratch(int width, const Encoder& encoder) {
            int inner = 3 * width;
            for (const Layer& layer : encoder.layers_) inner = std::max(inner, layer.inner);
            wide.resize(size_t(kTile) * inner);
            narrow.resize(size_t(kTile) * width);
            levels.resize(size_t(kTile) * inner);
        }
        std::vector<float> wide, narrow;
        std::vector<Level> levels;
    };

    /// Spectra, and what enters the positional convolution.
    void embed(const Call& call, int first, const Row* rows, int count, float* x) const {
        const size_t length = size_t(kStride) * call.hop + kOverlap;
        const int bands = projection_.inputs();
        std::vector<float> spectra(size_t(count) * bands);
        std::vector<const float*> long_windows, short_windows;
        std::vector<float*> long_bands, short_bands;
        for (int r = 0; r < count; r++) {
            const float* window = call.samples + rows[r].stream * length + size_t(first + rows[r].feature) * kStride;
            float* out = spectra.data() + size_t(r) * bands;
            long_windows.push_back(window);
            long_bands.push_back(out);
            for (int w = 0; w < kShortWindows; w++) {
                short_windows.push_back(window + w * kOverlap);
                short_bands.push_back(out + long_.bands() + w * short_.bands());
            }
        }
        long_(long_windows, long_bands);
        short_(short_windows, short_bands);
        projection_(spectra.data(), bands, count, x, width_);
    }

    /// The causal positional convolution, added to what goes in; its inputs are remembered.
    void place(const Call& call, const std::vector<Row>& rows, std::vector<float>& x) const {
        auto ring = [&](const Row& row, int64_t index) {
            const int64_t place = (index % call.places + call.places) % call.places;
            return call.positional + (call.rows[row.stream] * call.places + place) * width_;
        };
        for (size_t r = 0; r < rows.size(); r++)
            std::copy_n(x.data() + r * width_, width_, ring(rows[r], rows[r].index));
        std::vector<const float*> taps(size_t(kRows) * kernel_);
        std::vector<float> moved(rows.size() * width_);
        for_blocks<kRows>(int(rows.size()), [&](auto count, int row) {
            for (int r = 0; r < count; r++)
                for (int tap = 0; tap < kernel_; tap++)
                    taps[size_t(r) * kernel_ + tap] = ring(rows[row + r], rows[row + r].index - (kernel_ - 1) + tap);
            for (int out = 0; out < width_; out += kPanel)
                convolve<count>(taps.data(), kernel_, out, position_weight_.data() + size_t(out) * kernel_ * kPanel,
                                position_bias_.data() + out, moved.data() + size_t(row) * width_ + out, width_);
        });
        for (size_t i = 0; i < moved.size(); i++) x[i] += gelu(moved[i]);
    }

    void attend(const Call& call, size_t index, const Row* rows, int count, float* x, Scratch& scratch) const {
        const Layer& layer = layers_[index];
        normalised_levels(x, count, scratch);
        layer.projection(scratch.levels.data(), width_, count, scratch.wide.data(), 3 * width_);
        for (int r = 0; r < count; r++) {
            const size_t ring = (index * call.slots + call.rows[rows[r].stream]) * context_ * width_;
            attention(scratch.wide.data() + size_t(r) * 3 * width_, rows[r].index, call.keys + ring, call.values + ring,
                      layer.score.data(), width_, heads_, context_, scratch.narrow.data());
            Level* attended = scratch.levels.data() + size_t(r) * width_;
            levels(scratch.narrow.data(), width_, 1.0f / kAttended, kMiddle, attended);
        }
        layer.out(scratch.levels.data(), width_, count, scratch.narrow.data(), width_);
        add(scratch.narrow.data(), count, x);
    }

    void feed_forward(const Layer& layer, int count, float* x, Scratch& scratch) const {
        const int inner = layer.inner;
        normalised_levels(x, count, scratch);
        layer.feed_in(scratch.levels.data(), width_, count, scratch.wide.data(), inner);
        for (int r = 0; r < count; r++) {
            const float* wide = scratch.wide.data() + size_t(r) * inner;
            Level* out = scratch.levels.data() + size_t(r) * inner;
            for (int i = 0; i < inner; i++) out[i] = level(gelu(wide[i]) * layer.gelu_levels[i], kGeluZero);
        }
        layer.feed_out(scratch.levels.data(), inner, count, scratch.narrow.data(), width_);
        add(scratch.narrow.data(), count, x);
    }

    void normalised_levels(const float* x, int count, Scratch& scratch) const {
        for (int r = 0; r < count; r++) {
            float* narrow = scratch.narrow.data();
            normalise(x + size_t(r) * width_, width_, narrow);
            levels(narrow, width_, kLevels / kNormalised, kMiddle, scratch.levels.data() + size_t(r) * width_);
        }
    }

    void add(const float* more, int count, float* x) const {
        for (size_t i = 0; i < size_t(count) * width_; i++) x[i] += more[i];
    }

    /// The last normalisation, and of each preset the share of all phones but silence.
    void deliver(const Call& call, int first, const Row* rows, int count, const float* x) const {
        std::vector<float> features(size_t(count) * width_), logits(size_t(count) * phones_.outputs());
        for (int r = 0; r < count; r++) {
            float* out = features.data() + size_t(r) * width_;
            normalise(x + size_t(r) * width_, width_, out);
            for (int i = 0; i < width_; i++) out[i] = out[i] * final_gain_[i] + final_shift_[i];
        }
        phones_(features.data(), width_, count, logits.data(), phones_.outputs());
        for (int r = 0; r < count; r++) {
            const size_t place = size_t(rows[r].stream) * call.hop + first + rows[r].feature;
            std::copy_n(features.data() + size_t(r) * width_, width_, call.features + place * width_);
            for (int preset = 0; preset < presets_; preset++) {
                const float* one = logits.data() + size_t(r) * phones_.outputs() + preset * phone_count_;
                const float largest = *std::max_element(one, one + phone_count_);
                float all = 0.0f;
                for (int phone = 0; phone < phone_count_; phone++) all += exponential(one[phone] - largest);
                call.speech[place * presets_ + preset] = 1.0f - exponential(one[silence_] - largest) / all;
            }
        }
    }

    int heads_, context_, presets_, silence_, width_, kernel_, phone_count_ = 0;
    LogMel long_, short_;
    FloatProduct projection_, phones_;
    std::vector<float> position_weight_, position_bias_, final_gain_, final_shift_;
    std::vector<Layer> layers_;
};

}  // namespace livetalker

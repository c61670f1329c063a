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

    Encoder(const Tensors& tensors, int heads, int context, int presets, int silence)
        : heads_(heads), context_(context), presets_(presets), silence_(silence) {
        long_ = LogMel(tensors, "encoder.front_end.long");
        short_ = LogMel(tensors, "encoder.front_end.short");
        projection_ = affine(tensors, "encoder.front_end.projection");
        width_ = projection_.outputs();
        if (projection_.inputs() != long_.bands() + kShortWindows * short_.bands() || width_ % (kLanes * heads))
            throw std::invalid_argument("the encoder's width does not fit its heads");
        if (width_ > kMostWidth || heads > kMostHeads || context >= kMostHeard)
            throw std::invalid_argument("the encoder is larger than any the kernels were written for");
        position_bias_ = tensors.row("encoder.positional.bias");
        pack_positional(tensors.get("encoder.positional.weight", 3));
        for (int i = 0; tensors.has(layer_name(i) + "query_key_value.weight.int8"); i++)
            layers_.emplace_back(tensors, layer_name(i), width_);
        final_gain_ = tensors.row("encoder.final_norm.weight");
        final_shift_ = tensors.row("encoder.final_norm.bias");
        phones_ = affine(tensors, "phone_head.linear");
        phone_count_ = int(tensors.get("phone_head.linear.bias", 1).size()) / presets;
    }

    void operator()(const Call& call) const {
        // A ring of the positional convolution must hold what a piece's first feature hears when its last is written.
        const int most = call.places - (kernel_ - 1);
        for (int first = 0; first < call.hop; first += most) piece(call, first, std::min(most, call.hop - first));
    }

private:
    struct Layer {
        Layer(const Tensors& tensors, const std::string& name, int width)
            : projection(rounded(tensors, name + "query_key_value", kNormalised / kLevels, kMiddle)),
              out(rounded(tensors, name + "attention_out", kAttended, kMiddle)),
              feed_in(rounded(tensors, name + "feed_forward_in", kNormalised / kLevels, kMiddle)),
              feed_out(rounded(tensors, name + "feed_forward_out", 1.0f, kGeluZero)),
              score(tensors.row(name + "score.folded")),
              gelu_levels(tensors.row(name + "gelu.scales")) {
            if (projection.outputs() != 3 * width || out.outputs() != width || feed_out.outputs() != width)
                throw std::invalid_argument(name + " does not fit the encoder's width");
        }
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

    static FloatProduct affine(const Tensors& tensors, const std::string& name) {
        const Tensor& weight = tensors.get(name + ".weight", 2);
        const int outputs = int(weight.shape[0]), inputs = int(weight.shape[1]);
        const float* values = weight.floats();
        return FloatProduct(
            inputs, outputs, [&](int i, int j) { return values[size_t(j) * inputs + i]; },
            tensors.get(name + ".bias", 1).floats());
    }

    static IntegerProduct rounded(const Tensors& tensors, const std::string& name, float step, int zero) {
        const Tensor& weight = tensors.get(name + ".weight.int8", 2);
        const std::string bias = name + ".bias", folded = bias + ".folded";  // it may have taken something in
        return IntegerProduct(int(weight.shape[0]), int(weight.shape[1]), weight.bytes(),
                              tensors.get(name + ".weight.scales", 1).floats(),
                              tensors.get(tensors.has(folded) ? folded : bias, 1).floats(), step, zero);
    }

    void pack_positional(const Tensor& weight) {
        const int channels = int(weight.shape[1]);
        kernel_ = int(weight.shape[2]);
        if (weight.shape[0] != width_ || channels != kPanel)
            throw std::invalid_argument("the positional convolution must have groups of 16 channels");
        position_weight_.resize(size_t(width_) * channels * kernel_);
        for (int out = 0; out < width_; out++)
            for (int in = 0; in < channels; in++)
                for (int tap = 0; tap < kernel_; tap++) {
                    const size_t group = size_t(out / kPanel) * kernel_ * channels;
                    position_weight_[(group + size_t(tap) * channels + in) * kPanel + out % kPanel] =
                        weight.floats()[(size_t(out) * channels + in) * kernel_ + tap];
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
            for (const Layer& layer : encoder.layers_) inner = std::max(inner, layer.feed_in.outputs());
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
            levels(scratch.narrow.data(), width_, 1.0f / kAttended, kMiddle, scratch.levels.data() + size_t(r) * width_);
        }
        layer.out(scratch.levels.data(), width_, count, scratch.narrow.data(), width_);
        add(scratch.narrow.data(), count, x);
    }

    void feed_forward(const Layer& layer, int count, float* x, Scratch& scratch) const {
        const int inner = layer.feed_in.outputs();
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

    int heads_, context_, presets_, silence_;
    int width_ = 0, kernel_ = 0, phone_count_ = 0;
    LogMel long_, short_;
    FloatProduct projection_, phones_;
    std::vector<float> position_weight_, position_bias_, final_gain_, final_shift_;
    std::vector<Layer> layers_;
};

}  // namespace livetalker

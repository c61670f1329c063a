// The denoiser: features, an identity and noise in, the curves of faces out, all denoise steps in one call.
//
// Step s of frame f needs step s - 1 of that frame and step s of the frame before, so the steps of consecutive frames
// lie on a diagonal and are computed together, as a wavefront. How its numbers are rounded is told in the model's
// export (`int8_frame`): a GRU's state lies within -1..1, so one scale fits all of them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "elementwise.h"
#include "tensors.h"

namespace livetalker {

class Denoiser {
public:
    struct Call {
        int streams, frames;
        const float *audio, *identity;
        const int64_t* preset;
        float *curves, *hidden;
    };

    explicit Denoiser(const Tensors& tensors) {
        const std::string name = "denoiser.";
        const Tensor& audio = tensors.get(name + "audio.weight", 2);
        const int heard = int(audio.shape[0]);
        audio_inputs_ = int(audio.shape[1]);
        audio_ = FloatProduct(
            audio_inputs_, heard, [&](int i, int j) { return audio.floats()[size_t(j) * audio_inputs_ + i]; },
            tensors.get(name + "audio.bias", 1).floats());
        // The first layer's inputs, in order: audio and identity, preset, curves, step.
        const Tensor& first = tensors.get(name + "gru.weight_ih_l0", 2);
        const Tensor& presets = tensors.get(name + "preset.weight", 2);
        gates_ = int(first.shape[0]);
        hidden_ = gates_ / 3;
        const int inputs = int(first.shape[1]), patience = int(presets.shape[1]);
        scale_ = tensors.row(name + "scale");
        mean_ = tensors.row(name + "mean");
        temperature_ = tensors.row(name + "temperature");
        coefficients_ = int(scale_.size());
        const Tensor& from_step = tensors.get(name + "from_step.folded", 2);
        steps_ = int(from_step.shape[0]);
        const int step_width = int(tensors.get(name + "step_encoder.linear.weight", 2).shape[0]);
        const int known = inputs - patience - coefficients_ - step_width;
        identity_ = known - heard;
        if (from_step.shape[1] != gates_ || hidden_ % kLanes || heard % kLanes || identity_ <= 0)
            throw std::invalid_argument("the denoiser's sizes do not fit each other");
        auto column = [&](int from) {
            return [&, from](int i, int j) { return first.floats()[size_t(j) * inputs + from + i]; };
        };
        known_ = FloatProduct(known, gates_, column(0), tensors.get(name + "gru.bias_ih_l0", 1).floats());
        noised_ = FloatProduct(coefficients_, gates_, column(known + patience), nullptr);
        const FloatProduct from_preset(patience, gates_, column(known), nullptr);
        const int preset_count = int(presets.shape[0]);
        from_preset_.resize(size_t(preset_count) * gates_);
        from_preset(presets.floats(), patience, preset_count, from_preset_.data(), gates_);
        from_step_.assign(from_step.floats(), from_step.floats() + from_step.size());
        const Tensor& mixtures = tensors.get(name + "mixtures", 2);
        mixtures_.assign(mixtures.floats(), mixtures.floats() + mixtures.size());
        if (int(mixtures_.size()) != 2 * steps_) throw std::invalid_argument("the denoiser's steps do not fit");
        for (layers_ = 1; tensors.has(name + "gru.weight_ih_l" + std::to_string(layers_));) layers_++;
        if (layers_ != 2) throw std::invalid_argument("a denoiser has two layers");
        own_gates_ = rounded(tensors, "gru.weight_hh_l0.gates", "gru.bias_hh_l0.gates.folded");
        own_new_ = rounded(tensors, "gru.weight_hh_l0.new", "gru.bias_hh_l0.new.folded");
        next_gates_ = rounded(tensors, "gru.weight_ih_l1.gates.and_own", "gru.bias_ih_l1.gates.folded.and_own.folded");
        next_new_ = rounded(tensors, "gru.weight_ih_l1.new", "gru.bias_ih_l1.new.folded");
        next_own_new_ = rounded(tensors, "gru.weight_hh_l1.new", "gru.bias_hh_l1.new.folded");
        output_ = rounded(tensors, "output.weight", "output.bias");
    }

    void operator()(const Call& call) const {
        const size_t rows = size_t(call.streams) * call.frames;
        std::vector<float> condition(rows * gates_);
        this->condition(call, condition.data());
        for (size_t row = 0; row < rows; row++)
            for (int i = 0; i < coefficients_; i++) call.curves[row * coefficients_ + i] *= temperature_[i];
        Scratch scratch(*this, size_t(call.streams) * std::min(steps_, call.frames));
        std::vector<Row> diagonal;
        for (int tick = 0; tick < call.frames + steps_ - 1; tick++) {
            diagonal.clear();
            for (int step = std::max(0, tick - call.frames + 1); step <= std::min(tick, steps_ - 1); step++)
                for (int stream = 0; stream < call.streams; stream++)
                    diagonal.push_back({step, stream, stream * call.frames + tick - step});
            advance(call, diagonal, condition.data(), scratch);
        }
        for (size_t row = 0; row < rows; row++) {
            float* curves = call.curves + row * coefficients_;
            for (int i = 0; i < coefficients_; i++) curves[i] = curves[i] * scale_[i] + mean_[i];
        }
    }

private:
    /// A denoise step of a stream's frame, whose curves are row `face` of all.
    struct Row {
        int step, stream, face;
    };

    struct Scratch {
        Scratch(const Denoiser& denoiser, size_t rows)
            : curves(rows * denoiser.coefficients_),
              gates(rows * denoiser.gates_),
              open(rows * 2 * denoiser.hidden_),
              fresh(rows * denoiser.hidden_),
              own(rows * denoiser.hidden_),
              clean(rows * denoiser.output_.outputs()),
              states(rows * denoiser.hidden_),
              levels(rows * 2 * denoiser.hidden_) {}
        std::vector<float> curves, gates, open, fresh, own, clean, states;
        std::vector<Level> levels;
    };

    static constexpr float kLevels = 127.0f;
    static constexpr int kMiddle = 128;

    static IntegerProduct rounded(const Tensors& tensors, const std::string& weight, const std::string& bias) {
        const std::string name = "denoiser.";
        const Tensor& whole = tensors.get(name + weight + ".int8", 2);
        return IntegerProduct(int(whole.shape[0]), int(whole.shape[1]), whole.bytes(),
                              tensors.get(name + weight + ".scales", 1).floats(), tensors.get(name + bias, 1).floats(),
                              1.0f / kLevels, kMiddle);
    }

    /// What the first layer's gates get from all that no step changes, `[streams frames, gates]`.
    void condition(const Call& call, float* out) const {
        const int rows = call.streams * call.frames, heard = audio_.outputs(), width = heard + identity_;
        std::vector<float> known(size_t(rows) * width);
        audio_(call.audio, audio_inputs_, rows, known.data(), width);
        for (int row = 0; row < rows; row++) {
            float* one = known.data() + size_t(row) * width;
            for (int i = 0; i < heard; i++) one[i] = gelu(one[i]);
            std::copy_n(call.identity + size_t(row) * identity_, identity_, one + heard);
        }
        known_(known.data(), width, rows, out, gates_);
        for (int row = 0; row < rows; row++) {
            const float* patience = from_preset_.data() + call.preset[row / call.frames] * gates_;
            for (int i = 0; i < gates_; i++) out[size_t(row) * gates_ + i] += patience[i];
        }
    }

    float* state(const Call& call, const Row& row, int layer) const {
        return call.hidden + ((size_t(row.step) * layers_ + layer) * call.streams + row.stream) * hidden_;
    }

    void advance(const Call& call, const std::vector<Row>& rows, const float* condition, Scratch& s) const {
        const int count = int(rows.size()), size = hidden_, both = 2 * size;
        for (int r = 0; r < count; r++) {
            std::copy_n(call.curves + size_t(rows[r].face) * coefficients_, coefficients_,
                        s.curves.data() + size_t(r) * coefficients_);
            state_levels(state(call, rows[r], 0), s.levels.data() + size_t(r) * both);
        }
        noised_(s.curves.data(), coefficients_, count, s.gates.data(), gates_);
        own_gates_(s.levels.data(), both, count, s.open.data(), both);
        own_new_(s.levels.data(), both, count, s.own.data(), size);
        for (int r = 0; r < count; r++) {
            float* gates = s.gates.data() + size_t(r) * gates_;
            const float* known = condition + size_t(rows[r].face) * gates_;
            const float* of_step = from_step_.data() + size_t(rows[r].step) * gates_;
            for (int i = 0; i < gates_; i++) gates[i] += known[i] + of_step[i];
            float* open = s.open.data() + size_t(r) * both;
            for (int i = 0; i < both; i++) open[i] += gates[i];
            cell(open, gates + both, s.own.data() + size_t(r) * size, state(call, rows[r], 0));
            Level* levels = s.levels.data() + size_t(r) * both;
            state_levels(state(call, rows[r], 0), levels);
            state_levels(state(call, rows[r], 1), levels + size);
        }
        next_gates_(s.levels.data(), both, count, s.open.data(), both);
        next_new_(s.levels.data(), both, count, s.fresh.data(), size);
        next_own_new_(s.levels.data() + size, both, count, s.own.data(), size);
        for (int r = 0; r < count; r++) {
            float* second = state(call, rows[r], 1);
            cell(s.open.data() + size_t(r) * both, s.fresh.data() + size_t(r) * size, s.own.data() + size_t(r) * size,
                 second);
            state_levels(second, s.levels.data() + size_t(r) * both);
        }
        output_(s.levels.data(), both, count, s.clean.data(), output_.outputs());
        for (int r = 0; r < count; r++) {
            const float from_clean = mixtures_[2 * rows[r].step], from_noised = mixtures_[2 * rows[r].step + 1];
            const float* clean = s.clean.data() + size_t(r) * output_.outputs();
            float* x = call.curves + size_t(rows[r].face) * coefficients_;
            for (int i = 0; i < coefficients_; i++) x[i] = clean[i] * from_clean + x[i] * from_noised;
        }
    }

    void state_levels(const float* state, Level* out) const { levels(state, hidden_, kLevels, kMiddle, out); }

    /// A GRU cell (Cho et al. 2014, with the reset gate after the product).
    ///
    /// @param open `[2 H]` all that the reset and the update gate get.
    /// @param fresh `[H]` what the new state gets from below.
    /// @param own `[H]` what it gets from the old one, which the reset gate holds back.
    /// @param state `[H]` the old one, then the new.
    void cell(const float* open, const float* fresh, const float* own, float* state) const {
        for (int i = 0; i < hidden_; i++) {
            const float reset = sigmoid(open[i]), update = sigmoid(open[hidden_ + i]);
            const float next = hyperbolic_tangent(fresh[i] + reset * own[i]);
            state[i] = next + update * (state[i] - next);
        }
    }

    int audio_inputs_ = 0, identity_ = 0, gates_ = 0, hidden_ = 0, layers_ = 0, steps_ = 0, coefficients_ = 0;
    FloatProduct audio_, known_, noised_;
    IntegerProduct own_gates_, own_new_, next_gates_, next_new_, next_own_new_, output_;
    std::vector<float> from_preset_, from_step_, mixtures_, scale_, mean_, temperature_;
};

}  // namespace livetalker

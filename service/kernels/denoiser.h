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
#include "kernels.h"
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

    Denoiser(const Tensors& tensors, const livetalker_sizes& sizes)
        : audio_inputs_(2 * sizes.width),
          identity_(sizes.identity),
          gates_(3 * sizes.hidden),
          hidden_(sizes.hidden),
          steps_(sizes.steps) {
        const std::string name = "denoiser.";
        const int heard = int(tensors.get(name + "audio.bias", {kAny}).size());
        if (hidden_ < 1 || hidden_ % kLanes || heard % kPanel || steps_ < 1 || identity_ < 1)
            throw std::invalid_argument("the denoiser's audio and states must have a multiple of 16 channels");
        const float* audio = tensors.get(name + "audio.weight", {heard, audio_inputs_}).floats();
        audio_ = FloatProduct(
            audio_inputs_, heard, [&](int i, int j) { return audio[size_t(j) * audio_inputs_ + i]; },
            tensors.get(name + "audio.bias", {heard}).floats());
        coefficients_ = int(tensors.get(name + "scale", {kAny}).size());
        scale_ = tensors.row(name + "scale", coefficients_);
        mean_ = tensors.row(name + "mean", coefficients_);
        temperature_ = tensors.row(name + "temperature", coefficients_);
        // The first layer's inputs, in order: audio and identity, preset, curves, step.
        const Tensor& presets = tensors.get(name + "preset.weight", {sizes.presets, kAny});
        const int known = heard + identity_, patience = int(presets.shape[1]);
        const int step_width = int(tensors.get(name + "step_encoder.linear.bias", {kAny}).size());
        const int inputs = known + patience + coefficients_ + step_width;
        const float* first = tensors.get(name + "gru.weight_ih_l0", {gates_, inputs}).floats();
        auto columns = [&](int from) {
            return [=](int i, int j) { return first[size_t(j) * inputs + from + i]; };
        };
        known_ = FloatProduct(known, gates_, columns(0), tensors.get(name + "gru.bias_ih_l0", {gates_}).floats());
        noised_ = FloatProduct(coefficients_, gates_, columns(known + patience), nullptr);
        from_preset_.resize(size_t(sizes.presets) * gates_);
        const FloatProduct from_preset(patience, gates_, columns(known), nullptr);
        from_preset(presets.floats(), patience, sizes.presets, from_preset_.data(), gates_);
        const Tensor& from_step = tensors.get(name + "from_step.folded", {steps_, gates_});
        from_step_.assign(from_step.floats(), from_step.floats() + from_step.size());
        const Tensor& mixtures = tensors.get(name + "mixtures", {steps_, 2});
        mixtures_.assign(mixtures.floats(), mixtures.floats() + mixtures.size());
        if (tensors.has(name + "gru.weight_ih_l" + std::to_string(kLayers)))
            throw std::invalid_argument("the denoiser has more than two layers");
        const int size = hidden_, both = 2 * size;
        own_gates_ = rounded(tensors, size, both, "gru.weight_hh_l0.gates", "gru.bias_hh_l0.gates.folded");
        own_new_ = rounded(tensors, size, size, "gru.weight_hh_l0.new", "gru.bias_hh_l0.new.folded");
        next_gates_ = rounded(tensors, both, both, "gru.weight_ih_l1.gates.and_own",
                              "gru.bias_ih_l1.gates.folded.and_own.folded");
        next_new_ = rounded(tensors, size, size, "gru.weight_ih_l1.new", "gru.bias_ih_l1.new.folded");
        next_own_new_ = rounded(tensors, size, size, "gru.weight_hh_l1.new", "gru.bias_hh_l1.new.folded");
        output_ = rounded(tensors, size, coefficients_, "output.weight", "output.bias");
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
    static constexpr int kMiddle = 128, kLayers = 2;

    static IntegerProduct rounded(const Tensors& tensors, int inputs, int outputs, const std::string& weight,
                                  const std::string& bias) {
        const std::string name = "denoiser.";
        return IntegerProduct(inputs, outputs, tensors.get(name + weight + ".int8", {inputs, outputs}).bytes(),
                              tensors.get(name + weight + ".scales", {outputs}).floats(),
                              tensors.get(name + bias, {outputs}).floats(), 1.0f / kLevels, kMiddle);
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
        return call.hidden + ((size_t(row.step) * kLayers + layer) * call.streams + row.stream) * hidden_;
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

    int audio_inputs_, identity_, gates_, hidden_, steps_, coefficients_ = 0;
    FloatProduct audio_, known_, noised_;
    IntegerProduct own_gates_, own_new_, next_gates_, next_new_, next_own_new_, output_;
    std::vector<float> from_preset_, from_step_, mixtures_, scale_, mean_, temperature_;
};

}  // namespace livetalker

// Products of many rows with one matrix: in float32, and in 8-bit integers, whose sums are exact.
//
// A matrix is packed once, in panels of 16 outputs, so that a panel stays in the first cache while rows pass by. Every
// output is one sum in the order of its inputs, however many rows there are: neighbours change nothing, not one bit.
//
// Written for each instruction set that a library is compiled for. Where a processor multiplies bytes into 32 bits in
// one instruction, levels are bytes; elsewhere they are 16 bits wide, whose products no instruction lets overflow.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace livetalker {

constexpr int kPanel = 16;

#if defined(__AVX512VNNI__)
using Level = uint8_t;  // the level itself
constexpr int kTogether = 4;  // inputs that one instruction multiplies and adds
constexpr int kRows = 12;
#else
using Level = int16_t;  // the level less the one that stands for 0
constexpr int kTogether = 2;
#if defined(__AVX2__)
constexpr int kRows = 6;
#else
constexpr int kRows = 4;
#endif
#endif

inline int padded(int outputs) { return (outputs + kPanel - 1) / kPanel * kPanel; }

#if defined(__AVX2__)
/// Has a pair of registers computed before what follows, lest the compiler loads every row first and runs out of them.
template <class Register>
inline void now(Register (&pair)[2]) {
#if defined(__AVX512VL__)
    asm("" : "+v"(pair[0]), "+v"(pair[1]));  // any of 32
#else
    asm("" : "+x"(pair[0]), "+x"(pair[1]));
#endif
}
#endif

/// The block that is left over, of `rows` rows, 0 to `Most`.
template <int Most, class Block>
inline void for_rest(int rows, int row, const Block& block) {
    if constexpr (Most > 0) {
        if (rows == Most)
            block(std::integral_constant<int, Most>{}, row);
        else
            for_rest<Most - 1>(rows, row, block);
    }
}

/// Runs blocks of up to `Rows` rows over all of them; how many a block has is a constant, so that it can be unrolled.
template <int Rows, class Block>
inline void for_blocks(int rows, const Block& block) {
    int row = 0;
    for (; row + Rows <= rows; row += Rows) block(std::integral_constant<int, Rows>{}, row);
    for_rest<Rows - 1>(rows - row, row, block);
}

/// `y = x W + b` in float32.
class FloatProduct {
public:
    FloatProduct() = default;

    /// @param weight `[inputs, outputs]` by `at(input, output)`.
    /// @param bias `[outputs]`, or null.
    template <class At>
    FloatProduct(int inputs, int outputs, const At& at, const float* bias)
        : inputs_(inputs), outputs_(padded(outputs)), weight_(size_t(inputs) * outputs_), bias_(outputs_) {
        for (int j = 0; j < outputs; j++) {
            if (bias) bias_[j] = bias[j];
            float* panel = weight_.data() + size_t(j / kPanel) * inputs * kPanel + j % kPanel;
            for (int i = 0; i < inputs; i++) panel[size_t(i) * kPanel] = at(i, j);
        }
    }

    int inputs() const { return inputs_; }
    /// Columns of the result, a multiple of the panel's.
    int outputs() const { return outputs_; }

    /// @param x `[rows, inputs]`, `x_stride` floats from row to row.
    /// @param y `[rows, outputs()]`, likewise.
    void operator()(const float* x, int x_stride, int rows, float* y, int y_stride) const {
        for (int first = 0; first < outputs_; first += kPanel) {
            const float* panel = weight_.data() + size_t(first) * inputs_;
            for_blocks<kRows>(rows, [&](auto count, int row) {
                block<count>(x + size_t(row) * x_stride, x_stride, panel, bias_.data() + first,
                             y + size_t(row) * y_stride + first, y_stride);
            });
        }
    }

private:
    template <int Rows>
    void block(const float* x, int x_stride, const float* panel, const float* bias, float* y, int y_stride) const {
#if defined(__AVX512F__)
        __m512 sum[Rows];
        for (int r = 0; r < Rows; r++) sum[r] = _mm512_loadu_ps(bias);
        for (int i = 0; i < inputs_; i++) {
            const __m512 w = _mm512_loadu_ps(panel + size_t(i) * kPanel);
            for (int r = 0; r < Rows; r++) sum[r] = _mm512_fmadd_ps(_mm512_set1_ps(x[r * x_stride + i]), w, sum[r]);
        }
        for (int r = 0; r < Rows; r++) _mm512_storeu_ps(y + r * y_stride, sum[r]);
#elif defined(__AVX2__)
        __m256 sum[Rows][2];
        for (int r = 0; r < Rows; r++) {
            sum[r][0] = _mm256_loadu_ps(bias);
            sum[r][1] = _mm256_loadu_ps(bias + 8);
        }
        for (int i = 0; i < inputs_; i++) {
            const __m256 w0 = _mm256_loadu_ps(panel + size_t(i) * kPanel);
            const __m256 w1 = _mm256_loadu_ps(panel + size_t(i) * kPanel + 8);
            for (int r = 0; r < Rows; r++) {
                const __m256 v = _mm256_broadcast_ss(x + r * x_stride + i);
                sum[r][0] = _mm256_fmadd_ps(v, w0, sum[r][0]);
                sum[r][1] = _mm256_fmadd_ps(v, w1, sum[r][1]);
                now(sum[r]);
            }
        }
        for (int r = 0; r < Rows; r++) {
            _mm256_storeu_ps(y + r * y_stride, sum[r][0]);
            _mm256_storeu_ps(y + r * y_stride + 8, sum[r][1]);
        }
#else
        float sum[Rows][kPanel];
        for (int r = 0; r < Rows; r++) std::memcpy(sum[r], bias, sizeof sum[r]);
        for (int i = 0; i < inputs_; i++) {
            const float* w = panel + size_t(i) * kPanel;
            for (int r = 0; r < Rows; r++)
                for (int j = 0; j < kPanel; j++) sum[r][j] += x[r * x_stride + i] * w[j];
        }
        for (int r = 0; r < Rows; r++) std::memcpy(y + r * y_stride, sum[r], sizeof sum[r]);
#endif
    }

    int inputs_ = 0, outputs_ = 0;
    std::vector<float> weight_, bias_;
};

/// `y = step * scale * (levels - zero) W + b` with 8-bit levels and weights; the sum over inputs is one of integers.
class IntegerProduct {
public:
    IntegerProduct() = default;

    /// @param weight `[inputs, outputs]`.
    /// @param scale `[outputs]` what a unit of a weight counts.
    /// @param bias `[outputs]`.
    /// @param step what a level counts.
    /// @param zero the level that stands for 0.
    IntegerProduct(int inputs, int outputs, const int8_t* weight, const float* scale, const float* bias, float step,
                   int zero)
        : inputs_(inputs),
          outputs_(padded(outputs)),
          weight_(size_t(inputs) * outputs_),
          scale_(outputs_),
          bias_(outputs_),
          start_(outputs_) {
        if (inputs % 4) throw std::invalid_argument("a product's inputs must come in fours");
        for (int j = 0; j < outputs; j++) {
            scale_[j] = step * scale[j];
            bias_[j] = bias[j];
            int8_t* panel = weight_.data() + size_t(j / kPanel) * inputs * kPanel + (j % kPanel) * kTogether;
            for (int i = 0; i < inputs; i++) {
                const int8_t w = weight[size_t(i) * outputs + j];
                panel[size_t(i / kTogether) * kPanel * kTogether + i % kTogether] = w;
                start_[j] -= zero * w;
            }
        }
        if (kTogether == 2) start_.assign(outputs_, 0);  // such levels have lost their zero already
    }

    /// Columns of the result, a multiple of the panel's.
    int outputs() const { return outputs_; }

    /// @param x `[rows, inputs]`, `x_stride` levels from row to row.
    /// @param y `[rows, outputs()]`, `y_stride` floats from row to row.
    void operator()(const Level* x, int x_stride, int rows, float* y, int y_stride) const {
        for (int first = 0; first < outputs_; first += kPanel) {
            const int8_t* panel = weight_.data() + size_t(first) * inputs_;
            for_blocks<kRows>(rows, [&](auto count, int row) {
                block<count>(x + size_t(row) * x_stride, x_stride, panel, first, y + size_t(row) * y_stride + first,
                             y_stride);
            });
        }
    }

private:
    template <int Rows>
    void block(const Level* x, int x_stride, const int8_t* panel, int first, float* y, int y_stride) const {
        const float* scale = scale_.data() + first;
        const float* bias = bias_.data() + first;
#if defined(__AVX512VNNI__)
        __m512i sum[Rows];
        for (int r = 0; r < Rows; r++) sum[r] = _mm512_loadu_si512(start_.data() + first);
        for (int i = 0; i < inputs_; i += kTogether) {
            const __m512i w = _mm512_loadu_si512(panel + size_t(i) * kPanel);
            for (int r = 0; r < Rows; r++) {
                const __m512i v = _mm512_set1_epi32(together(x + r * x_stride + i));
                sum[r] = _mm512_dpbusd_epi32(sum[r], v, w);
            }
        }
        for (int r = 0; r < Rows; r++) {
            const __m512 whole = _mm512_cvtepi32_ps(sum[r]);
            _mm512_storeu_ps(y + r * y_stride, _mm512_fmadd_ps(whole, _mm512_loadu_ps(scale), _mm512_loadu_ps(bias)));
        }
#elif defined(__AVX2__)
        __m256i sum[Rows][2];
        for (int r = 0; r < Rows; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
        for (int i = 0; i < inputs_; i += kTogether) {
            const __m128i* w = reinterpret_cast<const __m128i*>(panel + size_t(i) * kPanel);
            const __m256i w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w));
            const __m256i w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(w + 1));
            for (int r = 0; r < Rows; r++) {
                const __m256i v = _mm256_set1_epi32(together(x + r * x_stride + i));
                sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(v, w0));
                sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(v, w1));
                now(sum[r]);
            }
        }
        for (int r = 0; r < Rows; r++)
            for (int half = 0; half < 2; half++) {
                const __m256 whole = _mm256_cvtepi32_ps(sum[r][half]);
                _mm256_storeu_ps(y + r * y_stride + 8 * half, _mm256_fmadd_ps(whole, _mm256_loadu_ps(scale + 8 * half),
                                                                              _mm256_loadu_ps(bias + 8 * half)));
            }
#else
        int32_t sum[Rows][kPanel] = {};
        for (int i = 0; i < inputs_; i += kTogether) {
            const int8_t* w = panel + size_t(i) * kPanel;
            for (int r = 0; r < Rows; r++)
                for (int j = 0; j < kPanel; j++)
                    sum[r][j] += x[r * x_stride + i] * w[2 * j] + x[r * x_stride + i + 1] * w[2 * j + 1];
        }
        for (int r = 0; r < Rows; r++)
            for (int j = 0; j < kPanel; j++) y[r * y_stride + j] = float(sum[r][j]) * scale[j] + bias[j];
#endif
    }

    /// The next levels that are multiplied together, as one word.
    static int32_t together(const Level* x) {
        int32_t word;
        std::memcpy(&word, x, sizeof word);
        return word;
    }

    int inputs_ = 0, outputs_ = 0;
    std::vector<int8_t> weight_;
    std::vector<float> scale_, bias_;
    std::vector<int32_t> start_;
};

/// One panel of a grouped convolution: 16 outputs, each of the same 16 channels of `kernel` inputs.
///
/// @param taps `[Rows, kernel]` where each input's channels lie.
/// @param first of the channels.
/// @param weight `[kernel, 16 channels, 16 outputs]`.
/// @param y `[Rows, 16]`, `y_stride` floats from row to row.
template <int Rows>
inline void convolve(const float* const* taps, int kernel, int first, const float* weight, const float* bias, float* y,
                     int y_stride) {
#if defined(__AVX2__)
    __m256 sum[Rows][2];
    for (int r = 0; r < Rows; r++) {
        sum[r][0] = _mm256_loadu_ps(bias);
        sum[r][1] = _mm256_loadu_ps(bias + 8);
    }
    for (int tap = 0; tap < kernel; tap++) {
        const float* x[Rows];
        for (int r = 0; r < Rows; r++) x[r] = taps[r * kernel + tap] + first;
        for (int channel = 0; channel < kPanel; channel++, weight += kPanel) {
            const __m256 w0 = _mm256_loadu_ps(weight), w1 = _mm256_loadu_ps(weight + 8);
            for (int r = 0; r < Rows; r++) {
                const __m256 v = _mm256_broadcast_ss(x[r] + channel);
                sum[r][0] = _mm256_fmadd_ps(v, w0, sum[r][0]);
                sum[r][1] = _mm256_fmadd_ps(v, w1, sum[r][1]);
                now(sum[r]);
            }
        }
    }
    for (int r = 0; r < Rows; r++) {
        _mm256_storeu_ps(y + r * y_stride, sum[r][0]);
        _mm256_storeu_ps(y + r * y_stride + 8, sum[r][1]);
    }
#else
    float sum[Rows][kPanel];
    for (int r = 0; r < Rows; r++) std::memcpy(sum[r], bias, sizeof sum[r]);
    for (int tap = 0; tap < kernel; tap++)
        for (int channel = 0; channel < kPanel; channel++, weight += kPanel)
            for (int r = 0; r < Rows; r++)
                for (int j = 0; j < kPanel; j++) sum[r][j] += taps[r * kernel + tap][first + channel] * weight[j];
    for (int r = 0; r < Rows; r++) std::memcpy(y + r * y_stride, sum[r], sizeof sum[r]);
#endif
}

}  // namespace livetalker

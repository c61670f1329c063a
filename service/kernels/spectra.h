// Log-mel spectra of windows of one size (see `LogMel` of the model's front end).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "elementwise.h"
#include "tensors.h"

namespace livetalker {

/// Of real windows under a window function that is the same forwards and backwards. Cosines then meet the sum of a
/// window and its mirror image, sines the difference: half of a discrete Fourier transform's products.
class LogMel {
public:
    LogMel() = default;

    /// @param name where `dft [size, 2 bins]` (cosines, then sines) and `filters [bins, bands]` are.
    /// @param size samples of a window, an even number.
    LogMel(const Tensors& tensors, const std::string& name, int size) {
        size_ = size;
        half_ = size / 2;
        bins_ = half_ + 1;
        const Tensor& dft = tensors.get(name + ".dft", {size, 2 * bins_});
        const Tensor& filters = tensors.get(name + ".filters", {bins_, kAny});
        bands_ = int(filters.shape[1]);
        const float* waves = dft.floats();
        auto wave = [&](int n, int k) { return waves[size_t(n) * 2 * bins_ + k]; };
        for (int n = 1; n < half_; n++)
            for (int k = 0; k < 2 * bins_; k++)
                if (std::fabs(wave(n, k) - (k < bins_ ? 1 : -1) * wave(size_ - n, k)) > 1e-5f)
                    throw std::invalid_argument(name + ".dft is not that of a symmetric window");
        cosines_ = FloatProduct(half_ + 1, bins_, wave, nullptr);
        sines_ = FloatProduct(half_ - 1, bins_, [&](int n, int k) { return wave(n + 1, bins_ + k); }, nullptr);
        for (int band = 0; band < bands_; band++) {
            Band one;
            for (int k = 0; k < bins_; k++) {
                const float share = filters.floats()[size_t(k) * bands_ + band];
                if (share == 0.0f && one.shares.empty()) continue;
                if (one.shares.empty()) one.first = k;
                one.shares.push_back(share);
            }
            while (!one.shares.empty() && one.shares.back() == 0.0f) one.shares.pop_back();
            filters_.push_back(std::move(one));
        }
    }

    int bands() const { return bands_; }

    /// @param windows where each window begins.
    /// @param out where the bands of each go.
    void operator()(const std::vector<const float*>& windows, const std::vector<float*>& out) const {
        const int rows = int(windows.size()), width = cosines_.outputs();
        std::vector<float> sums(size_t(rows) * (half_ + 1)), differences(size_t(rows) * (half_ - 1));
        std::vector<float> real(size_t(rows) * width), imaginary(size_t(rows) * width);
        for (int row = 0; row < rows; row++) {
            const float* x = windows[row];
            float* sum = sums.data() + size_t(row) * (half_ + 1);
            float* difference = differences.data() + size_t(row) * (half_ - 1) - 1;
            sum[0] = x[0];
            sum[half_] = x[half_];
            for (int n = 1; n < half_; n++) {
                sum[n] = x[n] + x[size_ - n];
                difference[n] = x[n] - x[size_ - n];
            }
        }
        cosines_(sums.data(), half_ + 1, rows, real.data(), width);
        sines_(differences.data(), half_ - 1, rows, imaginary.data(), width);
        for (int row = 0; row < rows; row++) {
            float* power = real.data() + size_t(row) * width;
            const float* sine = imaginary.data() + size_t(row) * width;
            for (int k = 0; k < width; k++) power[k] = power[k] * power[k] + sine[k] * sine[k];
            for (int band = 0; band < bands_; band++) {
                const Band& filter = filters_[band];
                float mel = 0.0f;
                for (size_t k = 0; k < filter.shares.size(); k++) mel += power[filter.first + k] * filter.shares[k];
                out[row][band] = (logarithm(mel + kFloor) - kMean) / kScale;
            }
        }
    }

private:
    struct Band {
        int first = 0;
        std::vector<float> shares;
    };

    static constexpr float kFloor = 1e-6f, kMean = -6.0f, kScale = 3.0f;  // as the model's front end has them

    int size_ = 0, half_ = 0, bins_ = 0, bands_ = 0;
    FloatProduct cosines_, sines_;
    std::vector<Band> filters_;
};

}  // namespace livetalker

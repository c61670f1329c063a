// Causal level normalisation behind a high-pass: see the model's `level` and `highpass` modules, whose numbers these
// are but for the last digits.
#pragma once

#include <algorithm>
#include <cmath>

namespace livetalker {

constexpr int kBlock = 80, kAveraged = 10, kSections = 2;

/// A biquad in transposed direct form: `y = s0 + d x`, `s0' = a0 s0 + s1 + b0 x`, `s1' = a1 s0 + b1 x`.
struct Section {
    double a0, a1, b0, b1, d;
};

/// Brings whole blocks of a stream to the encoder's level.
///
/// @param floor, release dBFS below which nothing is brought up; dB that the held level falls in a block.
/// @param powers `[kAveraged - 1]` mean squares of the latest blocks; `held` dBFS; `low_cut` `[4]`: all changed.
inline void normalize_level(const Section (&sections)[kSections], double floor, double release, const float* samples,
                            int blocks, double* powers, double& held, double* low_cut, float* out) {
    constexpr double kTiny = 1e-12;
    constexpr double kNothing = 1e-100;
    double gain_before = std::pow(10.0, -held / 20.0);
    for (int block = 0; block < blocks; block++, samples += kBlock, out += kBlock) {
        double heard[kBlock], power = 0.0;
        for (int i = 0; i < kBlock; i++) {
            double x = samples[i];
            for (int section = 0; section < kSections; section++) {
                const Section& of = sections[section];
                double* s = low_cut + 2 * section;
                const double y = s[0] + of.d * x, first = s[0];
                s[0] = of.a0 * first + s[1] + of.b0 * x;
                s[1] = of.a1 * first + of.b1 * x;
                x = y;
            }
            heard[i] = x;
            power += x * x;
        }
        // In digital silence a state would shrink to where processors take a hundred times as long, and stay there.
        for (int i = 0; i < 2 * kSections; i++)
            if (std::fabs(low_cut[i]) < kNothing) low_cut[i] = 0.0;
        power /= kBlock;
        double mean = power;
        for (int i = 0; i < kAveraged - 1; i++) mean += powers[i];
        std::copy(powers + 1, powers + kAveraged - 1, powers);
        powers[kAveraged - 2] = power;
        const double level = std::max(10.0 * std::log10(mean / kAveraged + kTiny), floor);
        held = std::max(level, held - release);
        const double gain_after = std::pow(10.0, -held / 20.0);
        // The gain moves linearly across a block; an onset is not heard at the old, higher one.
        for (int i = 0; i < kBlock; i++) {
            const double share = double(i + 1) / kBlock;
            out[i] = float(heard[i] * std::min(gain_before * (1.0 - share) + gain_after * share, 2.0 * gain_after));
        }
        gain_before = gain_after;
    }
}

}  // namespace livetalker

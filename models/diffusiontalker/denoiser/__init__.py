"""The denoiser: from audio features, an identity and noise to face curves. Needs torch."""

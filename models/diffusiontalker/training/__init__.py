"""Training: augmentation, batches, the encoder's and the denoiser's objectives and loops. Needs the ``train`` extra."""

"""Audio encoders: from normalised 16 kHz audio to 50 Hz features. Needs torch."""

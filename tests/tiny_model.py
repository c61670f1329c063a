"""A bundle of random weights in the true format, small enough to make in a test: for everything but how it looks."""

from __future__ import annotations

from pathlib import Path

import torch

from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.export.bundle_writer import write_bundle

ENCODER = StreamingHubertConfig(
    long_bands=12,
    short_bands=6,
    width=32,
    layers=2,
    heads=2,
    feed_forward=48,
    positional_kernel=6,
    positional_groups=4,
    context=10,
    voice_hidden=24,
    voice_mixtures=4,
    voice_cepstra=8,
    voice_network=16,
)
DENOISER = DenoiserConfig(feature_width=32, audio_width=16, identity_width=8, step_width=8, preset_width=4, hidden=24)
IDENTITIES = ("anna", "ben", "clara")


def tiny_modules(seed: int = 0) -> tuple[StreamingHubert, PhoneHead, Denoiser, IdentityLibrary]:
    """Untrained modules whose curves move with the audio, the identity and the noise."""
    torch.manual_seed(seed)
    encoder, head, denoiser = StreamingHubert(ENCODER), PhoneHead(ENCODER.width), Denoiser(DENOISER)
    library = IdentityLibrary(IDENTITIES, encoder.voice_head.description_width, DENOISER.identity_width)
    with torch.no_grad():
        library.embeddings.weight.normal_()
        denoiser.mean.fill_(0.4)
        denoiser.scale.fill_(0.5)
        head.linear.weight.mul_(3)
    return encoder.eval(), head.eval(), denoiser.eval(), library.eval()


def write_tiny_bundle(folder: Path, *, steps: int = 3, seed: int = 0) -> Path:
    """Write a bundle of ``tiny_modules`` to ``folder``."""
    encoder, head, denoiser, library = tiny_modules(seed)
    write_bundle(
        folder,
        name="tiny",
        version="0",
        encoder=encoder,
        phone_head=head,
        denoiser=denoiser,
        schedule=Schedule.spaced(steps),
        identities=library,
    )
    return folder

"""Bundles that only cost matters of: the shipped weights at another number of steps, and HuBERT base of random ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from transformers import HubertConfig, HubertModel

from diffusiontalker.bundle import WEIGHTS, Bundle, open_bundle
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.encoder.rolling_hubert import RollingHubert
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.export.bundle_reader import read_modules
from diffusiontalker.export.bundle_writer import write_bundle

_DERIVED: Final = ("features", "neutral")
"""Entries of the identity library that a bundle adds for serving."""


def identity_library(bundle: Bundle) -> IdentityLibrary:
    """A bundle's identity library as a module.

    Raises:
        RuntimeError: its weights are not those of a library.
    """
    prefix = "identity."
    weights = {k[len(prefix) :]: v for k, v in load_file(bundle.folder / WEIGHTS).items() if k.startswith(prefix)}
    for name in _DERIVED:
        weights.pop(name)
    width, features = weights["voice_projection"].shape
    library = IdentityLibrary(bundle.identities.names, width, features, weights["embeddings.weight"].shape[1])
    # A library that grew by enrolment has voiceprints of the former length; they are not run, and may stay unread.
    weights = {name: tensor for name, tensor in weights.items() if library.state_dict()[name].shape == tensor.shape}
    library.load_state_dict(weights, strict=False)
    return library.eval()


def with_steps(bundle: Bundle, steps: int, folder: Path) -> Bundle:
    """Write a bundle's weights with another number of denoise steps: the same cost as one trained for it, not the face.

    Args:
        bundle: of the compact encoder.
        steps: of the sampler.
        folder: to write to.
    """
    modules = read_modules(bundle)
    assert isinstance(modules.encoder, StreamingHubert) and isinstance(modules.phone_head, PhoneHead)
    write_bundle(
        folder,
        name=bundle.name,
        version=bundle.version,
        encoder=modules.encoder,
        phone_head=modules.phone_head,
        denoiser=modules.denoiser,
        schedule=Schedule.spaced(steps),
        identities=identity_library(bundle),
    )
    return open_bundle(folder)


def hubert_base(config: RollingHubertConfig, layers: int = 12) -> RollingHubert:
    """HuBERT base with random weights, heard in rolling windows.

    Args:
        config: of the windows; the checkpoint it names is not read.
        layers: of the transformer; fewer only to try a script out.
    """
    torch.manual_seed(0)
    hubert = HubertModel(HubertConfig(num_hidden_layers=layers)).train(False)
    return RollingHubert(hubert, replace(config, normalize=True))


def write_hubert_bundle(folder: Path, shipped: Bundle, config: RollingHubertConfig, layers: int = 12) -> Bundle:
    """Write a bundle of HuBERT base and a denoiser as large as the shipped one, all of random weights.

    Args:
        folder: to write to.
        shipped: whose denoiser's sizes and number of steps are taken.
        config: see ``hubert_base``.
        layers: likewise.
    """
    encoder = hubert_base(config, layers)
    sizes = replace(DenoiserConfig.from_dict(shipped.denoiser), feature_width=encoder.width)
    identities = IdentityLibrary(("anna", "ben"), encoder.voice_width, 12, sizes.identity_width)
    write_bundle(
        folder,
        name="hubert-base-random",
        version="0",
        encoder=encoder,
        phone_head=SpeechHead(encoder.width).eval(),
        denoiser=Denoiser(sizes).eval(),
        schedule=Schedule.spaced(shipped.steps),
        identities=identities.eval(),
    )
    return open_bundle(folder)

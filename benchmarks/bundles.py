"""Bundles that only cost matters of: the shipped weights at another number of steps, and HuBERT base of random ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from transformers import HubertConfig, HubertModel

from diffusiontalker.bundle import Bundle, open_bundle
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


def identity_library(bundle: Bundle) -> IdentityLibrary:
    """A bundle's identity library as a module: without what only training needs, neutral the mean of those listed."""
    known = bundle.identities
    library = IdentityLibrary(known.names, known.features.shape[1], known.embeddings.shape[1])
    with torch.no_grad():
        library.embeddings.weight.copy_(torch.from_numpy(known.embeddings))
    library.voiceprints.copy_(torch.from_numpy(known.features))
    library.voice_mean.copy_(torch.from_numpy(known.voice_space.mean))
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
    identities = IdentityLibrary(("anna", "ben"), encoder.voice_width, sizes.identity_width)
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

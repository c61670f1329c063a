"""A bundle on a random HuBERT, small enough to make in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from transformers import HubertConfig, HubertModel

from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.encoder.rolling_hubert import RollingHubert
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.export.bundle_writer import write_bundle

WIDTH: Final = 16
BASE: Final[dict[str, Any]] = {"feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False}
LARGE: Final[dict[str, Any]] = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


def write_tiny_hubert(folder: Path, *, seed: int = 0, **layout: Any) -> Path:
    """A checkpoint folder of random weights; ``layout`` is ``BASE`` or ``LARGE``."""
    torch.manual_seed(seed)
    config = HubertConfig(
        hidden_size=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        conv_dim=(8,) * 7,
        **layout,
    )
    HubertModel(config).save_pretrained(folder)
    return folder


def tiny_rolling(checkpoint: Path, *, window: int = 12, hop: int = 4, right: int = 2) -> RollingHubert:
    """An encoder whose windows a second of audio fills and leaves."""
    return RollingHubert.load(RollingHubertConfig(str(checkpoint), window=window, hop=hop, right=right)).eval()


def write_rolling_bundle(folder: Path, encoder: RollingHubert, *, steps: int = 3, seed: int = 0) -> Path:
    """A bundle on an encoder; whatever else it needs is random, and its curves move."""
    torch.manual_seed(seed)
    head = SpeechHead(WIDTH)
    sizes = {"audio_width": 16, "identity_width": 8, "step_width": 8, "preset_width": 4, "hidden": 24}
    denoiser = Denoiser(DenoiserConfig(feature_width=WIDTH, **sizes))
    library = IdentityLibrary(("anna", "ben", "clara"), WIDTH, 8)
    with torch.no_grad():
        library.embeddings.weight.normal_()
        denoiser.mean.fill_(0.4)
        denoiser.scale.fill_(0.5)
        head.linear.bias.fill_(1.0)
    write_bundle(
        folder,
        name="rolling",
        version="0",
        encoder=encoder,
        phone_head=head.eval(),
        denoiser=denoiser.eval(),
        schedule=Schedule.spaced(steps),
        identities=library.eval(),
    )
    return folder

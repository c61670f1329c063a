"""Reads a bundle back into modules: what was exported can be trained on, and run without ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from safetensors.torch import load_file
from torch import nn

from diffusiontalker.bundle import WEIGHTS, Bundle
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert

if TYPE_CHECKING:
    from diffusiontalker.encoder.rolling_hubert import RollingHubert

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class BundleModules:
    """A bundle's networks, in evaluation mode.

    Attributes:
        encoder: the audio encoder, of either kind.
        phone_head: its speech detector.
        denoiser: the talker decoder.
        schedule: the denoise steps it was exported with.
    """

    encoder: StreamingHubert | RollingHubert
    phone_head: PhoneHead | SpeechHead
    denoiser: Denoiser
    schedule: Schedule


def read_modules(bundle: Bundle) -> BundleModules:
    """Load the networks of a bundle.

    Raises:
        TypeError: its configuration has a key that this release does not know.
        RuntimeError: its weights are not those of its configuration.
    """
    weights = load_file(bundle.folder / WEIGHTS)

    def loaded(module: M, prefix: str) -> M:
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        module.load_state_dict(own)
        return module.eval()

    encoder: StreamingHubert | RollingHubert
    head: PhoneHead | SpeechHead
    if bundle.encoder_kind == "rolling":
        # transformers takes seconds to import that the compact encoder need not wait for.
        from diffusiontalker.export.rolling_shape import rolling_of_shape

        encoder = loaded(rolling_of_shape(bundle.encoder), "encoder.")
        head = loaded(SpeechHead(encoder.width), "speech_head.")
    else:
        encoder = loaded(StreamingHubert(StreamingHubertConfig.from_dict(bundle.encoder)), "encoder.")
        head = loaded(PhoneHead(encoder.width), "phone_head.")
    return BundleModules(
        encoder=encoder,
        phone_head=head,
        denoiser=loaded(Denoiser(DenoiserConfig.from_dict(bundle.denoiser)), "denoiser."),
        schedule=Schedule.spaced(bundle.steps),
    )

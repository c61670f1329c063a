"""One way to name an audio encoder, whichever of the two it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diffusiontalker.encoder.fingerprint import EncoderError, fingerprint_of, weights_digest
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.encoder.weights_file import read_encoder

if TYPE_CHECKING:
    from diffusiontalker.encoder.rolling_hubert import RollingHubert

_COMPACT = ".safetensors"
_PART = "encoder."
"""Prefix of the encoder among the tensors of its training task."""


def load_audio_encoder(
    spec: str,
    *,
    local_files_only: bool = False,
    trainable_layers: int = 0,
    window: int | None = None,
    hop: int | None = None,
) -> StreamingHubert | RollingHubert:
    """Load an encoder by what a person calls it.

    Args:
        spec: the ``encoder.safetensors`` of a training run, for the compact ``StreamingHubert``; or the name of a
            HuBERT on the Hugging Face hub, the folder of one, or a folder that ``RollingHubert.save`` wrote.
        local_files_only: take a hub name from the local cache only.
        trainable_layers: last layers of a HuBERT to thaw.
        window: features a HuBERT hears at a time; None for what it was saved with, or the default.
        hop: features kept of each window; likewise.

    Returns:
        an ``AudioEncoder``, in evaluation mode.

    Raises:
        EncoderError: there is none of that name, or it cannot be read; the message says what to do.
    """
    if spec.endswith(_COMPACT):
        if window is not None or hop is not None:
            raise EncoderError(f"{spec}: only a HuBERT has a window and a hop; the compact encoder needs neither")
        if trainable_layers:
            raise EncoderError(f"{spec}: only layers of a HuBERT are thawed; the compact encoder is trained as a whole")
        return _load_compact(Path(spec).expanduser())
    # The import costs seconds that whoever names the compact encoder need not spend.
    from diffusiontalker.encoder.rolling_config import RollingHubertConfig
    from diffusiontalker.encoder.rolling_hubert import RollingHubert, saved_config

    config = saved_config(Path(spec).expanduser()) or RollingHubertConfig(spec)
    wanted = {"trainable_layers": trainable_layers or None, "window": window, "hop": hop}
    changed = {key: value for key, value in wanted.items() if value is not None}
    try:
        config = RollingHubertConfig.from_dict({**config.to_dict(), **changed})
    except ValueError as error:
        raise EncoderError(f"{spec}: {error}") from error
    return RollingHubert.load(config, local_files_only=local_files_only).eval()


def encoder_fingerprint(encoder: StreamingHubert | RollingHubert) -> str:
    """Fingerprint of either encoder, to be kept beside the features it makes (``require_same_encoder``)."""
    if isinstance(encoder, StreamingHubert):
        return fingerprint_of("streaming-hubert", weights_digest(encoder.state_dict()), encoder.config.to_dict())
    return encoder.fingerprint()


def _load_compact(path: Path) -> StreamingHubert:
    config, state = read_encoder(path)
    encoder = StreamingHubert(config)
    encoder.load_state_dict({k.removeprefix(_PART): v for k, v in state.items() if k.startswith(_PART)})
    return encoder.eval()

"""``rolling.json`` and ``speech_head.safetensors`` of a run: its public HuBERT, and what was fitted to it.

The checkpoint itself stays where it is, a gigabyte that need not lie in every run: its weights' digest is kept, and
another one is refused.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from diffusiontalker.draft import let_everybody_read
from diffusiontalker.encoder.fingerprint import EncoderError
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.encoder.speech_head import SpeechHead

if TYPE_CHECKING:
    from diffusiontalker.encoder.rolling_hubert import RollingHubert

ROLLING_RUN: Final = "rolling.json"
SPEECH_HEAD: Final = "speech_head.safetensors"


def save_rolling_run(folder: Path, encoder: RollingHubert, head: SpeechHead) -> None:
    """Keep what ``export`` needs of a run on a public HuBERT."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = Path(encoder.config.checkpoint).expanduser()
    config = encoder.config
    if checkpoint.is_dir():
        config = replace(config, checkpoint=str(checkpoint.resolve()))
    save_file({key: value.contiguous() for key, value in head.state_dict().items()}, folder / SPEECH_HEAD)
    let_everybody_read(folder / SPEECH_HEAD)
    (folder / ROLLING_RUN).write_text(json.dumps(config.to_dict(), indent=1) + "\n", "utf-8")


def is_rolling_run(folder: Path) -> bool:
    """Whether ``save_rolling_run`` wrote this folder."""
    return (folder / ROLLING_RUN).is_file()


def load_rolling_run(folder: Path) -> tuple[RollingHubert, SpeechHead]:
    """The encoder and its speech detector, in evaluation mode.

    Raises:
        EncoderError: a file is damaged, or the checkpoint is gone or holds other weights.
    """
    from diffusiontalker.encoder.rolling_hubert import RollingHubert

    try:
        config = RollingHubertConfig.from_dict(json.loads((folder / ROLLING_RUN).read_text("utf-8")))
        state = load_file(folder / SPEECH_HEAD)
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise EncoderError(f"{folder} cannot be read ({error}): run 'diffusiontalker train' again") from error
    encoder = RollingHubert.load(config).eval()
    head = SpeechHead(encoder.width)
    head.load_state_dict(state)
    return encoder, head.eval()

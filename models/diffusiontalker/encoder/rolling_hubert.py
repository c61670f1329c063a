"""RollingHubert: any public HuBERT, heard in windows that roll over the stream.

A public HuBERT (Hsu et al. 2021) listens both ways through a whole utterance, so nothing it computed may be kept when
audio arrives: each window is heard anew, and its newest features are kept. The base layout even normalises its first
convolution over all of the time it is given (group norm), so a feature depends on where its window begins and ends, not
only on what it hears. That is why windows lie on an absolute grid (``RollingHubertConfig.span``): window and place in
it are functions of the feature's index, and no chunking can change a feature.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import HubertModel

from diffusiontalker.draft import Draft
from diffusiontalker.encoder.fingerprint import EncoderError, EncoderMismatch, weights_digest
from diffusiontalker.encoder.hubert_checkpoint import PREPROCESSOR, read_checkpoint
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, SAMPLE_RATE

ROLLING_FILE: Final = "rolling_hubert.json"
"""What ``save`` writes beside the checkpoint: the configuration and the shares of the layers."""
_FORMAT: Final = 1
_VARIANCE_FLOOR: Final = 1e-7
"""Of the library's own feature extractor, which public models were trained with."""


class LayerSum(nn.Module):
    """A weighted sum of hidden states, ``sum_l softmax(w)_l h_l``, for whom the voice belongs to (SUPERB, Yang 2021).

    Lower layers still hear the speaker, higher ones have learned to forget him; the weights find the right ones. States
    are brought to one scale first: a pre-norm model's grow from layer to layer and the last would drown the others.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))

    def forward(self, layers: Sequence[Tensor]) -> Tensor:
        """Hidden states ``[B, T, W]`` of each layer to ``[B, T, W]``."""
        shares = self.weights.softmax(0)
        mixed = shares[0] * F.layer_norm(layers[0], layers[0].shape[-1:])
        for share, layer in zip(shares[1:], layers[1:], strict=True):
            mixed = mixed + share * F.layer_norm(layer, layer.shape[-1:])
        return mixed


class RollingHubert(nn.Module):
    """A HuBERT over a rolling window. Satisfies ``AudioEncoder``.

    The whole checkpoint is frozen, as the paper has it, but for ``config.trainable_layers``. It stays in evaluation
    mode while they train: dropout, layer drop and SpecAugment would train on features no stream is served.

    Args:
        hubert: the model.
        config: its ``normalize`` must be known; ``weights`` is filled in.
        windows_at_once: windows in a batch, which bounds memory (about 40 MB each at base size).
    """

    def __init__(self, hubert: HubertModel, config: RollingHubertConfig, *, windows_at_once: int = 16) -> None:
        super().__init__()
        if config.normalize is None:
            raise ValueError(f"whether {config.checkpoint} wants normalised input must be decided; see load")
        layers = hubert.config.num_hidden_layers
        if config.trainable_layers > layers or (config.layer or 0) > layers:
            raise EncoderError(
                f"{config.checkpoint} has {layers} layers: trainable_layers {config.trainable_layers} and layer "
                f"{config.layer} must not be more"
            )
        self.hubert = hubert.train(False)
        self.layer_sum = LayerSum(layers + 1)
        self.windows_at_once = windows_at_once
        self._freeze(config.trainable_layers)
        self.config = config
        self.config = replace(config, weights=self._digest())

    @classmethod
    def load(cls, config: RollingHubertConfig, *, local_files_only: bool = False) -> Self:
        """Load the checkpoint a configuration names.

        Args:
            config: where it states ``weights``, the checkpoint must hold just these.
            local_files_only: do not ask the network for a hub name.

        Raises:
            EncoderError: see ``read_checkpoint``.
            EncoderMismatch: the checkpoint's weights are not the stated ones.
        """
        checkpoint = read_checkpoint(config.checkpoint, local_files_only=local_files_only)
        normalize = checkpoint.normalize if config.normalize is None else config.normalize
        encoder = cls(checkpoint.model, replace(config, normalize=normalize))
        folder = Path(config.checkpoint).expanduser()
        if (folder / ROLLING_FILE).is_file():
            encoder._restore(_read_saved(folder)[1])
        if config.weights not in ("", encoder.config.weights):
            raise EncoderMismatch(
                f"{config.checkpoint} holds other weights than were used with it before "
                f"({encoder.config.weights[:16]}, not {config.weights[:16]}): bring those back, or start anew"
            )
        return encoder

    @property
    def width(self) -> int:
        """Width of a feature."""
        return int(self.hubert.config.hidden_size)

    @property
    def voice_width(self) -> int:
        """Width of a voice feature: that of the summed layers."""
        return self.width

    def describe(self, pooled: Tensor) -> Tensor:
        """What is compared of pooled voices: they themselves."""
        return pooled

    def fingerprint(self) -> str:
        """Name of the features it makes now, trained layers and the layers' shares included."""
        return replace(self.config, weights=self._digest()).fingerprint()

    def train(self, mode: bool = True) -> Self:
        """Set the mode of everything but HuBERT, which stays in evaluation mode."""
        super().train(mode)
        self.hubert.eval()
        return self

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """A whole clip from its start; equal to what ``RollingState`` gives for it in any chunks.

        The windows of the last block and of ``right`` reach beyond the clip, into digital silence.

        Args:
            samples: ``[B, 320 T + 80]`` level-normalised audio.

        Returns:
            features ``[B, T, W]`` and voice features ``[B, T, W]``.

        Raises:
            ValueError: no whole number of features.
        """
        features, rest = divmod(samples.shape[1] - FEATURE_OVERLAP, FEATURE_STRIDE)
        if rest or features < 1:
            raise ValueError(f"{samples.shape[1]} samples are no {FEATURE_STRIDE} T + {FEATURE_OVERLAP}")
        blocks = -(-features // self.config.hop)
        silence = FEATURE_STRIDE * (blocks * self.config.hop + self.config.right - features)
        heard, voice = self.hear_blocks(F.pad(samples, (0, silence)), 0, range(blocks))
        return heard[:, :features], voice[:, :features]

    def hear_blocks(self, samples: Tensor, first: int, blocks: range) -> tuple[Tensor, Tensor]:
        """Features of consecutive blocks, windows of one length batched.

        Args:
            samples: ``[B, N]`` from feature ``first`` to the end of the last block's window at least.
            first: feature at which they begin.
            blocks: at least one.

        Returns:
            features ``[B, hop * blocks, W]`` and voice features ``[B, hop * blocks, W]``.
        """
        features, voices = [], []
        for run in self.config.runs(blocks.start, blocks.stop):
            start, end = self.config.span(run[0])
            length = FEATURE_STRIDE * (end - start) + FEATURE_OVERLAP
            windows = samples[:, FEATURE_STRIDE * (start - first) :].unfold(1, length, FEATURE_STRIDE * self.config.hop)
            # [B, blocks, samples] is a view; only the windows of one call are copied.
            some = max(1, self.windows_at_once // len(samples))
            for at in range(0, len(run), some):
                heard, voice = self.hear(windows[:, at : min(at + some, len(run))].flatten(0, 1))
                features.append(heard.reshape(len(samples), -1, self.width))
                voices.append(voice.reshape(len(samples), -1, self.voice_width))
        return torch.cat(features, dim=1), torch.cat(voices, dim=1)

    def hear(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """What is kept of windows of one length.

        Args:
            windows: ``[n, 320 w + 80]``, ``hop + right <= w <= window``.

        Returns:
            features ``[n, hop, W]`` and voice features ``[n, hop, W]``.
        """
        c = self.config
        if c.normalize:
            variance, mean = torch.var_mean(windows, dim=1, correction=0, keepdim=True)
            windows = (windows - mean) * (variance + _VARIANCE_FLOOR).rsqrt()
        output = self.hubert(windows, output_hidden_states=True)
        end = output.last_hidden_state.shape[1] - c.right
        states = [state[:, end - c.hop : end] for state in output.hidden_states]
        last = output.last_hidden_state[:, end - c.hop : end]
        return last if c.layer is None else states[c.layer], self.layer_sum(states)

    def save(self, folder: Path) -> None:
        """Write the encoder as a checkpoint folder that ``load_audio_encoder`` and ``transformers`` read.

        Raises:
            FileExistsError: there is something at ``folder`` already.
        """
        if folder.exists():
            raise FileExistsError(f"{folder} exists already: choose another folder")
        preprocessor = {
            "do_normalize": self.config.normalize,
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "feature_size": 1,
            "padding_side": "right",
            "padding_value": 0,
            "sampling_rate": SAMPLE_RATE,
        }
        config = replace(self.config, checkpoint=folder.name, weights=self._digest()).to_dict()
        rolling = {"format": _FORMAT, "config": config, "layer_sum": self.layer_sum.weights.tolist()}
        with Draft(folder, ROLLING_FILE) as draft:
            self.hubert.save_pretrained(draft.folder)
            for name, content in ((PREPROCESSOR, preprocessor), (ROLLING_FILE, rolling)):
                (draft.folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")

    def _digest(self) -> str:
        return weights_digest(self.state_dict())

    def _restore(self, shares: Sequence[float]) -> None:
        if len(shares) != len(self.layer_sum.weights):
            raise EncoderError(
                f"{self.config.checkpoint}: {ROLLING_FILE} has {len(shares)} layer_sum weights for "
                f"{len(self.layer_sum.weights)} hidden states: it belongs to another checkpoint"
            )
        with torch.no_grad():
            self.layer_sum.weights.copy_(torch.tensor(shares))
        self.config = replace(self.config, weights=self._digest())

    def _freeze(self, trainable_layers: int) -> None:
        self.hubert.requires_grad_(False)
        encoder = self.hubert.encoder
        for layer in list(encoder.layers)[len(encoder.layers) - trainable_layers :]:
            layer.requires_grad_(True)
        # A pre-norm model's last layer norm comes after its layers, a post-norm one's before them.
        if trainable_layers and self.hubert.config.do_stable_layer_norm:
            encoder.layer_norm.requires_grad_(True)


def saved_config(folder: Path) -> RollingHubertConfig | None:
    """Configuration of a folder that ``RollingHubert.save`` wrote; None for any other.

    Raises:
        EncoderError: the file is damaged or of another version.
    """
    if not (folder / ROLLING_FILE).is_file():
        return None
    return replace(_read_saved(folder)[0], checkpoint=str(folder))


def _read_saved(folder: Path) -> tuple[RollingHubertConfig, list[float]]:
    path = folder / ROLLING_FILE
    try:
        saved = json.loads(path.read_text("utf-8"))
        if saved["format"] != _FORMAT:
            raise EncoderError(f"{path} is of format {saved['format']}, this program reads {_FORMAT}: save it again")
        return RollingHubertConfig.from_dict(saved["config"]), [float(share) for share in saved["layer_sum"]]
    except EncoderError:
        raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EncoderError(f"{path} cannot be read ({error}): save the encoder again, or delete the file") from error

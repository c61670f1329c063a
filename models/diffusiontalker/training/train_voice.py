"""Fits the voice head: a Gaussian mixture by expectation maximisation, then a discriminant projection of statistics.

Cosines after the projection follow the scores of a two-covariance model (probabilistic linear discriminant
analysis, Ioffe 2006): directions are scaled by how much of what differs along them is the speaker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader

from diffusiontalker.corpus.store import Corpus
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.filterbank import LogMel
from diffusiontalker.encoder.voice_head import VoiceHead, pool_voiced
from diffusiontalker.encoder.weights_file import read_encoder, save_encoder
from diffusiontalker.geometry import FEATURE_WINDOW
from diffusiontalker.training.train_encoder import load_acoustics
from diffusiontalker.training.voice_crops import VoiceCrops

VOICE_FILE: Final = "voice.safetensors"
_ROUNDS: Final = 10
_LEAST_VARIANCE: Final = 0.05
_MIXTURE_CROPS: Final = 500
"""Crops the mixture is fitted on: a hundred thousand features place 64 Gaussians."""
_SHRINKAGE: Final = 0.5
_PREFIX: Final = "encoder.voice_head."


def fit_mixture(head: VoiceHead, log_mel: Tensor, rounds: int = _ROUNDS) -> None:
    """Fit scale and mixture to voiced spectra ``[M, bands]`` (Dempster et al. 1977; diagonal covariances)."""
    head.cepstra_mean.zero_()
    head.cepstra_scale.fill_(1)
    raw = head.cepstra(log_mel)
    head.cepstra_mean.copy_(raw.mean(0))
    head.cepstra_scale.copy_(raw.std(0))
    x = head.cepstra(log_mel)
    mixtures = len(head.shares)
    head.means.copy_(x[torch.linspace(0, len(x) - 1, mixtures).long()])
    head.variances.fill_(1)
    head.shares.fill_(1 / mixtures)
    for _ in range(rounds):
        count = torch.zeros(mixtures)
        first, second = torch.zeros_like(head.means), torch.zeros_like(head.means)
        for part in torch.split(x, 1 << 15):
            share = head.responsibilities(part)
            count += share.sum(0)
            first += share.T @ part
            second += share.T @ part.square()
        count = count.clamp_min(1e-3)
        head.means.copy_(first / count[:, None])
        head.variances.copy_((second / count[:, None] - head.means.square()).clamp_min(_LEAST_VARIANCE))
        head.shares.copy_(count / count.sum())


def discriminant(
    statistics: NDArray[np.float64], voices: NDArray[np.int64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean ``[S]`` and projection ``[S, width]`` of pooled statistics ``[M, S]`` of the voices ``[M]``.

    Within-voice covariance becomes about the identity; a direction with between-voice variance ``b`` is then scaled by
    ``sqrt(b / (1 + b))``. Directions beyond those that the voices span are zero.
    """
    _, owner, count = np.unique(voices, return_inverse=True, return_counts=True)
    centres = np.zeros((len(count), statistics.shape[1]))
    np.add.at(centres, owner, statistics)
    centres /= count[:, None]
    rest = statistics - centres[owner]
    within = rest.T @ rest / max(len(rest) - len(count), 1)
    size = len(within)
    within = (1 - _SHRINKAGE) * within + (_SHRINKAGE * np.trace(within) / size + 1e-9) * np.eye(size)
    mean = statistics.mean(0)
    lower = np.linalg.cholesky(within)
    white = np.linalg.solve(lower, (centres - mean).T)
    spread, directions = np.linalg.eigh(white @ white.T / len(count))
    spread, directions = spread[::-1][:width], directions[:, ::-1][:, :width]
    # The centre of a few crops differs by what is left of the crops, too.
    speaker = np.maximum(spread - 1 / count.mean(), 0.05)
    projection = np.zeros((size, width))
    projection[:, : len(spread)] = np.linalg.solve(lower.T, directions) * np.sqrt(speaker / (1 + speaker))
    return mean, projection


@torch.no_grad()
def fit_voice_head(head: VoiceHead, crops: Iterable[tuple[Tensor, Tensor, Tensor]], bands: int) -> None:
    """Fit everything in the head that is not given.

    Args:
        head: to fit.
        crops: batches of level-normalised samples ``[B, 320 T + 80]``, voiced ``[B, T]``, voices ``[B]``.
        bands: of the log-mel spectra.
    """
    spectrum = LogMel(FEATURE_WINDOW, bands)
    spectra: list[Tensor] = []
    voiced: list[Tensor] = []
    pitch: list[Tensor] = []
    voices: list[Tensor] = []
    for samples, loud, voice in crops:
        windows = samples.unfold(1, FEATURE_WINDOW, 320)
        spectra.extend(spectrum(windows).half())
        voiced.extend(loud)
        pitch.extend(pool_voiced(head.pitch(samples), loud.float()))
        voices.append(voice)
    some = range(0, len(spectra), max(1, len(spectra) // _MIXTURE_CROPS))
    fit_mixture(head, torch.cat([spectra[i][voiced[i]].float() for i in some]))
    spectral = torch.stack(
        [
            head.spectral_statistics(head.cepstra(one.float()[loud])).mean(0)
            for one, loud in zip(spectra, voiced, strict=True)
        ]
    )
    # To the discriminant every Gaussian's offset from its mean counts in its own standard deviations.
    mixtures, cepstra = head.means.shape
    per = spectral.unflatten(-1, (mixtures, cepstra + 1)).double()  # type: ignore[no-untyped-call]
    unit = (head.variances.sqrt() * head.shares.sqrt()[:, None]).double()
    centred = ((per[..., :-1] - per[..., -1:] * head.means) / unit).flatten(1)
    whole = torch.cat([centred, torch.stack(pitch).double()], dim=1)
    mean, projection = discriminant(whole.numpy(), torch.cat(voices).numpy(), head.width)
    by_gaussian = torch.from_numpy(projection[: centred.shape[1]]).view(mixtures, cepstra, -1) / unit[..., None]
    shares = -(by_gaussian * head.means[..., None]).sum(1, keepdim=True)
    folded = torch.cat([by_gaussian, shares], dim=1).flatten(0, 1)
    head.projection.copy_(torch.cat([folded, torch.from_numpy(projection[centred.shape[1] :])]))
    head.offset.copy_(torch.from_numpy(-mean @ projection))


def train_voice(
    corpora: Sequence[Path],
    encoder: Path,
    out: Path,
    *,
    speech: Path | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Fit a voice head, or take the one in ``out``, and put it into an encoder's weights.

    Args:
        corpora: labelled speech.
        encoder: ``encoder.safetensors`` of the run; its voice head is replaced, nothing else of it changes.
        out: folder of the voice head.
        speech: folder of recordings, for its noises and rooms.
        seed: of the crops.
        progress: called with crops done and in all.

    Returns:
        The path of the encoder's weights.
    """
    config, state = read_encoder(encoder)
    path = out / VOICE_FILE
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        save_file(_fitted(config, corpora, speech, seed, progress).state_dict(), path)
    state = {name: value for name, value in state.items() if not name.startswith(_PREFIX)}
    state |= {_PREFIX + name: value for name, value in load_file(path).items()}
    return save_encoder(config, state, encoder.parent)


def _fitted(
    config: StreamingHubertConfig,
    corpora: Sequence[Path],
    speech: Path | None,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> VoiceHead:
    crops = VoiceCrops([Corpus.open(folder) for folder in corpora], load_acoustics(speech), seed=seed)
    head = VoiceHead(config.long_bands, config.voice_mixtures, config.voice_cepstra, config.voice_width)

    def batches() -> Iterable[tuple[Tensor, Tensor, Tensor]]:
        done = 0
        for batch in DataLoader(crops, 16, num_workers=2):
            yield batch
            done += len(batch[0])
            if progress is not None:
                progress(done, len(crops))

    fit_voice_head(head, batches(), config.long_bands)
    return head

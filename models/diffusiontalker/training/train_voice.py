"""Fits the voice head, and puts it into an encoder's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader

from diffusiontalker.corpus.recordings import read_recordings
from diffusiontalker.corpus.store import Corpus
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.filterbank import LogMel
from diffusiontalker.encoder.voice_head import VoiceHead
from diffusiontalker.encoder.weights_file import read_encoder, save_encoder
from diffusiontalker.geometry import FEATURE_STRIDE, FEATURE_WINDOW
from diffusiontalker.training.train_encoder import load_acoustics
from diffusiontalker.training.voice_crops import VoiceCrops, people
from diffusiontalker.training.voice_mixture import fit_components, fit_mixture
from diffusiontalker.training.voice_network import fit_network

VOICE_FILE: Final = "voice.safetensors"
STEPS: Final = 1200
"""Of the network."""
_KEPT: Final = 120
"""Voiced features kept of a crop, those of a shorter one more than once."""
_MIXTURE_CROPS: Final = 700
"""Crops the mixture is fitted on."""
_MIXTURE_SHARE: Final = 1.5
"""Length of the mixture's half of a voice where the network's is 1."""
_BATCH: Final = 16
_PREFIX: Final = "encoder.voice_head."


@torch.no_grad()
def hear_crops(head: VoiceHead, crops: VoiceCrops, bands: int, progress: Callable[[int], None] | None = None) -> Tensor:
    """What the head hears of some voiced features of every crop, ``[*crops.shape, n, I]`` in half precision."""
    spectrum = LogMel(FEATURE_WINDOW, bands)
    rng = torch.Generator().manual_seed(crops.seed)
    kept: list[Tensor] = []
    for samples, voiced in DataLoader(crops, _BATCH, num_workers=2):
        heard = head.heard(samples, spectrum(samples.unfold(1, FEATURE_WINDOW, FEATURE_STRIDE)))
        for one, loud in zip(heard, voiced, strict=True):
            where = loud.nonzero()[:, 0]
            where = where[torch.randperm(len(where), generator=rng)].repeat(-(-_KEPT // len(where)))[:_KEPT]
            kept.append(one[where].half())
        if progress is not None:
            progress(len(samples))
    return torch.stack(kept).unflatten(0, crops.shape)  # type: ignore[no-untyped-call, no-any-return]


@torch.no_grad()
def balance(head: VoiceHead, heard: Tensor) -> None:
    """Scale the halves of the voices of crops ``[N, n, I]`` to their shares of a cosine."""
    voices = torch.stack([head.voice(crop.float()).mean(0) for crop in heard])
    network, mixture = (half.norm(dim=1).mean() for half in voices.chunk(2, dim=1))
    for part, gain in (("network", 1 / network), ("mixture", _MIXTURE_SHARE / mixture)):
        head.get_buffer(f"{part}_projection").mul_(gain)
        head.get_buffer(f"{part}_offset").mul_(gain)


@torch.no_grad()
def pooled_statistics(head: VoiceHead, heard: Tensor, bands: int) -> Tensor:
    """Mean statistics ``[..., K (C + 1)]`` of crops ``[..., n, I]``."""
    crops = heard.flatten(0, -3)
    pooled = torch.zeros(len(crops), head.mixture_projection.shape[0])
    for i, crop in enumerate(crops):
        cepstra = head.cepstra(crop[:, :bands].float())
        extended = torch.cat([cepstra, torch.ones_like(cepstra[:, :1])], dim=1)
        pooled[i] = (head.responsibilities(cepstra).T @ extended).flatten() / len(crop)
    return pooled.unflatten(0, heard.shape[:-2])  # type: ignore[no-untyped-call, no-any-return]


def fit_voice_head(
    head: VoiceHead,
    heard: Tensor,
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Fit everything in the head that is not given.

    Args:
        head: to fit.
        heard: ``[P, T, 2, R, n, I]``, see ``hear_crops``.
        steps: of the network.
        seed: of the network.
        progress: called with the number of steps just done.
    """
    bands = len(head.cepstrum)
    crops = heard.flatten(0, 3)
    some = crops[:: max(1, len(crops) // _MIXTURE_CROPS)]
    spectra = some[..., :bands].flatten(0, 1).float()
    fit_mixture(head, spectra[torch.randperm(len(spectra), generator=torch.Generator().manual_seed(seed))])
    fit_components(head, pooled_statistics(head, heard, bands))
    fit_network(head, heard, steps=steps, seed=seed, progress=progress)
    balance(head, some)


def train_voice(
    corpora: Sequence[Path],
    encoder: Path,
    out: Path,
    *,
    speech: Path | None = None,
    steps: int = STEPS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Fit the voice head, or take the one in ``out``, and put it into an encoder's weights.

    Args:
        corpora: labelled speech.
        encoder: ``encoder.safetensors`` of the run; its voice head is replaced, nothing else of it changes.
        out: folder of the voice head.
        speech: folder of recordings, for its noises, its rooms and the people who are in no corpus.
        steps: of the network.
        seed: of crops and network.
        progress: called with crops and steps done and in all.

    Returns:
        The path of the encoder's weights.
    """
    config, state = read_encoder(encoder)
    path = out / VOICE_FILE
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        voices = people([Corpus.open(folder) for folder in corpora], read_recordings(speech) if speech else [])
        crops = VoiceCrops(voices, load_acoustics(speech), seed=seed)
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            if progress is not None:
                progress(done, len(crops) + steps)

        head = new_voice_head(config)
        heard = hear_crops(head, crops, config.long_bands, count)
        fit_voice_head(head, heard, steps=steps, seed=seed, progress=count)
        save_file(head.state_dict(), path)
    state = {name: value for name, value in state.items() if not name.startswith(_PREFIX)}
    state |= {_PREFIX + name: value for name, value in load_file(path).items()}
    return save_encoder(config, state, encoder.parent)


def new_voice_head(config: StreamingHubertConfig) -> VoiceHead:
    """An unfitted head of an encoder's sizes."""
    return VoiceHead(
        config.long_bands, config.voice_hidden, config.voice_mixtures, config.voice_cepstra, config.voice_width
    )

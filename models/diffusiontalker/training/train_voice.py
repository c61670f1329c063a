"""Fits the voice head, puts it into an encoder's weights, and notes what it hears of everybody it was fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from diffusiontalker.corpus.recordings import read_recordings
from diffusiontalker.corpus.store import Corpus
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.filterbank import LogMel
from diffusiontalker.encoder.voice_head import VoiceHead, pool_voiced
from diffusiontalker.encoder.weights_file import read_encoder, save_encoder
from diffusiontalker.geometry import FEATURE_STRIDE, FEATURE_WINDOW
from diffusiontalker.training.train_encoder import load_acoustics
from diffusiontalker.training.voice_crops import VoiceCrops, people
from diffusiontalker.training.voice_mixture import fit_mixture
from diffusiontalker.training.voice_network import fit_network

VOICE_FILE: Final = "voice.safetensors"
PEOPLE_FILE: Final = "people.safetensors"
"""What the fitted head hears of people, from which the library learns their voiceprints."""
_PEOPLE_CROPS: Final = 8
"""Crops of each side of a person's own voice that it holds."""
STEPS: Final = 1200
"""Of the network."""
_KEPT: Final = 120
"""Voiced features kept of a crop, those of a shorter one more than once."""
_MIXTURE_CROPS: Final = 700
"""Crops the mixture is fitted on."""
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
def describe_people(
    head: VoiceHead, crops: VoiceCrops, bands: int, progress: Callable[[int], None] | None = None
) -> Tensor:
    """Voices of everybody's own throat, pooled and described, ``[P, 2 R, D]`` in half precision."""
    spectrum = LogMel(FEATURE_WINDOW, bands)
    natural = crops.natural
    described: list[Tensor] = []
    for samples, voiced in DataLoader(Subset(crops, natural), _BATCH, num_workers=2):
        voice = head(samples, spectrum(samples.unfold(1, FEATURE_WINDOW, FEATURE_STRIDE)))
        described.append(head.describe(pool_voiced(voice, voiced.float())).half())
        if progress is not None:
            progress(len(samples))
    return torch.cat(described).unflatten(0, (len(crops.names), -1))  # type: ignore[no-untyped-call, no-any-return]


def read_people(path: Path) -> dict[str, Tensor]:
    """What ``train_voice`` heard of each person, by name: ``[n, D]`` described voices."""
    with safe_open(path, framework="pt") as file:
        names = file.metadata()["names"].split("\n")
        return dict(zip(names, file.get_tensor("described"), strict=True))


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
    fit_network(head, heard, steps=steps, seed=seed, progress=progress)


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

    ``out/people.safetensors`` holds what the fitted head hears of everybody, see ``read_people``.

    Returns:
        The path of the encoder's weights.
    """
    config, state = read_encoder(encoder)
    path = out / VOICE_FILE
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        voices = people([Corpus.open(folder) for folder in corpora], read_recordings(speech) if speech else [])
        acoustics = load_acoustics(speech)
        crops = VoiceCrops(voices, acoustics, seed=seed)
        own = VoiceCrops(voices, acoustics, crops=_PEOPLE_CROPS, seed=seed + 1)
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            if progress is not None:
                progress(done, len(crops) + steps + len(own.natural))

        head = new_voice_head(config)
        heard = hear_crops(head, crops, config.long_bands, count)
        fit_voice_head(head, heard, steps=steps, seed=seed, progress=count)
        described = describe_people(head, own, config.long_bands, count)
        save_file({"described": described}, out / PEOPLE_FILE, metadata={"names": "\n".join(own.names)})
        save_file(head.state_dict(), path)
    state = {name: value for name, value in state.items() if not name.startswith(_PREFIX)}
    state |= {_PREFIX + name: value for name, value in load_file(path).items()}
    return save_encoder(config, state, encoder.parent)


def new_voice_head(config: StreamingHubertConfig) -> VoiceHead:
    """An unfitted head of an encoder's sizes."""
    return VoiceHead(
        config.long_bands, config.voice_hidden, config.voice_mixtures, config.voice_cepstra, config.voice_network
    )

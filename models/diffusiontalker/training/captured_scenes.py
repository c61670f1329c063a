"""Scenes from captured faces: the same folder that ``scenes`` makes from animated ones, heard by any encoder.

A take of ten seconds or more gives one scene for each whole ten seconds. Shorter ones of the same speaker, on the same
side of the split, are laid one after another with a pause, in which the sound is silent and the face moves over.

Rows of ``scenes.json`` have, besides ``speaker`` and ``natural``, ``take``, ``split``, ``missing`` (coefficients nobody
captured, 0 in the curves) and ``spans`` (``[start, end)`` frames that were captured; the rest are pauses). As in
animated scenes blinks are taken out: serving adds its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import grey_opening
from torch import Tensor, nn

from diffusiontalker.arkit import BLINKS, COUNT, JAW_AND_MOUTH
from diffusiontalker.captures.store import CHUNK_FRAMES, CaptureCorpus, CapturedTake
from diffusiontalker.corpus.store import CorpusError, Split
from diffusiontalker.draft import Draft
from diffusiontalker.encoder.interface import AudioEncoder
from diffusiontalker.encoder.voice_head import pool_voiced
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, SAMPLE_RATE, frame_sample
from diffusiontalker.level import BLOCK, LevelState, normalize_level
from diffusiontalker.metrics.speech import speech_mask
from diffusiontalker.training.scenes import FRAMES, SCENES_FILE, SECONDS, WINDOWS
from diffusiontalker.training.speech_head import SPEECH_FILE, Detector

Speech = Callable[[Tensor], Tensor]
"""Features ``[B, T, W]`` -> probability of speech ``[B, T]``, such as one preset of ``PhoneHead.speech``."""

PAUSE: Final = 15
"""Frames (half a second) between joined takes."""
_REST: Final = 6
"""Frames (0.2 s) in which the mouth comes to rest after the last of them."""
_LEVEL: Final = 0.1
"""Root mean square that joined takes are brought to."""
_LONGEST_BLINK: Final = 15
"""Frames (half a second): lids that come back sooner blinked, those that stay down look down or squint."""
_FEATURES: Final = SECONDS * SAMPLE_RATE // FEATURE_STRIDE
_LENGTH: Final = FEATURE_STRIDE * _FEATURES + FEATURE_OVERLAP
_REMEMBERED: Final = 60 * SAMPLE_RATE
"""Samples after which the level normalisation has forgotten whatever it heard: it releases 2 dB a second."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a take in a scene.

    Attributes:
        take: the take.
        start: its first frame that is used.
        frames: how many.
        at: where they begin in the scene.
    """

    take: CapturedTake
    start: int
    frames: int
    at: int


def scenes_of(takes: Sequence[CapturedTake]) -> Iterator[tuple[Piece, ...]]:
    """What each scene is made of: one chunk of a long take, or several short takes of one speaker and side."""
    for take in takes:
        for start in take.chunks():
            yield (Piece(take, start, CHUNK_FRAMES, 0),)
    short = [take for take in takes if take.frames < CHUNK_FRAMES and not take.holes]
    short.sort(key=lambda take: (take.speaker, take.split, take.take))
    for _, mates in groupby(short, key=lambda take: (take.speaker, take.split)):
        joined: list[Piece] = []
        for take in mates:
            at = joined[-1].at + joined[-1].frames + PAUSE if joined else 0
            if at + take.frames > CHUNK_FRAMES:
                yield tuple(joined)
                joined, at = [], 0
            joined.append(Piece(take, 0, take.frames, at))
        yield tuple(joined)


def heard(corpus: CaptureCorpus, pieces: Sequence[Piece], fresh: bool = True) -> NDArray[np.float32]:
    """What the encoder is given of a scene.

    Args:
        corpus: of the takes.
        pieces: of the scene.
        fresh: whether the stream begins with the scene; else the level is the one that the take's sound before left.

    Returns:
        ``[320 T + 80]``, level-normalised.
    """
    samples = np.zeros(_LENGTH, np.float32)
    for piece in pieces:
        begin, at = frame_sample(piece.start), frame_sample(piece.at)
        # The last features of a chunk look a little beyond it.
        end = begin + _LENGTH if len(pieces) == 1 else frame_sample(piece.start + piece.frames)
        sound = corpus.audio(piece.take)[begin:end] / np.float32(32768)
        if len(pieces) > 1:  # takes recorded at different levels must not seem shouted and whispered
            sound = sound * np.float32(_LEVEL / (float(np.sqrt(np.square(sound).mean())) + 1e-5))
        samples[at : at + len(sound)] = sound[: _LENGTH - at]
    state = LevelState.initial(1)
    begin = frame_sample(pieces[0].start) // BLOCK * BLOCK
    if not fresh and begin:
        before = corpus.audio(pieces[0].take)[max(0, begin - _REMEMBERED) : begin].astype(np.float32) / np.float32(
            32768
        )
        _, state = normalize_level(before[None], state)
    out, _ = normalize_level(samples[None], state)
    first: NDArray[np.float32] = out[0]
    return first


def face(corpus: CaptureCorpus, pieces: Sequence[Piece]) -> NDArray[np.float32]:
    """The truth of a scene, ``[frames, 52]``; between pieces the face moves over, after the last the mouth rests."""
    curves = np.zeros((CHUNK_FRAMES, COUNT), np.float32)
    for piece in pieces:
        curves[piece.at : piece.at + piece.frames] = corpus.curves(piece.take)[piece.start : piece.start + piece.frames]
    for before, after in zip(pieces, pieces[1:], strict=False):
        end = before.at + before.frames
        curves[end : after.at] = _moved(curves[end - 1], curves[after.at], after.at - end)
    end = pieces[-1].at + pieces[-1].frames
    if end < CHUNK_FRAMES:
        rest = curves[end - 1].copy()
        rest[list(JAW_AND_MOUTH)] = 0.0
        curves[end:] = rest
        settling = min(_REST, CHUNK_FRAMES - end)
        curves[end : end + settling] = _moved(curves[end - 1], rest, _REST)[:settling]
    lids = list(BLINKS)
    curves[:, lids] = grey_opening(curves[:, lids], size=(_LONGEST_BLINK, 1))
    return curves[:FRAMES]


def _moved(start: NDArray[np.float32], end: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """``[frames, 52]`` between two faces, without a jerk at either."""
    share = (np.arange(1, frames + 1, dtype=np.float32) / np.float32(frames + 1))[:, None]
    smooth = share * share * (3 - 2 * share)
    moved: NDArray[np.float32] = start + smooth * (end - start)
    return moved


@torch.no_grad()
def build_captured_scenes(
    captures: Path,
    encoder: AudioEncoder,
    out: Path,
    *,
    split: Split | None = None,
    speech: Speech | None = None,
    detector: Detector | None = None,
    batch: int = 8,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Encode a captured corpus into a folder that ``Scenes.open`` opens.

    Args:
        captures: folder of a captured corpus.
        encoder: hears whole scenes; a module is put into evaluation mode.
        out: folder to make; an existing one is replaced once the new one is complete.
        split: the side to encode; None for both, told apart by the rows' ``split``.
        speech: which features count for the pooled voices, on the encoder's device; None to tell by loudness.
        detector: hears the same audio and says where there is speech, which is then kept as ``speech.npy`` and decides
            which features count.
        batch: scenes at a time.
        seed: decides which scenes continue a stream and which begin one.
        device: of the encoder.
        progress: called with scenes done and scenes in all.

    Returns:
        How many scenes there are.

    Raises:
        CorpusError: the folder is no captured corpus, or no take on that side makes a scene.
    """
    corpus = CaptureCorpus.open(captures)
    scenes = list(scenes_of([take for take in corpus.takes if split in (None, take.split)]))
    if not scenes:
        side = f" on the side {split!r}" if split else ""
        raise CorpusError(f"{captures} makes no scene of {SECONDS} s{side}: its takes are too few, or the face is lost")
    if isinstance(encoder, nn.Module):
        encoder.eval()
    with Draft(out, SCENES_FILE) as draft:
        arrays: dict[str, NDArray[np.float16]] = {}

        def store(name: str, start: int, values: NDArray[np.float32]) -> None:
            if name not in arrays:
                arrays[name] = np.lib.format.open_memmap(
                    draft.folder / name, mode="w+", dtype=np.float16, shape=(len(scenes), *values.shape[1:])
                )
            arrays[name][start : start + len(values)] = values

        for start in range(0, len(scenes), batch):
            group = scenes[start : start + batch]
            fresh = [_begins(seed, start + i) for i in range(len(group))]
            audio = np.stack([heard(corpus, pieces, new) for pieces, new in zip(group, fresh, strict=True)])
            features, voice = encoder(torch.from_numpy(audio).to(device))
            if detector is not None:
                heard_speech = detector(torch.from_numpy(audio))
                store(SPEECH_FILE, start, heard_speech.float().cpu().numpy())
                spoken = heard_speech[..., 0].to(device)
            else:
                spoken = _loud(audio).to(device) if speech is None else speech(features)
            thirds = zip(voice.chunk(WINDOWS, 1), spoken.chunk(WINDOWS, 1), strict=True)
            store("features.npy", start, features.float().cpu().numpy())
            voices = encoder.describe(torch.stack([pool_voiced(v, s) for v, s in thirds], 1))
            store("voices.npy", start, voices.float().cpu().numpy())
            store("curves.npy", start, np.stack([face(corpus, pieces) for pieces in group]))
            if progress is not None:
                progress(start + len(group), len(scenes))
        for array in arrays.values():
            array.flush()  # type: ignore[attr-defined]
        (draft.folder / SCENES_FILE).write_text(json.dumps([_row(pieces) for pieces in scenes]), "utf-8")
    return len(scenes)


def _begins(seed: int, index: int) -> bool:
    return bool(np.random.default_rng([seed, index]).random() < 0.5)


def _loud(audio: NDArray[np.float32]) -> Tensor:
    """Speech ``[B, T]`` by loudness, of normalised audio ``[B, N]``."""
    rate = SAMPLE_RATE // FEATURE_STRIDE
    return torch.from_numpy(np.stack([speech_mask(row, SAMPLE_RATE, _FEATURES, rate) for row in audio])).float()


def _row(pieces: Sequence[Piece]) -> dict[str, object]:
    first = pieces[0].take
    return {
        "speaker": first.speaker,
        "natural": True,
        "take": " + ".join(piece.take.take for piece in pieces),
        "split": first.split,
        "missing": sorted({name for piece in pieces for name in piece.take.missing}),
        "spans": [[piece.at, min(piece.at + piece.frames, FRAMES)] for piece in pieces if piece.at < FRAMES],
    }

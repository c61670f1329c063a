"""Clips of synthesised speech: sentences of one voice with pauses between them, the same for a seed and number."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from diffusiontalker.corpus.engine import EngineFailed, SpeechEngine
from diffusiontalker.corpus.sentences import sentence
from diffusiontalker.corpus.utterance import Utterance, joined, silent, to_int16

MEAN_SECONDS: Final = 7.4
"""Length of a clip on average, to turn hours into a count."""
_WORKERS: Final = 2
_ATTEMPTS: Final = 5
"""Sentences that may fail before a clip is left as short as it is."""


@dataclass(frozen=True, slots=True)
class SynthesisedClip:
    """One clip.

    Attributes:
        name: engine and number.
        speaker: corpus-wide name.
        text: all sentences; empty when none could be spoken.
        speech: audio and phones.
        failures: why sentences were dropped.
    """

    name: str
    speaker: str
    text: str
    speech: Utterance
    failures: tuple[str, ...]


def synthesise(start: Callable[[], SpeechEngine], count: int, seed: int) -> Iterator[SynthesisedClip]:
    """Clips 0 to ``count`` of an engine in order, made by a few threads that each run a program of their own.

    Args:
        start: makes the engine.
        count: how many.
        seed: of the corpus.
    """
    own = threading.local()
    started: list[SpeechEngine] = []

    def make(index: int) -> SynthesisedClip:
        if not hasattr(own, "engine"):
            own.engine = start()
            started.append(own.engine)
        return synthesised_clip(own.engine, index, seed)

    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            # Only a few clips are made ahead of the reader, so that memory does not grow with the corpus.
            indexes = iter(range(count))
            waiting: list[Future[SynthesisedClip]] = [pool.submit(make, i) for i in islice(indexes, 8 * _WORKERS)]
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(make, i) for i in islice(indexes, 1)]
        finally:
            pool.shutdown(cancel_futures=True)
            for engine in started:
                engine.close()


def synthesised_clip(engine: SpeechEngine, index: int, seed: int) -> SynthesisedClip:
    """Clip number ``index`` of an engine, 3 to 12 s; speakers take turns.

    Args:
        engine: who speaks.
        index: which clip.
        seed: of the corpus.
    """
    rng = random.Random(f"{engine.name}/{index}/{seed}")
    speaker = engine.speakers[index % len(engine.speakers)]
    delivery = engine.delivery(speaker, rng)
    target = rng.uniform(3.0, 7.6)
    parts = [silent(rng.uniform(0.2, 0.8))]
    texts: list[str] = []
    failures: list[str] = []
    while sum(part.seconds for part in parts) < target and len(failures) < _ATTEMPTS:
        text = sentence(rng)
        try:
            said = engine.say(text, delivery)
        except EngineFailed as error:
            failures.append(f"{engine.name}: {error}")
            continue
        if texts:
            parts.append(silent(rng.uniform(0.0, 0.7)))
        parts.append(said)
        texts.append(text)
    parts.append(silent(rng.uniform(0.2, 0.8)))
    speech = _with_floor(joined(parts), rng)
    return SynthesisedClip(f"{engine.name}/{index:05d}", speaker, " ".join(texts), speech, tuple(failures))


def _with_floor(said: Utterance, rng: random.Random) -> Utterance:
    """Leave pauses digitally silent in half of the clips, lay barely audible noise under the others."""
    if rng.random() < 0.5:
        return said
    level = 10 ** rng.uniform(0, 1.5)  # 1 to 32 steps of 16 bits: -90 to -60 dBFS
    noise = np.random.default_rng(rng.getrandbits(64)).normal(0.0, level, len(said.samples))
    return Utterance(to_int16(said.samples + noise), said.phones)

"""What every speech synthesiser offers the corpus: speakers, ways of speaking, and speech with timed phones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from diffusiontalker.corpus.utterance import Utterance
from diffusiontalker.errors import MendableError


class EngineMissing(MendableError, RuntimeError):
    """A synthesiser's program, library or voices are not installed; the message names the packages."""


class EngineFailed(RuntimeError):
    """A synthesiser could not speak one text; the clip is left out and the reason reported."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one clip is spoken.

    Attributes:
        speaker: corpus-wide speaker name.
        voice: the engine's own name for the voice.
        stretch: duration relative to the voice's own pace.
        pitch: mean pitch in the engine's own unit.
        tract: vocal tract factor, see ``utterance.warped``.
    """

    speaker: str
    voice: str
    stretch: float
    pitch: float
    tract: float = 1.0


class SpeechEngine(Protocol):
    """A text-to-speech program that tells when each phone sounds. Not shared between threads."""

    name: str
    speakers: tuple[str, ...]

    def delivery(self, speaker: str, rng: random.Random) -> Delivery:
        """Draw a way of speaking for one clip of ``speaker``."""
        ...

    def say(self, text: str, delivery: Delivery) -> Utterance:
        """Speak one sentence.

        Raises:
            EngineFailed: the program failed or named a phone that is not known.
        """
        ...

    def close(self) -> None:
        """Let go of helper processes."""
        ...

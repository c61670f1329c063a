"""Whose style a stream uses, moment by moment: matched by voice on the feature clock, cross-faded on the frame clock.

An automatic identity is neutral until one second of voice was heard, then the best match. It is checked again every
half second of voice; another identity has to win clearly, twice in a row, to replace it. Once it has held for a while,
or after six seconds of voice, it is locked until the client asks to match anew.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import FEATURE_STRIDE, FEATURE_WINDOW, MODEL_FPS, SAMPLE_RATE
from livetalker.core.config import AUTO, IdentityChoice
from livetalker.core.crossfade import CrossFade
from livetalker.core.identity_library import IdentityLibrary
from livetalker.core.outputs import IdentityMatched
from livetalker.core.stream_state import Evidence, IdentityState

VOICED: Final = 0.5
"""A feature counts as voice above this speech probability, the one for a frame with the least look-ahead."""
LISTENED: Final = 2
"""One feature in so many, by absolute index, is asked whose voice it is: neighbours share samples and say the same."""
FIRST_MATCH: Final = 50
"""Voiced features before the first match: 1 s."""
RECHECK: Final = 25
"""Voiced features from one check to the next: 0.5 s."""
GIVE_UP: Final = 300
"""Voiced features after which whatever was matched stays: 6 s."""
MARGIN: Final = 0.05
"""How much nearer, in cosine, another identity has to be."""
LOCK_CHECKS: Final = 4
"""Checks in a row an identity has to hold to be locked, if confident."""
LOCK_CONFIDENCE: Final = 0.5
FADE_FRAMES: Final = 15
"""Frames at 30 fps a change of identity takes: 0.5 s."""


class IdentityTracker:
    """The identity of one stream.

    Features are given in order, and all that a frame may use before the frame's embedding is asked for. Decisions are
    then functions of the features alone, and take effect from the first frame that may use the deciding feature.

    Attributes:
        identity: name of the matched identity; ``None`` until matched, or if the client chose.

    Args:
        library: to match against.
        choice: of the client.
        look_ahead: samples at 16 kHz a frame may use after its instant: the latency preset's.

    Raises:
        UnknownIdentityError: the choice names an identity that is not in the library.
    """

    def __init__(self, library: IdentityLibrary, choice: IdentityChoice, look_ahead: int) -> None:
        self._library = library
        self._look_ahead = look_ahead
        self._embedding = CrossFade(library.embedding(choice), FADE_FRAMES)
        self._pending: list[tuple[int, IdentityChoice]] = []
        self._heard = 0  # features before this one have been counted
        self._sum: NDArray[np.float64]
        self._before: tuple[int, NDArray[np.float64]]  # voice another object heard: features, and cosines
        self._evidence: Evidence  # as of the latest check
        self._current: int | None
        self._challenger: int | None
        self.identity: str | None
        self._begin(choice, 0)

    @property
    def listening(self) -> bool:
        """Whether it needs to hear the next features: an identity is being matched, or about to change."""
        return self._matching or bool(self._pending)

    def update(self, feature: int, voice: NDArray[np.float32], speech: float) -> IdentityMatched | None:
        """Hears the next feature.

        Args:
            feature: its absolute index, increasing from call to call.
            voice: ``[V]``, the encoder's identity feature; looked at only where ``listened_to``.
            speech: its speech probability, as ``VOICED`` means it.

        Returns:
            A match, if this feature decided one that is new.
        """
        if feature < self._heard:
            return None  # this object has gone on from another one's state, which knows of it
        self._heard = feature + 1
        while self._pending and self._pending[0][0] <= feature:
            at, choice = self._pending.pop(0)
            self._begin(choice, at)
            if choice.mode != "auto":
                self._embedding.change(first_frame_of(at, self._look_ahead), self._library.embedding(choice))
        if not self._matching or speech <= VOICED:
            return None
        self._voiced += 1
        if feature % LISTENED == 0:
            self._sum += voice
            self._listened += 1
        if self._voiced < FIRST_MATCH or (self._voiced - FIRST_MATCH) % RECHECK:
            return None
        return self._check(feature)

    def rematch(self, feature: int, choice: IdentityChoice = AUTO) -> None:
        """Chooses anew: an automatic identity keeps the present style until the voice heard from then on is matched.

        Args:
            feature: absolute index of the first feature it concerns, or the next one heard if that is later.
            choice: the new one.

        Raises:
            UnknownIdentityError: the choice names an identity that is not in the library.
        """
        self._library.embedding(choice)  # refuse unknown names now, not when the feature comes
        if self._pending and self._pending[-1][0] == feature:
            self._pending.pop()  # the later choice counts; a client that sends no audio cannot pile them up
        self._pending.append((feature, choice))

    def embedding(self, frame: int) -> NDArray[np.float32]:
        """The identity embedding of a frame.

        Args:
            frame: absolute index at 30 fps, increasing from call to call.

        Returns:
            ``[E]``; not to be written to.
        """
        settled = self._embedding.settled(frame, 1)
        embedding: NDArray[np.float32] = self._embedding.at(frame, 1)[0] if settled is None else settled
        return embedding

    @property
    def state(self) -> IdentityState:
        """What it takes to go on from here with another object."""
        return IdentityState(
            self._matching,
            self._evidence if self._matching else Evidence(self._heard, 0, 0, np.zeros(0)),
            self.identity or "",
            self._confidence,
            "" if self._challenger is None else self._library.names[self._challenger],
            self._held,
            self._embedding.latest,
            tuple(self._pending),
        )

    def restore(self, state: IdentityState) -> None:
        """Goes on where another object was at its latest check; what it heard up to there is not counted twice.

        A state does not hold the voice, which would make it large, but how alike it was to whom; voice heard from then
        on is weighed against that.

        Args:
            state: of that object, with the same library.

        Raises:
            ValueError: the library lacks a name, or the state is of another library.
        """
        names, fade, evidence = self._library.names, state.embedding, state.evidence
        if len(evidence.cosines) not in (0, len(names)) or fade.target.shape != self._library.neutral.shape:
            raise ValueError("the state is of another identity library")
        self._matching, self._heard, self._voiced = state.matching, evidence.heard, evidence.voiced
        if state.matching:
            self._before = evidence.listened, evidence.cosines
            self._evidence = evidence
        self._confidence, self._held = state.confidence, state.held
        self._current = names.index(state.identity) if state.identity else None
        self._challenger = names.index(state.challenger) if state.challenger else None
        self.identity = state.identity or None
        self._embedding = CrossFade(fade.source, FADE_FRAMES)
        self._embedding.change(fade.start, fade.target)
        self._pending = list(state.pending)

    def _begin(self, choice: IdentityChoice, since: int) -> None:
        self._matching = choice.mode == "auto"
        self._sum = np.zeros(self._library.voice_space.pooled_width)
        nobody = np.zeros(len(self._library.names))
        self._before, self._evidence = (0, nobody), Evidence(since, 0, 0, nobody)
        self._voiced = 0
        self._listened = 0
        self._current = None
        self._challenger = None
        self._held = 0
        self._confidence = 0.0
        self.identity = None

    def _cosines(self) -> NDArray[np.float64]:
        """How alike all voice heard is to each identity, ``[N]``."""
        count, cosines = self._before
        if not self._listened:
            return cosines
        heard = self._library.cosines(self._sum / self._listened)
        return (count * cosines + self._listened * heard) / (count + self._listened)

    def _check(self, feature: int) -> IdentityMatched | None:
        cosines = self._cosines()
        self._evidence = Evidence(self._heard, self._voiced, self._before[0] + self._listened, cosines)
        best = int(np.argmax(cosines))
        previous = self._current
        self._decide(best, clear=previous is None or cosines[best] - cosines[previous] > MARGIN)
        assert self._current is not None
        self._confidence = confidence = self._library.confidence(cosines, self._current)
        if self._voiced >= GIVE_UP or (self._held >= LOCK_CHECKS and confidence >= LOCK_CONFIDENCE):
            self._matching = False
        if self._current == previous:
            return None
        frame = first_frame_of(feature, self._look_ahead)
        self._embedding.change(frame, self._library.embeddings[self._current])
        self.identity = self._library.names[self._current]
        return IdentityMatched(frame, self.identity, confidence)

    def _decide(self, best: int, clear: bool) -> None:
        """Updates the current identity, its challenger and how long it has held, after one check."""
        if best == self._current:
            self._held += 1
            self._challenger = None
        elif self._current is None or (clear and best == self._challenger):
            self._current, self._challenger, self._held = best, None, 0
        else:
            self._held = 0
            self._challenger = best if clear else None


def listened_to(features: NDArray[np.int64], speech: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which features, by absolute index and speech probability (``VOICED``), are asked whose voice they are."""
    asked: NDArray[np.bool_] = (features % LISTENED == 0) & (speech > VOICED)
    return asked


def first_frame_of(feature: int, look_ahead: int) -> int:
    """First frame at 30 fps that may use a feature: the inverse of ``diffusiontalker.geometry.frame_feature``."""
    instant = FEATURE_STRIDE * feature + FEATURE_WINDOW - look_ahead
    return max(0, -(-instant * MODEL_FPS // SAMPLE_RATE))

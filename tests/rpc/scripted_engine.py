"""A test double of the engine: frames that say which they are, made at once or when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT
from diffusiontalker.geometry import PRESETS, frame_count
from livetalker.core.admission import EngineFull, ModelInfo
from livetalker.core.config import AUTO, IdentityChoice, Shaping, StreamConfig, UnknownIdentityError
from livetalker.core.outputs import Finished, Frames, IdentityMatched, Output, Skipped, SkipReason
from livetalker.core.stream_state import Resumption

IDENTITIES = ("alto", "bass", "tenor")
MODEL = ModelInfo("scripted", "1.2.3", 8, tuple(PRESETS.values()), IDENTITIES)


def face(index: int) -> NDArray[np.float32]:
    """``[52]`` the frame the scripted engine makes for an index."""
    return ((np.arange(COUNT) + 7 * index) % 101 / 101).astype(np.float32)


class ScriptedVoice:
    """A stream that makes a frame as soon as the audio up to its instant is there."""

    def __init__(
        self,
        engine: ScriptedEngine,
        config: StreamConfig,
        sink: Callable[[Output], None],
        resumption: Resumption | None = None,
    ) -> None:
        self.config = config
        self.resumption = resumption
        self.began: int | None = None
        self.audio: list[NDArray[np.float32]] = []
        self.calls: list[object] = []
        self.closed = False
        self._engine = engine
        self._sink = sink
        self._pushed = 0 if resumption is None else resumption.instant(config)
        self._made = 0 if resumption is None else resumption.next_frame
        self._finished = False

    @property
    def samples(self) -> NDArray[np.float32]:
        return np.concatenate(self.audio) if self.audio else np.zeros(0, np.float32)

    @property
    def finished(self) -> bool:
        return self._finished

    @property
    def backlog_samples(self) -> int:
        return max(0, self._pushed - self._made * self.config.sample_rate // self.config.fps)

    def begin(self, start: int) -> int:
        assert self.began is None and self.resumption is not None, "begun twice, or not resumed"
        self.began = self._pushed = start
        return start

    def push(self, samples: NDArray[np.float32]) -> None:
        assert not self._finished, "audio after the end"
        self.audio.append(samples)
        self._pushed += len(samples)
        self._advance()

    def finish(self) -> None:
        assert not self._finished, "finished twice"
        self._finished = True
        self._advance()

    def flush(self) -> None:
        self.calls.append("flush")
        now = frame_count(self._pushed, self.config.fps, self.config.sample_rate)
        if now > self._made:
            self._sink(Skipped(self._made, now - self._made, SkipReason.FLUSH))
            self._made = now

    def rematch_identity(self, choice: IdentityChoice = AUTO) -> None:
        self._engine.check(choice)
        self.calls.append(choice)
        self._sink(IdentityMatched(self._made, "tenor", 0.75))

    def shape(self, shaping: Shaping) -> None:
        self.calls.append(shaping)

    def emit(self, output: Output) -> None:
        """Lets the engine say something by itself."""
        self._sink(output)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._engine.closed(self)

    def work(self) -> None:
        """Makes the frames whose audio is there."""
        rate, fps = self.config.sample_rate, self.config.fps
        due = frame_count(self._pushed, fps, rate) if self._finished else self._pushed * fps // rate
        if due > self._made:
            self._sink(Frames(self._made, np.stack([face(n) for n in range(self._made, due)])))
            self._made = due
        if self._finished:
            self._sink(Finished(self._made))

    def _advance(self) -> None:
        if not self._engine.paused:
            self.work()


@dataclass
class ScriptedEngine:
    """Admits up to ``max_streams``; with ``paused`` set, streams work only when told to."""

    max_streams: int = 8
    paused: bool = False
    info: ModelInfo = MODEL
    voices: list[ScriptedVoice] = field(default_factory=list)
    opened: int = 0
    on_close: Callable[[], None] = lambda: None

    def check(self, choice: IdentityChoice) -> None:
        for name, _ in choice.weights:
            if name not in self.info.identities:
                raise UnknownIdentityError("identity", name, self.info.identities)

    def open(
        self, config: StreamConfig, sink: Callable[[Output], None], resumption: Resumption | None = None
    ) -> ScriptedVoice:
        self.check(config.identity)
        if len(self.voices) >= self.max_streams:
            raise EngineFull(f"all {self.max_streams} streams are taken")
        voice = ScriptedVoice(self, config, sink, resumption)
        self.voices.append(voice)
        self.opened += 1
        return voice

    def resume(self, config: StreamConfig, sink: Callable[[Output], None], resumption: Resumption) -> ScriptedVoice:
        return self.open(config, sink, resumption)

    def closed(self, voice: ScriptedVoice) -> None:
        self.voices.remove(voice)
        self.on_close()

"""What a client may ask of a stream, in the one form that rpc, bake and engine share; checked on construction."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from diffusiontalker.arkit import BLENDSHAPES, INDEX
from diffusiontalker.geometry import DEFAULT_PRESET, MODEL_FPS, PRESETS, SAMPLE_RATE

SAMPLE_RATES: Final = range(8_000, 48_001)
"""Hertz a client may send."""
FRAME_RATES: Final = (MODEL_FPS, 2 * MODEL_FPS)
"""Frames per second a client may ask for."""
GAIN_LIMIT: Final = 10.0
"""Largest gain; the smallest is 0."""
OFFSET_LIMIT: Final = 1.0
"""Largest offset, up or down."""

IdentityMode = Literal["auto", "pinned", "blended"]


class ConfigError(ValueError):
    """A stream was asked for something impossible.

    Attributes:
        field: path of the field within ``StreamConfig``, such as ``shaping.gains``.
        message: one sentence that says what to do.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class UnknownBlendshapeError(ConfigError):
    """A name is not one of the 52 ARKit blendshapes."""

    def __init__(self, field: str, name: str) -> None:
        super().__init__(field, unknown_name("blendshape", name, BLENDSHAPES))


class UnknownIdentityError(ConfigError):
    """A name is not in the model's identity library."""

    def __init__(self, field: str, name: str, identities: Iterable[str]) -> None:
        super().__init__(field, unknown_name("identity", name, identities))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """A sentence that rejects a name and offers the nearest known one, or where none is near the first few."""
    folded = {other.casefold(): other for other in known}
    names = list(folded.values())
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.4)
    hint = ""
    if near:
        hint = f"; did you mean {folded[near[0]]!r}?"
    elif names:
        hint = f"; known are {', '.join(map(repr, names[:3]))}" + (f" and {len(names) - 3} more" * (len(names) > 3))
    return f"there is no {kind} {name!r}{hint}"


class Delivery(Enum):
    """What gives way when frames are made faster than they are read."""

    LIVE = "live"
    """The oldest frames: the newest win."""
    LOSSLESS = "lossless"
    """The input, which is held back: every frame is delivered."""


@dataclass(frozen=True, slots=True)
class IdentityChoice:
    """Whose speaking style a stream uses.

    Attributes:
        mode: ``auto`` (matched by voice), ``pinned`` (one identity) or ``blended`` (a mixture).
        weights: identities and their shares, positive, brought to a sum of 1; empty when automatic.

    Raises:
        ConfigError: weights do not fit the mode.
    """

    mode: IdentityMode = "auto"
    weights: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in get_args(IdentityMode):
            raise ConfigError("identity", f"unknown mode {self.mode!r}; use auto, pinned or blended")
        names = [name for name, _ in self.weights]
        if self.mode == "auto" and names:
            raise ConfigError("identity", "an automatic identity takes no names; pin or blend them instead")
        if self.mode == "pinned" and len(names) != 1:
            raise ConfigError("identity", f"a pinned identity needs exactly one name, not {len(names)}")
        if self.mode == "blended" and not names:
            raise ConfigError("identity", "a blended identity needs at least one name with its weight")
        if len(set(names)) < len(names):
            raise ConfigError("identity", "a name appears twice; give each identity one weight")
        for name, weight in self.weights:
            if not (math.isfinite(weight) and weight > 0):
                raise ConfigError("identity", f"the weight of {name!r} is {weight}; give a finite number above 0")
        total = math.fsum(weight for _, weight in self.weights)
        object.__setattr__(self, "weights", tuple((name, weight / total) for name, weight in self.weights))

    @property
    def label(self) -> str:
        """The names, or the mode where there are none: what files and logs call the choice."""
        return "+".join(name for name, _ in self.weights) or self.mode

    @staticmethod
    def pinned(name: str) -> IdentityChoice:
        """Always the identity ``name``."""
        return IdentityChoice("pinned", ((name, 1.0),))

    @staticmethod
    def blended(weights: Mapping[str, float]) -> IdentityChoice:
        """A mixture of identities."""
        return IdentityChoice("blended", tuple(weights.items()))


AUTO: Final = IdentityChoice()
"""Match the identity by voice."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """Adjustments to the coefficients, by ARKit name; a name left out is left alone.

    Attributes:
        gains: factors, 0 to 10.
        offsets: added next, -1 to 1.
        clamp: how the result is brought into 0..1: ``True`` cuts it, ``False`` bends it over softly (see
            ``livetalker.core.shaping``). It is within 0..1 either way.
        expression: values 0 to 1 held under the speech.

    Raises:
        ConfigError: a value is out of range.
        UnknownBlendshapeError: a name is not an ARKit blendshape.
    """

    gains: Mapping[str, float] = field(default_factory=dict)
    offsets: Mapping[str, float] = field(default_factory=dict)
    clamp: bool = True
    expression: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ranges = {"gains": (0.0, GAIN_LIMIT), "offsets": (-OFFSET_LIMIT, OFFSET_LIMIT), "expression": (0.0, 1.0)}
        for part, (low, high) in ranges.items():
            values: Mapping[str, float] = getattr(self, part)
            for name, value in values.items():
                if name not in INDEX:
                    raise UnknownBlendshapeError(f"shaping.{part}", name)
                if not low <= value <= high:  # NaN is in no range
                    raise ConfigError(f"shaping.{part}", f"{name} is {value}; give {low:g} to {high:g}")
            object.__setattr__(self, part, MappingProxyType(dict(values)))

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: the read-only views cannot be pickled, what they show can."""
        return Shaping, (dict(self.gains), dict(self.offsets), self.clamp, dict(self.expression))


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """Everything one stream was opened with.

    Attributes:
        sample_rate: hertz of the client's audio, 8000 to 48000.
        fps: frames per second to deliver, 30 or 60.
        preset: latency preset, a key of ``diffusiontalker.geometry.PRESETS``.
        seed: of everything random, 0 to 2^64 - 1.
        identity: whose speaking style.
        shaping: adjustments to the coefficients.
        delivery: what gives way when frames are not read fast enough.
        blinks: whether the face blinks.
        idle: whether brows and eyes drift a little, as a living face's do.

    Raises:
        ConfigError: a field is out of range.
    """

    sample_rate: int = SAMPLE_RATE
    fps: int = MODEL_FPS
    preset: str = DEFAULT_PRESET
    seed: int = 0
    identity: IdentityChoice = AUTO
    shaping: Shaping = field(default_factory=Shaping)
    delivery: Delivery = Delivery.LOSSLESS
    blinks: bool = True
    idle: bool = True

    def __post_init__(self) -> None:
        if self.sample_rate not in SAMPLE_RATES:
            low, high = SAMPLE_RATES[0], SAMPLE_RATES[-1]
            raise ConfigError("sample_rate", f"{self.sample_rate} Hz is not supported; send {low} to {high} Hz")
        if self.fps not in FRAME_RATES:
            raise ConfigError("fps", f"{self.fps} frames per second are not supported; ask for 30 or 60")
        if self.preset not in PRESETS:
            raise ConfigError("preset", f"unknown latency preset {self.preset!r}; use {', '.join(PRESETS)}")
        if not 0 <= self.seed < 2**64:
            raise ConfigError("seed", f"{self.seed} is out of range; give 0 to 2^64 - 1")

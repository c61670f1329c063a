"""Fixed slots for what streams carry between ticks, allocated once and reused; the encoder keeps its own.

A slot handle names a slot and its generation, so that a handle released twice cannot free the slot under its next user.
Reading and writing go by the bare index: that only open streams do so is the engine's care.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.bundle import Bundle
from diffusiontalker.geometry import FEATURE_HISTORY
from diffusiontalker.level import FLOOR_DB, LevelState


@dataclass(frozen=True, slots=True)
class Slot:
    """A stream's place in the pool."""

    index: int
    generation: int


class SlotPool:
    """State of up to ``capacity`` streams, one row each.

    Attributes:
        capacity: slots.
        recent: ``[S, FEATURE_HISTORY, W]`` latest features, zero at a stream's start.
        hidden: ``[N, layers, S, H]`` decoder state of every denoise step.
    """

    def __init__(self, bundle: Bundle, capacity: int) -> None:
        encoder, denoiser = bundle.encoder, bundle.denoiser
        self.capacity = capacity
        self.recent = np.zeros((capacity, FEATURE_HISTORY, encoder["width"]), np.float32)
        self.hidden = np.zeros((bundle.steps, denoiser["layers"], capacity, denoiser["hidden"]), np.float32)
        self._level = LevelState.initial(capacity)
        self._generation = [0] * capacity
        self._free = list(range(capacity - 1, -1, -1))

    @property
    def full(self) -> bool:
        """Whether all slots are taken."""
        return not self._free

    @property
    def in_use(self) -> int:
        """Slots taken."""
        return self.capacity - len(self._free)

    def acquire(self) -> Slot | None:
        """A slot, or None where all are taken; it holds the former user's state until it is cleared."""
        if not self._free:
            return None
        index = self._free.pop()
        return Slot(index, self._generation[index])

    def release(self, slot: Slot) -> None:
        """Give a slot back; a handle that was released before is ignored."""
        if self._generation[slot.index] == slot.generation:
            self._generation[slot.index] += 1
            self._free.append(slot.index)

    def clear(self, index: int) -> None:
        """As if the stream began now."""
        self.recent[index] = 0
        self.hidden[:, :, index] = 0
        self._level.powers[index] = 0
        self._level.held[index] = FLOOR_DB
        self._level.low_cut[index] = 0

    def level(self, rows: Sequence[int] | NDArray[np.intp]) -> LevelState:
        """Level state of rows (a copy)."""
        return LevelState(self._level.powers[rows], self._level.held[rows], self._level.low_cut[rows])

    def hold_level(self, index: int, level: float) -> None:
        """Have the level follower of a row hold a level."""
        self._level.held[index] = level

    def set_level(self, rows: Sequence[int] | NDArray[np.intp], state: LevelState) -> None:
        """Store the level state of rows."""
        self._level.powers[rows] = state.powers
        self._level.held[rows] = state.held
        self._level.low_cut[rows] = state.low_cut

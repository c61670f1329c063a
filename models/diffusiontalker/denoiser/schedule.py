"""The forward process and its respacing (DDPM, Ho et al. 2020; DiffusionTalker eqs. 2 to 4).

One linear beta grid of 1000 steps, 1e-4 to 0.02, from which every sampler takes ``N`` evenly spaced steps. Step ``tau``
of an ``N``-step student therefore has the noise level of step ``2 tau`` of its ``2N``-step teacher, which is what
progressive distillation (eqs. 8 and 9) asks for. Torch-free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRID: Final = 1000
"""Steps of the underlying process."""


def _signal_power() -> NDArray[np.float64]:
    beta = np.linspace(1e-4, 0.02, GRID)
    return np.cumprod(1 - beta, dtype=np.float64)


@dataclass(frozen=True)
class Schedule:
    """``N`` steps of the process, index 0 the least noisy.

    Attributes:
        timesteps: ``[N]`` positions on the 1000-step grid.
        alpha: ``[N]`` signal amplitude, ``sqrt(abar)``.
        sigma: ``[N]`` noise amplitude, ``sqrt(1 - abar)``.
    """

    timesteps: NDArray[np.int64]
    alpha: NDArray[np.float64]
    sigma: NDArray[np.float64]

    @classmethod
    def spaced(cls, steps: int) -> Schedule:
        """Evenly spaced over the grid, ending at its noisiest step.

        Raises:
            ValueError: ``steps`` is not in 1..1000.
        """
        if not 1 <= steps <= GRID:
            raise ValueError(f"a schedule has 1 to {GRID} steps, not {steps}")
        timesteps = np.arange(1, steps + 1, dtype=np.int64) * GRID // steps - 1
        power = _signal_power()[timesteps]
        return cls(timesteps, np.sqrt(power), np.sqrt(1 - power))

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.timesteps)

    def ddim(self) -> list[tuple[float, float]]:
        """DDIM (eta 0) from noisiest to cleanest: ``x' = a x_hat + b x`` for each step (eq. 8).

        With ``x' = alpha' x_hat + (sigma' / sigma)(x - alpha x_hat)``; after the last step ``x' = x_hat``.
        """
        moves = []
        for i in reversed(range(1, len(self))):
            ratio = self.sigma[i - 1] / self.sigma[i]
            moves.append((float(self.alpha[i - 1] - ratio * self.alpha[i]), float(ratio)))
        moves.append((1.0, 0.0))
        return moves

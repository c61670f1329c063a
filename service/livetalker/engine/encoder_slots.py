"""What an encoder carries of every stream between ticks, one kind of slots for each kind of encoder.

A *streaming* encoder computes each feature once and keeps keys and values; a *rolling* one hears a window of samples
anew for every few features and keeps the samples. The engine knows only ``EncoderSlots``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.bundle import ENCODER_INT8, Bundle
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW
from livetalker.core.identity_tracker import listened_to
from livetalker.engine.backend import Backend, Floats, Heard
from livetalker.engine.rings import Rows, make_rings

HOPS: Final = (50, 10, 5, 2, 1)
"""Features a call of a streaming encoder has in float32, where any number would do: few sizes make full batches."""


class EncoderSlots(Protocol):
    """Encoder state of a fixed number of streams, one row each."""

    @property
    def hops(self) -> Sequence[int]:
        """Features a stream may advance at a time, descending; the last one divides the others."""
        ...

    @property
    def opening(self) -> int:
        """Samples at 16 kHz that ``begin`` takes."""
        ...

    def begin(self, row: int, samples: Floats) -> None:
        """A stream begins in this row: forget the former one.

        Args:
            row: of the stream.
            samples: ``[opening]``, its first level-normalised samples.
        """
        ...

    def advance(self, rows: Rows, samples: Floats, listening: Mapping[int, int]) -> Heard:
        """The next ``h`` features of streams.

        Args:
            rows: ``[B]`` distinct rows.
            samples: ``[B, 320 h]``, the next level-normalised samples of each; ``h`` is one of ``hops``.
            listening: ``b`` places in ``rows`` of those whose voice is asked for, each with the absolute index of its
                stream's first new feature. Of features that are not ``listened_to`` the voice may be zeros.
        """
        ...


class StreamingSlots:
    """A tail of samples, and what the encoder's layers remember: for ``StreamingHubert``."""

    opening = FEATURE_OVERLAP

    def __init__(self, bundle: Bundle, backend: Backend, capacity: int) -> None:
        sizes = bundle.encoder
        self._backend = backend
        self.hops: Sequence[int] = tuple(ENCODER_INT8) if backend.frame_by_frame else HOPS
        self._context = int(sizes["context"])
        self._voice_width = bundle.identities.voice_space.pooled_width
        self._rings = make_rings(backend.past, bundle, capacity)
        self._tail = np.zeros((capacity, FEATURE_OVERLAP), np.float32)  # samples a window shares with the next
        self._position = np.zeros(capacity, np.int64)

    def begin(self, row: int, samples: Floats) -> None:
        """See ``EncoderSlots``."""
        self._position[row] = 0
        self._rings.clear(row)
        self._tail[row] = samples

    def advance(self, rows: Rows, samples: Floats, listening: Mapping[int, int]) -> Heard:
        """See ``EncoderSlots``."""
        heard = np.concatenate([self._tail[rows], samples], axis=1)
        result = self._backend.encode(heard, self._position[rows], self._rings.past(rows))
        self._tail[rows] = heard[:, -FEATURE_OVERLAP:]
        hop = result.features.shape[1]
        kept = self._position[rows][:, None] + np.arange(max(0, hop - self._context), hop)
        self._rings.write(rows, kept, result.fresh)
        self._position[rows] += hop
        places = list(listening)
        first = np.array(list(listening.values()), np.int64)
        voice = self._voice(heard[places], result.speech[places], first[:, None] + np.arange(hop))
        return Heard(result.features, voice, result.speech)

    def _voice(self, heard: Floats, speech: Floats, features: NDArray[np.int64]) -> Floats:
        """Voice features ``[b, h, V]`` where somebody looks at them, zeros elsewhere."""
        voice = np.zeros((*features.shape, self._voice_width), np.float32)
        asked = listened_to(features, speech[:, :, 0])
        if asked.any():
            windows = np.lib.stride_tricks.sliding_window_view(heard, FEATURE_WINDOW, axis=1)[:, ::FEATURE_STRIDE]
            voice[asked] = self._backend.voice(windows[asked])[:, 0]
        return voice


class RollingSlots:
    """The samples of each stream's latest window: for ``RollingHubert``.

    Block ``b`` of ``hop`` features is heard in a window that ends ``right`` features after it and begins ``window``
    features before its end, or with the stream where that is later. Windows of one length share a call.
    """

    def __init__(self, bundle: Bundle, backend: Backend, capacity: int) -> None:
        sizes = bundle.encoder
        self._backend = backend
        self._hop, self._right, self._window = int(sizes["hop"]), int(sizes["right"]), int(sizes["window"])
        self.hops: Sequence[int] = (self._hop,)
        self.opening = FEATURE_OVERLAP + FEATURE_STRIDE * self._right
        # The newest sample is the last of a row.
        self._samples = np.zeros((capacity, FEATURE_STRIDE * self._window + FEATURE_OVERLAP), np.float32)
        self._age = np.zeros(capacity, np.int64)  # features whose samples are there, from the stream's start

    def begin(self, row: int, samples: Floats) -> None:
        """See ``EncoderSlots``."""
        self._samples[row, -self.opening :] = samples
        self._age[row] = self._right

    def advance(self, rows: Rows, samples: Floats, listening: Mapping[int, int]) -> Heard:
        """See ``EncoderSlots``."""
        new = samples.shape[1]
        self._samples[rows, :-new] = self._samples[rows, new:]
        self._samples[rows, -new:] = samples
        self._age[rows] += self._hop
        lengths = np.minimum(self._age[rows], self._window)
        parts: list[tuple[Rows, Heard]] = []
        for length in np.unique(lengths):
            members = np.flatnonzero(lengths == length)
            span = FEATURE_STRIDE * int(length) + FEATURE_OVERLAP
            parts.append((members, self._backend.hear(self._samples[rows[members], -span:])))
        order = np.argsort(np.concatenate([members for members, _ in parts]))
        features, voice, speech = (
            np.concatenate(arrays)[order] for arrays in zip(*(heard for _, heard in parts), strict=True)
        )
        return Heard(features, voice[list(listening)], speech)


def encoder_slots(bundle: Bundle, backend: Backend, capacity: int) -> EncoderSlots:
    """Slots of the kind a bundle's encoder needs, for ``capacity`` streams."""
    if bundle.encoder_kind == "rolling":
        return RollingSlots(bundle, backend, capacity)
    return StreamingSlots(bundle, backend, capacity)

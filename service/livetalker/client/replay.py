"""What a client has sent and may have to send again: the last seconds of a stream, on the stream's own clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from livetalker.v1 import face_animation_pb2 as pb

BACK_SECONDS: Final = 2
"""Audio sent again before the first frame that is still wanted: what the contract asks for."""
_KEPT_SECONDS: Final = BACK_SECONDS + 2
_MOST_SECONDS: Final = 30
"""Audio kept of a stream whose frames nobody takes."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent.

    Attributes:
        start: sample it begins at; a control's place.
        end: sample after its last.
        request: as it was sent.
    """

    start: int
    end: int
    request: pb.AnimateRequest


class Replay:
    """The newest requests of one stream.

    Attributes:
        end: sample after the last one sent.

    Args:
        rate: samples per second.
        width: bytes of a sample.
    """

    def __init__(self, rate: int, width: int) -> None:
        self.end = 0
        self._rate = rate
        self._width = width
        self._sent: deque[Sent] = deque()
        self._number = 0  # of the oldest request kept, counted from the stream's beginning
        self._standing: dict[str, pb.AnimateRequest] = {}  # the latest forgotten control of each kind that lasts

    def add(self, request: pb.AnimateRequest) -> None:
        """Keeps a request: audio, which must have its ``start_sample``, or a control."""
        start = self.end
        if request.HasField("audio"):
            start = request.audio.start_sample
            self.end = max(self.end, start + len(request.audio.data) // self._width)
        self._sent.append(Sent(start, self.end, request))

    def forget(self, wanted: int) -> None:
        """Forgets what will not be sent again.

        Args:
            wanted: sample of the first frame that is still wanted.
        """
        oldest = max(wanted - _KEPT_SECONDS * self._rate, self.end - _MOST_SECONDS * self._rate)
        while self._sent and self._sent[0].end < oldest:
            _stand(self._standing, self._sent.popleft())
            self._number += 1

    @property
    def oldest(self) -> int:
        """First sample that can be sent again; 0 where there is none."""
        return next((sent.start for sent in self._sent if sent.request.HasField("audio")), 0)

    def since(self, sample: int, known: int) -> Iterator[pb.AnimateRequest]:
        """Requests to send again, oldest first, and those that are added meanwhile.

        Args:
            sample: where the audio begins.
            known: sample up to which the server knows of controls.
        """
        number = self._number
        while number < self._number + len(self._sent):
            number = max(number, self._number)
            sent = self._sent[number - self._number]
            number += 1
            if sent.end > sample if sent.request.HasField("audio") else sent.start >= known:
                yield sent.request

    def standing(self, sample: int) -> list[pb.AnimateRequest]:
        """Controls that are in force at a sample: what a stream that knows nothing must be told first."""
        standing = dict(self._standing)
        for sent in self._sent:
            if sent.start < sample:
                _stand(standing, sent)
        return list(standing.values())


def _stand(standing: dict[str, pb.AnimateRequest], sent: Sent) -> None:
    """Notes a control in the place of an earlier one of its kind; a flush is over as soon as it is done."""
    kind = sent.request.control.WhichOneof("control")
    if kind is not None and kind != "flush":
        standing["mute" if kind == "unmute" else kind] = sent.request

"""Showing frames in time: where the audio is (``AudioClock``) and the face that belongs there (``JitterBuffer``).

``docs/presentation.md`` specifies both; ``tests/vectors/presentation`` holds what they must answer.
"""

from livetalker.client.presentation.audio_clock import AudioClock
from livetalker.client.presentation.jitter_buffer import JitterBuffer, PresentationState, PushResult

__all__ = ["AudioClock", "JitterBuffer", "PushResult", "PresentationState"]

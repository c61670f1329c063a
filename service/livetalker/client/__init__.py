"""The Python client of a LiveTalker server: ``LiveTalkerClient`` for asyncio, ``animate_file`` without."""

from livetalker.address import DEFAULT_ADDRESS
from livetalker.client.blocking import animate_file
from livetalker.client.client import LiveTalkerClient, ModelInfo
from livetalker.client.errors import LiveTalkerError
from livetalker.client.latency import LatencySummary
from livetalker.client.presentation import AudioClock, JitterBuffer, PresentationState, PushResult
from livetalker.client.security import Tls
from livetalker.client.stream import AnimationStream, StreamInfo
from livetalker.client.wire import Encoding, FaceFrame
from livetalker.core.config import ConfigError, IdentityChoice, Shaping, StreamConfig
from livetalker.media.audio_files import AudioFileError

__all__ = [
    "DEFAULT_ADDRESS",
    "AnimationStream",
    "AudioClock",
    "AudioFileError",
    "ConfigError",
    "Encoding",
    "FaceFrame",
    "IdentityChoice",
    "JitterBuffer",
    "LatencySummary",
    "LiveTalkerClient",
    "LiveTalkerError",
    "ModelInfo",
    "PresentationState",
    "PushResult",
    "Shaping",
    "StreamConfig",
    "StreamInfo",
    "Tls",
    "animate_file",
]

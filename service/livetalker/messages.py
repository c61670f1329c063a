"""Parts of a configuration as wire messages: what a client asks for and what a server remembers are written alike."""

from __future__ import annotations

from livetalker.core.config import IdentityChoice, Shaping
from livetalker.v1 import face_animation_pb2 as pb


def identity_to_wire(choice: IdentityChoice) -> pb.Identity:
    """Writes an identity choice."""
    match choice.mode:
        case "auto":
            return pb.Identity(automatic=pb.AutomaticIdentity())
        case "pinned":
            return pb.Identity(pinned=choice.weights[0][0])
        case _:
            return pb.Identity(blended=pb.BlendedIdentity(weights=dict(choice.weights)))


def shaping_to_wire(shaping: Shaping) -> pb.Shaping:
    """Writes adjustments."""
    return pb.Shaping(gains=shaping.gains, offsets=shaping.offsets, clamp=shaping.clamp, expression=shaping.expression)

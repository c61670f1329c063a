"""A stream's state as the messages that resume tokens hold, and back."""

from __future__ import annotations

from typing import Final

import numpy as np

from livetalker.core.identity_tracker import FADE_FRAMES
from livetalker.core.shaping import FADE_FRAMES as SHAPING_FADE_FRAMES
from livetalker.core.stream_state import Evidence, Fade, IdentityState, ShapingState, StreamState
from livetalker.internal.v1 import resume_token_pb2 as internal
from livetalker.messages import identity_to_wire, shaping_to_wire
from livetalker.rpc.requests import read_identity, read_shaping

_HALF: Final = np.dtype("<f2")
_REACH: Final = 10 * 30
"""Frames at 30 fps back from the state's that audio may be sent again from; fades that ended before are over."""


def state_to_wire(state: StreamState) -> internal.StreamState:
    """Writes a state; what is over by any frame that may be asked for again is left out."""
    oldest = state.frame - _REACH
    message = internal.StreamState(
        frame=state.frame,
        levels=[internal.Level(sample=sample, held_db=held) for sample, held in state.levels],
        flushed=state.flushed,
        identity=_identity_to_wire(state.identity, oldest),
        shaping=shaping_to_wire(state.shaping.current),
        shaping_frame=state.shaping.frame,
    )
    if state.shaping.frame + SHAPING_FADE_FRAMES > oldest and state.shaping.previous != state.shaping.current:
        message.previous_shaping.CopyFrom(shaping_to_wire(state.shaping.previous))
    return message


def _identity_to_wire(state: IdentityState, oldest: int) -> internal.IdentityState:
    fading = state.embedding.start + FADE_FRAMES > oldest and state.embedding.source is not state.embedding.target
    return internal.IdentityState(
        matching=state.matching,
        voiced=state.evidence.voiced,
        listened=state.evidence.listened,
        cosines=state.evidence.cosines.astype(_HALF).tobytes(),
        identity=state.identity,
        confidence=state.confidence,
        challenger=state.challenger,
        held=state.held,
        heard=state.evidence.heard,
        embedding=state.embedding.target.tolist(),
        embedding_before=state.embedding.source.tolist() if fading else (),
        fade_frame=state.embedding.start,
        pending=[
            internal.PendingIdentity(feature=feature, identity=identity_to_wire(choice))
            for feature, choice in state.pending
        ],
    )


def state_from_wire(message: internal.StreamState) -> StreamState:
    """Reads a state.

    Raises:
        ConfigError: a choice or an adjustment that is no longer possible.
    """
    current = read_shaping(message.shaping)
    previous = read_shaping(message.previous_shaping) if message.HasField("previous_shaping") else current
    return StreamState(
        frame=message.frame,
        levels=tuple((level.sample, level.held_db) for level in message.levels),
        flushed=message.flushed,
        identity=_identity_from_wire(message.identity),
        shaping=ShapingState(current, previous, message.shaping_frame),
    )


def _identity_from_wire(message: internal.IdentityState) -> IdentityState:
    target = np.array(message.embedding, np.float32)
    source = np.array(message.embedding_before, np.float32) if message.embedding_before else target
    return IdentityState(
        matching=message.matching,
        evidence=Evidence(
            message.heard,
            message.voiced,
            message.listened,
            np.frombuffer(message.cosines, _HALF).astype(np.float64),
        ),
        identity=message.identity,
        confidence=message.confidence,
        challenger=message.challenger,
        held=message.held,
        embedding=Fade(message.fade_frame, source, target),
        pending=tuple((pending.feature, read_identity(pending.identity)) for pending in message.pending),
    )

"""The real protobuf, for the codec's test: random messages, each as JSON and as the bytes that Python makes of it.

``python codec_peer.py SEED COUNT`` prints one JSON object a line: ``kind``, the fields by name, and ``hex``. The C#
test encodes the fields of requests and compares bytes, and decodes the bytes of responses and compares fields.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import numpy as np
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from livetalker.v1 import face_animation_pb2 as pb

NAMES = ("jawOpen", "mouthSmileLeft", "eyeBlinkRight", "browInnerUp", "é漢字", "")
INTEGERS = (0, 1, 127, 128, 300, 16383, 16384, 2**31 - 1, 2**31, 2**53, 2**63 - 1)


def f32(chance: random.Random, low: float = -2.0, high: float = 2.0) -> float:
    """A random number that a float holds exactly."""
    return float(np.float32(chance.choice((0.0, 1.0, chance.uniform(low, high)))))


def integer(chance: random.Random, most: int = 2**63 - 1) -> int:
    """A random integer, often one at which a varint grows by a byte."""
    return min(chance.choice((*INTEGERS, chance.randrange(2**40))), most)


def text(chance: random.Random) -> str:
    """A random string."""
    return chance.choice(NAMES) * chance.randrange(3)


def token(chance: random.Random) -> bytes:
    """Random bytes."""
    return chance.randbytes(chance.choice((1, 100, 127, 128, 300)))


def weights(chance: random.Random) -> dict[str, float]:
    """A random map."""
    # Not the empty name: deterministic protobuf puts it last, which is nobody's idea of order.
    names = [name for name in NAMES if name]
    return {name: f32(chance) for name in chance.sample(names, chance.randrange(len(names) + 1))}


def shaping(chance: random.Random) -> dict[str, Any]:
    """Random adjustments."""
    return {
        "gains": weights(chance),
        "offsets": weights(chance),
        "clamp": chance.random() < 0.5,
        "expression": weights(chance),
    }


def identity(chance: random.Random) -> dict[str, Any]:
    """A random choice of identity."""
    return chance.choice(({}, {"pinned": "anna"}, {"blended": {"weights": {"anna": f32(chance), "ben": f32(chance)}}}))


def config(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """A config."""
    fields: dict[str, Any] = {
        "sample_rate": chance.choice((8000, 16000, 44100, 48000)),
        "frame_rate": chance.choice((30, 60)),
        "latency_preset": chance.randrange(4),
        "delivery": chance.choice((1, 2)),
        "identity": identity(chance),
        "seed": chance.choice((0, 7, 2**63, 2**64 - 1)),
        "blinks": chance.random() < 0.5,
        "idle_motion": chance.random() < 0.5,
    }
    if chance.random() < 0.5:
        fields["shaping"] = shaping(chance)
    wire = {name: value for name, value in fields.items() if name != "identity" or value}
    return fields, pb.AnimateRequest(config=pb.StreamConfig(encoding=pb.AUDIO_ENCODING_PCM_S16LE, **wire))


def resume(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """A resume."""
    secret, frame = token(chance), integer(chance)
    return {"token": secret.hex(), "next_frame": frame}, pb.AnimateRequest(
        resume=pb.Resume(token=secret, next_frame=frame)
    )


def audio(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """A chunk of audio."""
    samples = [chance.randrange(-32768, 32768) for _ in range(chance.choice((0, 1, 63, 64, 320, 960, 9000)))]
    start = integer(chance)
    data = np.array(samples, "<i2").tobytes()
    return {"start_sample": start, "samples": samples}, pb.AnimateRequest(
        audio=pb.AudioChunk(start_sample=start, data=data)
    )


def control(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """A control."""
    kind = chance.choice(("flush", "mute", "unmute", "rematch_identity", "shaping"))
    fields: dict[str, Any] = {"control": kind}
    inner: dict[str, Any] = {}
    if kind == "rematch_identity":
        fields["identity"] = identity(chance)
        inner = {"identity": fields["identity"]} if fields["identity"] else {}
    elif kind == "shaping":
        inner = fields["shaping"] = shaping(chance)
    return fields, pb.AnimateRequest(control=pb.Control(**{kind: inner}))


def started(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """A started message."""
    secret = token(chance)
    fields: dict[str, Any] = {
        "session_id": text(chance),
        "model_name": text(chance),
        "model_version": text(chance),
        "blendshape_names": [chance.choice(NAMES) for _ in range(chance.randrange(60))],
        "frame_rate": integer(chance, 2**31 - 1),
        "algorithmic_latency_us": integer(chance),
        "limits": {"max_chunk_ms": 1000, "max_message_bytes": integer(chance, 2**31 - 1), "max_gap_ms": 10000},
        "first_frame": integer(chance),
    }
    message = pb.AnimateResponse(started=pb.Started(resume_token=secret, **fields))
    return {**fields, "resume_token": secret.hex()}, message


def frames(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """Frames."""
    listed: list[dict[str, Any]] = [
        {"index": integer(chance), "time_us": integer(chance), "weights": [f32(chance) for _ in range(52)]}
        for _ in range(chance.randrange(1, 20))
    ]
    return {"frames": listed}, pb.AnimateResponse(frames=pb.Frames(frames=[pb.Frame(**frame) for frame in listed]))


def event(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """An event of any kind."""
    kind = chance.choice(("identity_matched", "gap", "draining", "warning", "resume_point"))
    fields: dict[str, Any]
    match kind:
        case "identity_matched":
            fields = {"identity": text(chance), "confidence": f32(chance, 0, 1), "frame_index": integer(chance)}
        case "gap":
            fields = {
                "cause": chance.choice((1, 2, 4)),
                "start_sample": integer(chance),
                "sample_count": integer(chance),
                "first_frame": integer(chance),
                "frame_count": integer(chance),
            }
        case "draining":
            fields = {"grace_ms": integer(chance, 2**31 - 1)}
        case "warning":
            fields = {"reason": "AUDIO_OVERLAP", "message": text(chance)}
        case _:
            secret = token(chance)
            frame = integer(chance)
            message = pb.AnimateResponse(event=pb.Event(resume_point=pb.ResumePoint(token=secret, frame_index=frame)))
            return {"event": kind, "token": secret.hex(), "frame_index": frame}, message
    return {"event": kind, **fields}, pb.AnimateResponse(event=pb.Event(**{kind: fields}))


def model_info(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """The answer to GetModelInfo."""
    fields: dict[str, Any] = {
        "model_name": text(chance),
        "model_version": text(chance),
        "blendshape_names": [chance.choice(NAMES) for _ in range(chance.randrange(60))],
        "frame_rates": [30, 60][: chance.randrange(3)],
        "latency_presets": [{"latency_preset": n, "algorithmic_latency_us": integer(chance)} for n in range(1, 4)],
        "identities": [chance.choice(NAMES) for _ in range(chance.randrange(5))],
        "denoise_steps": integer(chance, 2**31 - 1),
        "limits": {"max_chunk_ms": 1000},
    }
    return fields, pb.GetModelInfoResponse(**fields)


def status(chance: random.Random) -> tuple[dict[str, Any], Message]:
    """The details of an error."""
    reason, field, wait = text(chance), text(chance), chance.choice((0, 250_000_000, 1_500_000_000, 30_000_000_000))
    info, request, retry = ErrorInfo(reason=reason, domain="livetalker"), BadRequest(), RetryInfo()
    request.field_violations.add(field=field, description="no")
    retry.retry_delay.FromNanoseconds(wait)
    message = Status(code=8, message=text(chance))
    for detail in (info, request, retry):
        packed = AnyMessage()
        packed.Pack(detail)
        message.details.append(packed)
    return {"reason": reason, "field": field, "retry_ns": wait}, message


KINDS = (config, resume, audio, control, started, frames, event, model_info, status)


def main() -> None:
    """Prints the messages."""
    chance = random.Random(int(sys.argv[1]))
    for number in range(int(sys.argv[2])):
        kind = KINDS[number % len(KINDS)]
        fields, message = kind(chance)
        line = {"kind": kind.__name__, **fields, "hex": message.SerializeToString(deterministic=True).hex()}
        print(json.dumps(line))


if __name__ == "__main__":
    main()

"""Writing what the engine says: its outputs and its description as wire messages."""

from __future__ import annotations

from typing import Final

from diffusiontalker.arkit import BLENDSHAPES
from diffusiontalker.geometry import PRESETS, SAMPLE_RATE, frame_time_us
from livetalker.core.admission import ModelInfo
from livetalker.core.config import FRAME_RATES, StreamConfig
from livetalker.core.outputs import Frames, IdentityMatched, Skipped, SkipReason
from livetalker.core.resample import hold_back
from livetalker.core.timeline import MAX_GAP_SECONDS, Span
from livetalker.rpc import requests
from livetalker.rpc.opening import Opening
from livetalker.rpc.options import ServerOptions
from livetalker.v1 import face_animation_pb2 as pb

_SKIPS: Final = {
    SkipReason.FLUSH: pb.GAP_CAUSE_FLUSH,
    SkipReason.SLOW_READER: pb.GAP_CAUSE_SLOW_READER,
}


def algorithmic_latency_us(config: StreamConfig, encoder_delay: int = 0) -> int:
    """Audio after its own instant that a frame waits for.

    That is look-ahead, the encoder's delay, resampling and, at 60 fps, the next 30 fps frame.

    Args:
        config: of the stream.
        encoder_delay: samples at 16 kHz, ``ModelInfo.encoder_delay``.

    Returns:
        Microseconds, rounded up.
    """
    look_ahead = -(-(PRESETS[config.preset].look_ahead + encoder_delay) * 1_000_000 // SAMPLE_RATE)
    resampling = -(-hold_back(config.sample_rate) * 1_000_000 // config.sample_rate)
    return look_ahead + resampling + (frame_time_us(1, 60) + 1 if config.fps == 60 else 0)


def started(
    session_id: str, opening: Opening, model: ModelInfo, options: ServerOptions, resume_token: bytes
) -> pb.AnimateResponse:
    """The stream was accepted."""
    config = opening.config
    return pb.AnimateResponse(
        started=pb.Started(
            session_id=session_id,
            model_name=model.name,
            model_version=model.version,
            blendshape_names=BLENDSHAPES,
            frame_rate=config.fps,
            algorithmic_latency_us=algorithmic_latency_us(config, model.encoder_delay),
            limits=limits(options),
            resume_token=resume_token,
            first_frame=0 if opening.resumption is None else opening.resumption.next_frame,
        )
    )


def resume_point(token: bytes, frame: int) -> pb.AnimateResponse:
    """A newer token."""
    return pb.AnimateResponse(event=pb.Event(resume_point=pb.ResumePoint(token=token, frame_index=frame)))


def limits(options: ServerOptions) -> pb.Limits:
    """What the server accepts."""
    return pb.Limits(
        max_chunk_ms=1000 * requests.MAX_CHUNK_SECONDS,
        max_message_bytes=options.max_message_bytes,
        max_gap_ms=1000 * MAX_GAP_SECONDS,
        write_deadline_ms=round(1000 * options.write_deadline_s),
    )


def model_info(model: ModelInfo, options: ServerOptions) -> pb.GetModelInfoResponse:
    """What the served model is and offers."""
    served = {preset.name for preset in model.presets}
    presets = [
        pb.LatencyPresetInfo(
            latency_preset=pb.LatencyPreset.Name(number),
            algorithmic_latency_us=algorithmic_latency_us(StreamConfig(preset=name), model.encoder_delay),
        )
        for number, name in requests.PRESETS.items()
        if name in served
    ]
    return pb.GetModelInfoResponse(
        model_name=model.name,
        model_version=model.version,
        blendshape_names=BLENDSHAPES,
        frame_rates=FRAME_RATES,
        latency_presets=presets,
        identities=model.identities,
        denoise_steps=model.steps,
        limits=limits(options),
    )


def frames(run: Frames, fps: int) -> pb.AnimateResponse:
    """The next frames."""
    response = pb.AnimateResponse()
    add = response.frames.frames.add  # in place: a message that is handed to another one is copied
    for index, weights in enumerate(run.values.tolist(), run.first):
        add(index=index, time_us=frame_time_us(index, fps)).weights.extend(weights)
    return response


def identity_matched(output: IdentityMatched) -> pb.AnimateResponse:
    """The voice was matched."""
    matched = pb.IdentityMatched(identity=output.identity, confidence=output.confidence, frame_index=output.frame)
    return pb.AnimateResponse(event=pb.Event(identity_matched=matched))


def skipped(output: Skipped) -> pb.AnimateResponse:
    """Frames that will never be sent."""
    gap = pb.Gap(cause=_SKIPS[output.reason], first_frame=output.first, frame_count=output.count)
    return pb.AnimateResponse(event=pb.Event(gap=gap))


def audio_missing(gap: Span) -> pb.AnimateResponse:
    """A hole in the client's audio that was heard as silence."""
    missing = pb.Gap(cause=pb.GAP_CAUSE_AUDIO_MISSING, start_sample=gap.start, sample_count=gap.count)
    return pb.AnimateResponse(event=pb.Event(gap=missing))


def audio_overlap(overlap: Span) -> pb.AnimateResponse:
    """Audio that had been received before and was dropped."""
    message = (
        f"samples {overlap.start} to {overlap.start + overlap.count - 1} had been received before and were dropped"
    )
    return pb.AnimateResponse(event=pb.Event(warning=pb.StreamWarning(reason="AUDIO_OVERLAP", message=message)))


def draining(grace_s: float) -> pb.AnimateResponse:
    """The server is stopping."""
    return pb.AnimateResponse(event=pb.Event(draining=pb.Draining(grace_ms=round(1000 * grace_s))))

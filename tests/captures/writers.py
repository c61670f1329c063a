"""Small captures in the true formats: BEAT's JSON, VOCASET's arrays and pickles, Live Link Face's CSV."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES

BEAT_NAMES = sorted(set(BLENDSHAPES) - {"tongueOut"})
LIVE_LINK_HEADER = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)
SUBJECT = "FaceTalk_170728_03272_TA"


def tone(seconds: float, rate: int = 16000) -> NDArray[np.float32]:
    """A hum that rises and falls."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 150 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def curves(frames: int, names: int = 52, seed: int = 0, fps: int = 60) -> NDArray[np.float64]:
    """Smooth ``[frames, names]`` in 0..1."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames)[:, None] / fps
    return 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.3, 4, names) * t + rng.uniform(0, 6, names))


def write_beat(
    folder: Path,
    stem: str,
    weights: NDArray[np.float64],
    *,
    times: Sequence[float] | None = None,
    sound: NDArray[np.float32] | None = None,
) -> Path:
    """One take of BEAT; the sound is a hum of the face's length unless given."""
    path = folder / stem.split("_")[0] / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    stamps = [n / 60 for n in range(len(weights))] if times is None else times
    frames = [
        {"weights": row, "time": time, "rotation": []} for row, time in zip(weights.tolist(), stamps, strict=True)
    ]
    path.write_text(json.dumps({"names": BEAT_NAMES, "frames": frames}), "utf-8")
    samples = tone(len(weights) / 60) if sound is None else sound
    soundfile.write(path.with_suffix(".wav"), samples, 16000, subtype="FLOAT")
    return path


def timecode(index: float, rate: int = 60, start: int = 10 * 3600) -> str:
    """``HH:MM:SS:FF.mmm`` of a frame, counted from a time of day in seconds."""
    second, part = divmod(index, rate)
    total = (start + int(second)) % 86400
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}:{part:06.3f}"


def write_live_link(path: Path, frames: NDArray[np.float64], codes: Sequence[str], *, end: str = "\r\n") -> Path:
    """A CSV as the app writes it, from ``[n, 52]`` in the contract's order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = LIVE_LINK_HEADER.split(",")[2:]
    lines = [LIVE_LINK_HEADER]
    for code, row in zip(codes, frames, strict=True):
        values = {name[0].upper() + name[1:]: value for name, value in zip(BLENDSHAPES, row, strict=True)}
        lines.append(",".join([code, "61", *(f"{values.get(name, -0.123):.10f}" for name in names)]))
    path.write_text("".join(line + end for line in lines), encoding="utf-8", newline="")
    return path


def write_basis(path: Path, vertices: int = 300, names: Sequence[str] = BLENDSHAPES, seed: int = 5) -> Path:
    """Blendshapes that each move a patch of a cloud of points."""
    rng = np.random.default_rng(seed)
    neutral = rng.normal(0, 0.08, (vertices, 3))
    deltas = np.zeros((len(names), vertices, 3))
    for k in range(len(names)):
        patch = rng.choice(vertices, 40, replace=False)
        deltas[k, patch] = rng.normal(0, 0.01, (40, 3))
    np.savez(path, names=np.array(names), neutral=neutral, deltas=deltas)
    return path


def write_vocaset(
    folder: Path, basis: Path, sequences: dict[str, NDArray[np.float64]], *, protocol: int = 2, skip: int | None = None
) -> None:
    """One subject of VOCASET saying ``sequences`` (weights ``[F, K]`` at 60 a second); ``skip`` drops a frame."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(basis) as arrays:
        neutral, deltas = arrays["neutral"], arrays["deltas"]
    template = neutral * 1.05 + 0.001
    rows: dict[str, dict[int, int]] = {}
    meshes: list[NDArray[np.float64]] = []
    audio: dict[str, dict[str, object]] = {}
    for name, weights in sequences.items():
        kept = [frame for frame in range(len(weights)) if frame != skip]
        rows[name] = {frame: len(meshes) + i for i, frame in enumerate(kept)}
        meshes.extend(template + np.tensordot(weights[frame], deltas, 1) for frame in kept)
        samples = (tone(len(weights) / 60, 22000) * 32767).astype(np.int16)
        audio[name] = {"audio": samples, "sample_rate": 22000}
    np.save(folder / "data_verts.npy", np.array(meshes, np.float32))
    for file, content in (
        ("subj_seq_to_idx.pkl", {SUBJECT: rows}),
        ("raw_audio_fixed.pkl", {SUBJECT: audio}),
        ("templates.pkl", {SUBJECT: template}),
    ):
        (folder / file).write_bytes(pickle.dumps(content, protocol=protocol))

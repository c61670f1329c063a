"""Adds a row to a bundle's identity library; every other number of the model stays as it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from diffusiontalker.bundle import FILES, METADATA, WEIGHTS, Bundle, file_hash
from diffusiontalker.draft import Draft
from diffusiontalker.enrollment.voice import EnrollmentError
from diffusiontalker.export.bundle_writer import let_everybody_read, point_into

NEAREST: Final = 5
"""Speakers of the library whose styles make the style of one known by voice only."""
_TEMPERATURE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Speaker:
    """A new row.

    Attributes:
        name: unique in the library.
        feature: ``[D]`` unit, what voices are compared with.
        embedding: ``[E]`` what the denoiser is conditioned on.
        like: ``(name, share)`` of the speakers its style was blended of; empty where it was learned from a face.
    """

    name: str
    feature: NDArray[np.float32]
    embedding: NDArray[np.float32]
    like: tuple[tuple[str, float], ...] = ()


def speaker_by_voice(bundle: Bundle, name: str, pooled: NDArray[np.float64]) -> Speaker:
    """A speaker whose face nobody has seen: the style is a blend of those who sound most alike."""
    known = bundle.identities
    feature = known.voice_space.voiceprint(pooled)
    cosines = known.features @ feature
    nearest = np.argsort(cosines)[::-1][:NEAREST]
    shares = np.exp((cosines[nearest] - cosines[nearest[0]]) / _TEMPERATURE)
    shares /= shares.sum()
    embedding = (shares @ known.embeddings[nearest]).astype(np.float32)
    like = tuple((known.names[i], round(float(share), 3)) for i, share in zip(nearest, shares, strict=True))
    return Speaker(name, feature, embedding, like)


def enrolled(bundle: Bundle, speaker: Speaker, out: Path, *, replace: bool = False) -> None:
    """Write a copy of a bundle whose library has one more speaker.

    Args:
        bundle: to grow.
        speaker: the new row.
        out: folder to write; may be the bundle's own.
        replace: whether a speaker of that name may be replaced.

    Raises:
        EnrollmentError: the name is taken, or is not one line of printable text.
        OccupiedError: ``out`` is there and is no bundle.
    """
    names = list(bundle.identities.names)
    if not speaker.name.strip() or not speaker.name.isprintable():
        raise EnrollmentError(f"{speaker.name!r} is no name for a speaker; give one line of printable text")
    if speaker.name in names and not replace:
        raise EnrollmentError(f"the library has a speaker {speaker.name!r}; give another name, or --replace")
    with safe_open(bundle.folder / WEIGHTS, framework="numpy") as file:
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
        header = file.metadata()
    rows = {"identity.embeddings.weight": speaker.embedding, "identity.features": speaker.feature}
    at = names.index(speaker.name) if speaker.name in names else len(names)
    for key, row in rows.items():
        kept = weights[key]
        weights[key] = np.concatenate([kept[:at], row[None].astype(kept.dtype), kept[at + 1 :]])
    names[at : at + 1] = [speaker.name]
    with Draft(out, METADATA) as draft:
        folder = draft.folder
        shutil.copytree(bundle.folder, folder, dirs_exist_ok=True)
        save_file(weights, folder / WEIGHTS, metadata=header)
        let_everybody_read(folder / WEIGHTS)
        for path in folder.glob("*.onnx"):
            graph = onnx.load(path, load_external_data=False)
            point_into(graph, folder / WEIGHTS)
            onnx.save(graph, path)
        metadata = json.loads((folder / METADATA).read_text("utf-8"))
        metadata["identities"] = names
        metadata["sha256"] = {file: file_hash(folder / file) for file in FILES[bundle.encoder_kind]}
        (folder / METADATA).write_text(json.dumps(metadata, indent=1) + "\n", "utf-8")

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

CARD: Final = "MODEL_CARD.md"
"""Beside a model: what it is, for people."""
NEAREST: Final = 5
"""Speakers of the library whose styles make the style of one known by voice only."""
_TEMPERATURE: Final = 0.1
_AUTO: Final = "auto"
"""What a client says for "whoever it sounds like"."""
_RESERVED: Final = "=,"
"""A blend is written ``NAME=WEIGHT,NAME=WEIGHT``."""


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


def require_place(bundle: Bundle, name: str, out: Path, *, replace: bool = False) -> None:
    """Refuse, before anything is learned, what ``enrolled`` would refuse of a name and a folder.

    Args:
        bundle: to grow.
        name: of the new speaker.
        out: folder to write; may be the bundle's own.
        replace: whether a speaker of that name may be replaced.

    Raises:
        EnrollmentError: the name is none that a client could ask for, or is taken; or ``out`` is a bundle with speakers
            who would be lost.
    """
    if not name.strip() or not name.isprintable():
        raise EnrollmentError(f"{name!r} is no name for a speaker; give one line of printable text")
    if name == _AUTO or name != name.strip() or any(mark in name for mark in _RESERVED):
        raise EnrollmentError(
            f"nobody could ask for a speaker {name!r}: {_AUTO!r}, '=', ',' and spaces at an end mean something else "
            "in --identity; give another name"
        )
    there = _identities_in(out)
    if not replace and name in (*bundle.identities.names, *there):
        where = bundle.folder if name in bundle.identities.names else out
        raise EnrollmentError(f"the library of {where} has a speaker {name!r}; give another name, or --replace")
    lost = sorted(set(there) - {*bundle.identities.names, name})
    if lost:
        shown = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise EnrollmentError(
            f"{out} would lose {shown}, whom {bundle.folder} lacks: add --bundle {out} to let it grow, "
            "or give another --out"
        )


def _identities_in(out: Path) -> tuple[str, ...]:
    """The speakers of the bundle at ``out``, none where there is no bundle."""
    if not (out / METADATA).is_file():
        return ()
    try:
        return tuple(json.loads((out / METADATA).read_text("utf-8"))["identities"])
    except (ValueError, KeyError, TypeError) as error:
        raise EnrollmentError(f"{out / METADATA} cannot be read ({error}): give another --out") from error


def enrolled(bundle: Bundle, speaker: Speaker, out: Path, *, replace: bool = False) -> None:
    """Write a copy of a bundle whose library has one more speaker, and whose name says so.

    Args:
        bundle: to grow.
        speaker: the new row.
        out: folder to write; may be the bundle's own.
        replace: whether a speaker of that name may be replaced.

    Raises:
        EnrollmentError: see ``require_place``.
        OccupiedError: ``out`` is there and is no bundle.
    """
    require_place(bundle, speaker.name, out, replace=replace)
    names = list(bundle.identities.names)
    title = bundle.name if speaker.name in bundle.name.split("+")[1:] else f"{bundle.name}+{speaker.name}"
    with safe_open(bundle.folder / WEIGHTS, framework="numpy") as file:
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
        header = {**(file.metadata() or {}), "name": title}
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
        metadata["name"] = title
        metadata["identities"] = names
        metadata["sha256"] = {file: file_hash(folder / file) for file in FILES[bundle.encoder_kind]}
        (folder / METADATA).write_text(json.dumps(metadata, indent=1) + "\n", "utf-8")
        (folder / CARD).write_text(_card(bundle, speaker, title), "utf-8")


def _card(bundle: Bundle, speaker: Speaker, title: str) -> str:
    """What a grown bundle is, in place of the card of the model it was made of."""
    taught = "by voice, with the style of those who sound alike" if speaker.like else "by voice and captured face"
    return (
        f"# {title} {bundle.version}\n\n"
        f"{bundle.name} {bundle.version} with one more identity, {speaker.name}, enrolled {taught}.\n"
        f"All else is that model; see its card.\n"
    )

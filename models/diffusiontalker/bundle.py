"""The model bundle: one folder that a server loads, with a version, hashes and each weight once.

``model.safetensors`` holds all weights; the ONNX graphs' initializers point into it (ONNX external data), so the
checkpoint that trains and the graphs that serve cannot disagree. ``int8.safetensors`` holds those weights that the
graphs in 8-bit integers multiply by, rounded, and so do kernels without graphs. ``model.json`` says what it is.
Torch-free.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from diffusiontalker.arkit import BLENDSHAPES
from diffusiontalker.errors import MendableError
from diffusiontalker.geometry import FEATURE_STRIDE
from diffusiontalker.voice_space import Mixture, VoiceSpace

FORMAT: Final = "livetalker-model"
FORMAT_VERSION: Final = 7
WEIGHTS: Final = "model.safetensors"
INT8_WEIGHTS: Final = "int8.safetensors"
ENCODER: Final = "encoder.onnx"
VOICE: Final = "voice.onnx"
FRAME: Final = "denoiser_frame.onnx"
RUN: Final = "denoiser_run.onnx"
ENCODER_INT8: Final = {2: "encoder_2.int8.onnx", 1: "encoder_1.int8.onnx"}
"""By the features a call takes: those of a frame at 30 fps, of which three have five."""
FRAME_INT8: Final = "denoiser_frame.int8.onnx"
METADATA: Final = "model.json"
FILES: Final = {
    "streaming": (WEIGHTS, INT8_WEIGHTS, ENCODER, VOICE, FRAME, RUN, *ENCODER_INT8.values(), FRAME_INT8),
    "rolling": (WEIGHTS, ENCODER, FRAME, RUN),
}
"""Kind of encoder -> the files of its bundle, beside the metadata."""
ENCODER_SIZES: Final = {
    "streaming": ("width", "context", "layers", "heads", "positional_kernel"),
    "rolling": ("width", "window", "hop", "right"),
}
"""Kind of encoder -> what whoever serves it must find in its configuration; a bundle that names none is streaming."""
DENOISER_SIZES: Final = ("coefficients", "layers", "hidden")
"""Likewise of the denoiser."""


class BundleError(MendableError, ValueError):
    """A model bundle that cannot be used, and what to do about it."""


@dataclass(frozen=True)
class Identities:
    """The identity library as serving needs it (``N`` speakers).

    Attributes:
        names: ``N`` speaker names.
        embeddings: ``[N, E]`` what the denoiser is conditioned on.
        features: ``[N, D]`` unit rows, what voices are compared with.
        voice_space: where they are compared.
        neutral: ``[E]`` nobody in particular: the mean of the speakers the model was trained on.
    """

    names: tuple[str, ...]
    embeddings: NDArray[np.float32]
    features: NDArray[np.float32]
    voice_space: VoiceSpace
    neutral: NDArray[np.float32]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle.

    Attributes:
        folder: where it lies.
        name: of the model.
        version: of the model.
        steps: denoise steps of the exported sampler.
        encoder: the encoder's configuration, as plain JSON types.
        denoiser: the denoiser's, likewise.
        identities: the library.
        encoder_kind: ``streaming`` (each feature once, with state) or ``rolling`` (a window for every few features).
        digest: of everything in it, 64 hexadecimal digits.
    """

    folder: Path
    name: str
    version: str
    steps: int
    encoder: Mapping[str, Any]
    denoiser: Mapping[str, Any]
    identities: Identities
    encoder_kind: str
    digest: str

    @property
    def encoder_delay(self) -> int:
        """Samples at 16 kHz a feature may wait beyond its own window: it adds to every preset's look-ahead."""
        if self.encoder_kind == "streaming":
            return 0
        return FEATURE_STRIDE * (int(self.encoder["hop"]) - 1 + int(self.encoder["right"]))

    def graph(self, name: str) -> Path:
        """Path of one of its ONNX graphs, such as ``ENCODER``."""
        return self.folder / name


def shipped_bundle() -> Path:
    """Folder of the bundle that is installed with the package."""
    return Path(__file__).parent / "pretrained"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_bundle(folder: Path | None = None) -> Bundle:
    """Read and check a bundle (``None``: the shipped one).

    Raises:
        BundleError: it is missing, of another format or version, or a file does not match its hash.
    """
    folder = shipped_bundle() if folder is None else folder
    try:
        metadata = json.loads((folder / METADATA).read_text("utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{folder} is no model bundle: {METADATA} is missing") from None
    except OSError as error:
        raise BundleError(f"{folder} is no model bundle: {METADATA} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise BundleError(f"{folder / METADATA} is not readable as JSON ({error}); export the model again") from None
    if not isinstance(metadata, dict):
        raise BundleError(f"{folder / METADATA} does not describe a model; export the model again")
    if metadata.get("format") != FORMAT or metadata.get("format_version") != FORMAT_VERSION:
        raise BundleError(
            f"{folder} is of format {metadata.get('format')!r} version {metadata.get('format_version')!r}; "
            f"this program reads {FORMAT!r} version {FORMAT_VERSION}: export the model with this release"
        )
    if metadata.get("blendshapes") != list(BLENDSHAPES):
        raise BundleError(f"{folder} was made for other blendshapes; export the model with this release")
    try:
        return _described(folder, metadata)
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{folder / METADATA} is incomplete ({error}); export the model again") from error


def _described(folder: Path, metadata: Mapping[str, Any]) -> Bundle:
    """The bundle that metadata describe; KeyError, TypeError or AttributeError where they do not."""
    kind = metadata.get("encoder_kind", "streaming")
    if kind not in ENCODER_SIZES:
        raise BundleError(f"{folder} has an encoder of the kind {kind!r}, which this release does not know: update it")
    for part, sizes in (("encoder", ENCODER_SIZES[kind]), ("denoiser", DENOISER_SIZES)):
        for size in sizes:
            int(metadata[part][size])
    int(metadata["denoiser"].get("noise_period", 1))
    for name in FILES[kind]:
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{path} is missing; copy the whole bundle or export it again")
        if file_hash(path) != metadata["sha256"].get(name):
            raise BundleError(f"{path} is damaged or was changed (its SHA-256 differs); copy or export it again")
    with safe_open(folder / WEIGHTS, framework="numpy") as weights:
        identities = Identities(
            names=tuple(metadata["identities"]),
            embeddings=weights.get_tensor("identity.embeddings.weight"),
            features=weights.get_tensor("identity.features"),
            voice_space=VoiceSpace(
                weights.get_tensor("identity.voice_mean"),
                Mixture(
                    weights.get_tensor("encoder.voice_head.means"),
                    np.sqrt(weights.get_tensor("encoder.voice_head.variances")),
                )
                if kind == "streaming"
                else None,
            ),
            neutral=weights.get_tensor("identity.neutral"),
        )
    return Bundle(
        folder=folder,
        name=metadata["name"],
        version=metadata["version"],
        steps=metadata["steps"],
        encoder=metadata["encoder"],
        denoiser=metadata["denoiser"],
        identities=identities,
        encoder_kind=kind,
        digest=hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest(),
    )

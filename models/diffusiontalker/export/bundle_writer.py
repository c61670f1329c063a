"""Writes a model bundle: weights, and graphs whose initializers point into them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import torch
from onnx import TensorProto, numpy_helper
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor

from diffusiontalker.arkit import BLENDSHAPES
from diffusiontalker.bundle import (
    ENCODER,
    ENCODER_INT8,
    FILES,
    FORMAT,
    FORMAT_VERSION,
    FRAME,
    FRAME_INT8,
    INT8_WEIGHTS,
    METADATA,
    RUN,
    VOICE,
    WEIGHTS,
    file_hash,
)
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.draft import Draft, let_everybody_read
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.export.denoiser_graphs import DenoiserGraphs
from diffusiontalker.export.int8_frame import Int8Frame
from diffusiontalker.export.numerics import ROUNDED
from diffusiontalker.export.streaming_graph import StreamingGraph
from diffusiontalker.export.voice_graph import VoiceGraph

if TYPE_CHECKING:
    from diffusiontalker.encoder.rolling_hubert import RollingHubert


def _prefixed(prefix: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor.detach().cpu().contiguous() for name, tensor in weights.items()}


def _offsets(path: Path) -> dict[str, tuple[int, int]]:
    """Name -> (offset in the file, bytes) of every tensor of a safetensors file."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    return {
        name: (8 + size + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def point_into(graph: onnx.ModelProto, path: Path) -> None:
    """Replace the data of every initializer that a safetensors file holds by its place there."""
    offsets = _offsets(path)
    for initializer in graph.graph.initializer:
        if initializer.name in offsets:
            offset, length = offsets[initializer.name]
            for field in ("raw_data", "float_data", "int64_data"):
                initializer.ClearField(field)
            del initializer.external_data[:]
            initializer.data_location = TensorProto.EXTERNAL
            for key, value in (("location", path.name), ("offset", str(offset)), ("length", str(length))):
                initializer.external_data.add(key=key, value=value)


@torch.no_grad()
def write_bundle(
    folder: Path,
    *,
    name: str,
    version: str,
    encoder: StreamingHubert | RollingHubert,
    phone_head: PhoneHead | SpeechHead,
    denoiser: Denoiser,
    schedule: Schedule,
    identities: IdentityLibrary,
) -> None:
    """Write weights, graphs and metadata of a trained model to ``folder``, whole or not at all.

    Args:
        folder: to write; a bundle that is there is replaced with all that lies in it, its model card too.
        name: of the model.
        version: of the model.
        encoder: compact, or a public HuBERT; its kind decides the bundle's.
        phone_head: the speech detector on its features: the compact encoder's own, or a ``SpeechHead``.
        denoiser: the talker decoder.
        schedule: its steps.
        identities: the library; its listed speakers are written.

    Raises:
        OccupiedError: ``folder`` is there and is no bundle.
    """
    if isinstance(encoder, StreamingHubert):
        assert isinstance(phone_head, PhoneHead)
        kind, head, shape = "streaming", "phone_head", encoder.config.to_dict()
        graphs = {
            ENCODER: StreamingGraph(encoder, phone_head).write(),
            VOICE: VoiceGraph(encoder).write(),
            **{file: StreamingGraph(encoder, phone_head, hop).write() for hop, file in ENCODER_INT8.items()},
            FRAME_INT8: Int8Frame(denoiser, schedule).write(),
        }
    else:
        assert isinstance(phone_head, SpeechHead)
        # transformers takes seconds to import that the compact encoder's bundle need not spend.
        from diffusiontalker.export.rolling_graph import rolling_graph
        from diffusiontalker.export.rolling_shape import rolling_shape

        kind, head, shape = "rolling", "speech_head", rolling_shape(encoder)
        graphs = {ENCODER: rolling_graph(encoder, phone_head)}
    decoder = DenoiserGraphs(denoiser, schedule)
    graphs |= {FRAME: decoder.frame(), RUN: decoder.run()}
    weights = {
        **_prefixed("encoder", encoder.state_dict()),
        **_prefixed(head, phone_head.state_dict()),
        **_prefixed("denoiser", denoiser.state_dict()),
        "identity.embeddings.weight": identities.embeddings.weight.detach()[identities.listed],
        "identity.features": identities.voiceprints[identities.listed],
        "identity.voice_mean": identities.voice_mean.clone(),
        "identity.neutral": identities.neutral().detach().clone(),
    }
    metadata = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": name,
        "version": version,
        "steps": len(schedule),
        "blendshapes": list(BLENDSHAPES),
        "encoder_kind": kind,
        "encoder": shape,
        "denoiser": denoiser.config.to_dict(),
        "identities": [name for name, listed in zip(identities.names, identities.listed, strict=True) if listed],
    }
    with Draft(folder, METADATA) as draft:
        _store(draft.folder, weights, graphs, metadata)


def _store(
    folder: Path, weights: Mapping[str, Tensor], graphs: Mapping[str, onnx.ModelProto], metadata: dict[str, Any]
) -> None:
    """Write the files of a bundle, the weights once, and the metadata with their digests last."""
    about = {key: metadata[key] for key in ("format", "name", "version")}
    save_file(dict(weights), folder / WEIGHTS, metadata=about)
    stored = [WEIGHTS]
    rounded = {
        initializer.name: numpy_helper.to_array(initializer)
        for graph in graphs.values()
        for initializer in graph.graph.initializer
        if initializer.name.endswith(ROUNDED)
    }
    if rounded:
        save_arrays(rounded, folder / INT8_WEIGHTS, metadata=about)
        stored.append(INT8_WEIGHTS)
    for holder in stored:
        let_everybody_read(folder / holder)
    for file, graph in graphs.items():
        for holder in stored:
            point_into(graph, folder / holder)
        onnx.save(graph, folder / file)
    digests = {file: file_hash(folder / file) for file in FILES[metadata["encoder_kind"]]}
    (folder / METADATA).write_text(json.dumps({**metadata, "sha256": digests}, indent=1) + "\n", "utf-8")

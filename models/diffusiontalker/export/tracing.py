"""Traces a module into an ONNX graph that any runtime can take: plain splits, parameters under their own names."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from diffusiontalker.export.graph import OPSET
from diffusiontalker.export.plain_split import split_plainly


def traced(
    served: nn.Module,
    example: tuple[Tensor, ...],
    dynamic_shapes: tuple[dict[int, Any], ...],
    inputs: list[str],
    outputs: list[str],
) -> onnx.ModelProto:
    """A module as a graph whose initializers have its parameters' names.

    Args:
        served: in evaluation mode.
        example: inputs.
        dynamic_shapes: of each input, as ``torch.onnx.export`` takes them.
        inputs: names.
        outputs: names.
    """
    # The exporter warns of operators of libraries that are not installed.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            served,
            example,
            dynamo=True,
            optimize=False,
            verbose=False,
            opset_version=OPSET,
            dynamic_shapes=dynamic_shapes,
            input_names=inputs,
            output_names=outputs,
        )
    assert program is not None
    proto: onnx.ModelProto = program.model_proto
    _strip_traces(proto)
    split_plainly(proto)
    return proto


def _strip_traces(proto: onnx.ModelProto) -> None:
    """Drop the exporter's notes on source files: ten times the graph's size, and paths of whoever exported."""
    for holder in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.initializer):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    proto.graph.ClearField("value_info")

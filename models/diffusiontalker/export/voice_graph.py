"""The voice head's served graph: ``samples [B, 320 h + 80]`` to ``voice [B, h, V]``; no state.

It is a graph of its own because it is asked only until a stream's identity is settled, a few seconds of hours.
"""

from __future__ import annotations

import onnx
from onnx import TensorProto

from diffusiontalker.encoder.filterbank import LOG_MEAN, LOG_SCALE
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.encoder.voice_head import AUDIBLE_MEAN, AUDIBLE_SCALE, LAYERS, POWER_FLOOR, TINY_POWER
from diffusiontalker.export.graph import Graph
from diffusiontalker.export.spectra import Call, Parameters, log_mel, windows


def voice_graph(encoder: StreamingHubert) -> onnx.ModelProto:
    """Write the graph of an encoder's voice head; see ``VoiceHead``, whose every step it is."""
    g = Graph("voice")
    p = Parameters(g, {"encoder": encoder})
    c = encoder.config
    head = "encoder.voice_head"
    call = Call.of(g, "samples")
    heard = windows(g, "samples", call)
    long = log_mel(g, p, heard, "encoder.front_end.long")

    # The spectrum with a floor.
    power = g.op("Exp", g.op("Add", g.op("Mul", long, g.floats(LOG_SCALE)), g.floats(LOG_MEAN)))
    audible = g.op("Log", g.op("Add", power, g.floats(POWER_FLOOR)))
    audible = g.op("Div", g.op("Sub", audible, g.floats(AUDIBLE_MEAN)), g.floats(AUDIBLE_SCALE))

    # How periodic it is at each lag.
    partials = g.op("MatMul", heard, p(f"{head}.partials"))
    real, imaginary = g.ops("Split", partials, outputs=2, axis=-1, num_outputs=2)
    power = g.op("Add", g.op("Mul", real, real), g.op("Mul", imaginary, imaginary))
    total = g.op("ReduceSum", power, g.ints([-1]), keepdims=1)
    periodicity = g.op("Div", g.op("MatMul", power, p(f"{head}.periods")), g.op("Add", total, g.floats(TINY_POWER)))

    # The network.
    x = g.joined(audible, periodicity, axis=2)
    for i in range(LAYERS):
        x = g.op("Relu", g.op("Add", g.op("MatMul", x, p(f"{head}.weight_{i}")), p(f"{head}.bias_{i}")))
    network = g.op("Add", g.op("MatMul", x, p(f"{head}.network_projection")), p(f"{head}.network_offset"))

    # Cepstra, and which Gaussian each is of.
    cepstra = g.op("MatMul", audible, p(f"{head}.cepstrum"))
    cepstra = g.op("Div", g.op("Sub", cepstra, p(f"{head}.cepstra_mean")), p(f"{head}.cepstra_scale"))
    means, variances = p(f"{head}.means"), p(f"{head}.variances")
    precision = g.op("Reciprocal", variances)
    square = g.op("MatMul", g.op("Mul", cepstra, cepstra), g.op("Transpose", precision, perm=[1, 0]))
    weighted = g.op("Mul", means, precision)
    cross = g.op("MatMul", cepstra, g.op("Transpose", weighted, perm=[1, 0]))
    distance = g.op("Sub", square, g.op("Mul", cross, g.floats(2.0)))
    constant = g.op("Add", g.op("Mul", means, weighted), g.op("Log", variances))
    constant = g.op("ReduceSum", constant, g.ints([1]), keepdims=0)
    distance = g.op("Mul", g.op("Add", distance, constant), g.floats(0.5))
    responsible = g.op("Softmax", g.op("Sub", g.op("Log", p(f"{head}.shares")), distance), axis=-1)
    ones = g.op("Expand", g.floats([[[1.0]]]), g.joined(*call, g.ints([1])))
    extended = g.joined(cepstra, ones, axis=2)
    statistics = g.op("Mul", g.op("Unsqueeze", responsible, g.ints([3])), g.op("Unsqueeze", extended, g.ints([2])))
    statistics = g.op("Reshape", statistics, g.joined(*call, g.ints([c.voice_mixtures * (c.voice_cepstra + 1)])))

    voice = g.joined(network, statistics, axis=2)
    return g.model(
        [("samples", TensorProto.FLOAT, ["streams", "samples"])],
        {"voice": (voice, TensorProto.FLOAT, ["streams", "hop", encoder.voice_width])},
    )

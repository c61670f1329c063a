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
from diffusiontalker.export.spectra import Call, Parameters, log_mel, power, windows


class VoiceGraph:
    """Writes the graph of an encoder's voice head, method by method that of ``VoiceHead``.

    Args:
        encoder: in evaluation mode.
    """

    def __init__(self, encoder: StreamingHubert) -> None:
        self._graph, self._config, self._width = Graph("voice"), encoder.config, encoder.voice_width
        self._weight = Parameters(self._graph, {"encoder": encoder})

    def write(self) -> onnx.ModelProto:
        """The graph."""
        g = self._graph
        call = Call.of(g, "samples")
        heard = windows(g, "samples", call)
        audible = self._audible(log_mel(g, self._weight, heard, "encoder.front_end.long"))
        network = self._network(g.joined(audible, self._periodicity(heard), axis=2))
        statistics = self._statistics(self._cepstra(audible), call)
        voice = g.joined(network, statistics, axis=2)
        return g.model(
            [("samples", TensorProto.FLOAT, ["streams", "samples"])],
            {"voice": (voice, TensorProto.FLOAT, ["streams", "hop", self._width])},
        )

    def _own(self, name: str) -> str:
        """A parameter of the head."""
        return self._weight(f"encoder.voice_head.{name}")

    def _audible(self, spectra: str) -> str:
        g = self._graph
        spectrum = g.op("Exp", g.op("Add", g.op("Mul", spectra, g.floats(LOG_SCALE)), g.floats(LOG_MEAN)))
        audible = g.op("Log", g.op("Add", spectrum, g.floats(POWER_FLOOR)))
        return g.op("Div", g.op("Sub", audible, g.floats(AUDIBLE_MEAN)), g.floats(AUDIBLE_SCALE))

    def _periodicity(self, heard: str) -> str:
        g = self._graph
        partials = power(g, heard, self._own("partials"))
        total = g.op("ReduceSum", partials, g.ints([-1]), keepdims=1)
        periods = g.op("MatMul", partials, self._own("periods"))
        return g.op("Div", periods, g.op("Add", total, g.floats(TINY_POWER)))

    def _network(self, heard: str) -> str:
        g, x = self._graph, heard
        for i in range(LAYERS):
            x = g.op("Relu", g.op("Add", g.op("MatMul", x, self._own(f"weight_{i}")), self._own(f"bias_{i}")))
        return g.op("Add", g.op("MatMul", x, self._own("network_projection")), self._own("network_offset"))

    def _cepstra(self, audible: str) -> str:
        g = self._graph
        cepstra = g.op("MatMul", audible, self._own("cepstrum"))
        return g.op("Div", g.op("Sub", cepstra, self._own("cepstra_mean")), self._own("cepstra_scale"))

    def _responsibilities(self, cepstra: str) -> str:
        g, means, variances = self._graph, self._own("means"), self._own("variances")
        precision = g.op("Reciprocal", variances)
        square = g.op("MatMul", g.op("Mul", cepstra, cepstra), g.op("Transpose", precision, perm=[1, 0]))
        weighted = g.op("Mul", means, precision)
        cross = g.op("MatMul", cepstra, g.op("Transpose", weighted, perm=[1, 0]))
        distance = g.op("Sub", square, g.op("Mul", cross, g.floats(2.0)))
        constant = g.op("Add", g.op("Mul", means, weighted), g.op("Log", variances))
        constant = g.op("ReduceSum", constant, g.ints([1]), keepdims=0)
        distance = g.op("Mul", g.op("Add", distance, constant), g.floats(0.5))
        return g.op("Softmax", g.op("Sub", g.op("Log", self._own("shares")), distance), axis=-1)

    def _statistics(self, cepstra: str, call: Call) -> str:
        g, c = self._graph, self._config
        responsible = self._responsibilities(cepstra)
        ones = g.op("Expand", g.floats([[[1.0]]]), g.joined(*call, g.ints([1])))
        extended = g.joined(cepstra, ones, axis=2)
        statistics = g.op("Mul", g.op("Unsqueeze", responsible, g.ints([3])), g.op("Unsqueeze", extended, g.ints([2])))
        return g.op("Reshape", statistics, g.joined(*call, g.ints([c.voice_mixtures * (c.voice_cepstra + 1)])))

"""StreamingHubert: the HuBERT architecture made exactly streamable.

HuBERT (Hsu et al. 2021) with the changes a stream needs: a front end of log-mel spectra, which sees nothing but the
feature's own window, a causal positional convolution, and attention over a fixed number of past features. A feature
depends on its own past only, so nothing is ever recomputed: a stream carries the last 80 samples, the positional
convolution's past inputs and one ring of keys and values per layer. Look-ahead is a matter of the decoder, which waits
for later features (delayed-streams modelling) instead of asking this encoder to peek.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.filterbank import FilterbankFrontEnd
from diffusiontalker.encoder.voice_head import VoiceHead


class EncoderState(NamedTuple):
    """What a batch of streams carries between calls.

    Attributes:
        positional: ``[B, positional_kernel - 1, width]`` past inputs of the positional convolution.
        ring: ``[B, layers, 2, context, width]`` keys and values; feature ``k`` lies at slot ``k % context``.
        position: ``[B]`` int64, features seen since the stream (or its last restart) began.
    """

    positional: Tensor
    ring: Tensor
    position: Tensor


class Masked(NamedTuple):
    """Features hidden in training.

    Attributes:
        where: ``[B, T]`` bool.
        embedding: ``[width]`` what stands in their place.
    """

    where: Tensor
    embedding: Tensor


class EncoderOutput(NamedTuple):
    """Result of one call on ``h`` new features.

    Attributes:
        features: ``[B, h, width]`` what the decoder hears.
        positional: ``[B, positional_kernel - 1, width]`` next call's positional state.
        keys_values: ``[B, layers, 2, h, width]`` the new entries for the ring.
    """

    features: Tensor
    positional: Tensor
    keys_values: Tensor


class Layer(nn.Module):
    """A pre-norm transformer layer whose keys and values outlive the call."""

    def __init__(self, config: StreamingHubertConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(config.width)
        self.query_key_value = nn.Linear(config.width, 3 * config.width)
        self.attention_out = nn.Linear(config.width, config.width)
        self.feed_forward_norm = nn.LayerNorm(config.width)
        self.feed_forward_in = nn.Linear(config.width, config.feed_forward)
        self.feed_forward_out = nn.Linear(config.feed_forward, config.width)
        self.dropout = config.dropout

    def _split(self, x: Tensor) -> Tensor:
        split: Tensor = x.unflatten(-1, (self.heads, -1))  # type: ignore[no-untyped-call]
        return split.transpose(1, 2)

    def forward(self, x: Tensor, past: Tensor | None, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One layer over new features.

        Args:
            x: ``[B, h, width]``.
            past: ``[B, 2, context, width]`` earlier keys and values, or None at the start of a whole clip.
            mask: additive, broadcastable to ``[B, heads, h, context + h]``.

        Returns:
            ``[B, h, width]`` and the new keys and values ``[B, 2, h, width]``.
        """
        query, key, value = self.query_key_value(self.attention_norm(x)).chunk(3, dim=-1)
        fresh = torch.stack([key, value], dim=1)
        if past is not None:
            key = torch.cat([past[:, 0], key], dim=1)
            value = torch.cat([past[:, 1], value], dim=1)
        attended = F.scaled_dot_product_attention(
            self._split(query), self._split(key), self._split(value), attn_mask=mask
        )
        x = x + F.dropout(self.attention_out(attended.transpose(1, 2).flatten(2)), self.dropout, self.training)
        inner = F.gelu(self.feed_forward_in(self.feed_forward_norm(x)))
        x = x + F.dropout(self.feed_forward_out(inner), self.dropout, self.training)
        return x, fresh


class StreamingHubert(nn.Module):
    """Causal HuBERT with explicit state."""

    def __init__(self, config: StreamingHubertConfig) -> None:
        super().__init__()
        self.config = config
        self.front_end = FilterbankFrontEnd(config.long_bands, config.short_bands, config.width)
        self.positional = nn.Conv1d(
            config.width, config.width, config.positional_kernel, groups=config.positional_groups
        )
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.width)
        self.voice_head = VoiceHead(
            config.long_bands, config.voice_hidden, config.voice_mixtures, config.voice_cepstra, config.voice_network
        )

    @property
    def width(self) -> int:
        """Width of a feature."""
        return self.config.width

    @property
    def voice_width(self) -> int:
        """Width of a voice feature."""
        return self.voice_head.width

    def describe(self, pooled: Tensor) -> Tensor:
        """What is compared of pooled voices; see ``VoiceHead.describe``."""
        return self.voice_head.describe(pooled)

    def initial_state(self, batch: int) -> EncoderState:
        """State of ``batch`` streams that have heard nothing."""
        c = self.config
        like = self.front_end.projection.weight
        return EncoderState(
            like.new_zeros(batch, c.positional_kernel - 1, c.width),
            like.new_zeros(batch, c.layers, 2, c.context, c.width),
            torch.zeros(batch, dtype=torch.int64, device=like.device),
        )

    def _embed(self, samples: Tensor, past: Tensor, masked: Masked | None = None) -> tuple[Tensor, Tensor]:
        x = self.front_end(samples)
        if masked is not None:
            x = torch.where(masked.where[..., None], masked.embedding.to(x.dtype), x)
        extended = torch.cat([past, x], dim=1)
        position = F.gelu(self.positional(extended.transpose(1, 2)).transpose(1, 2))
        return x + position, extended[:, -past.shape[1] :]

    def voice(self, samples: Tensor) -> Tensor:
        """Voice features ``[B, h, voice_width]`` of ``[B, 320 h + 80]`` samples; fitted apart, so no gradient."""
        with torch.no_grad(), torch.autocast(samples.device.type, enabled=False):
            samples = samples.float()
            voice: Tensor = self.voice_head(samples, self.front_end.spectra(samples)[..., : self.config.long_bands])
        return voice

    def layer_outputs(self, samples: Tensor, masked: Masked | None = None) -> list[Tensor]:
        """What enters the first layer and what leaves each, ``layers + 1`` times ``[B, T, width]``, of a whole clip.

        Args:
            samples: ``[B, 320 T + 80]`` level-normalised audio.
            masked: features to hide from the transformer, where its objective wants that.
        """
        c = self.config
        start = samples.new_zeros(samples.shape[0], c.positional_kernel - 1, c.width)
        x, _ = self._embed(samples, start, masked)
        t = torch.arange(x.shape[1], device=x.device)
        age = t[:, None] - t[None, :]
        mask = torch.where((age >= 0) & (age <= c.context), 0.0, float("-inf")).to(x.dtype)
        outputs = [x]
        for layer in self.layers:
            outputs.append(layer(outputs[-1], None, mask)[0])
        return outputs

    def forward(self, samples: Tensor, masked: Masked | None = None) -> tuple[Tensor, Tensor]:
        """A whole clip from its start (training).

        Returns:
            features ``[B, T, width]`` and voice features ``[B, T, voice_width]``.
        """
        outputs = self.layer_outputs(samples, masked)
        return self.final_norm(outputs[-1]), self.voice(samples)

    def step(self, samples: Tensor, state: EncoderState) -> EncoderOutput:
        """New features of running streams; equal to ``forward`` on the whole clip.

        Args:
            samples: ``[B, 320 h + 80]``: the 80 samples before the new ones, then ``320 h`` new ones.
            state: of these streams. The caller writes ``keys_values`` into the ring and advances ``position``.
        """
        c = self.config
        x, positional = self._embed(samples, state.positional)
        hop = x.shape[1]
        mask = ring_mask(state.position, hop, c.context)
        fresh = []
        for i, layer in enumerate(self.layers):
            x, keys_values = layer(x, state.ring[:, i], mask)
            fresh.append(keys_values)
        return EncoderOutput(self.final_norm(x), positional, torch.stack(fresh, dim=1))


def ring_mask(position: Tensor, hop: int, context: int) -> Tensor:
    """Additive attention mask ``[B, 1, h, context + h]`` of new features over the ring and each other.

    Ring slot ``r`` holds the newest past feature congruent to ``r``; its age seen from the first new feature is
    ``(position - 1 - r) mod context + 1``. A slot never written has an age beyond ``position``.
    """
    slots = torch.arange(context, device=position.device)
    age = torch.remainder(position[:, None] - 1 - slots[None, :], context) + 1
    new = torch.arange(hop, device=position.device)
    in_ring = (age[:, None, :] <= position[:, None, None]) & (age[:, None, :] + new[None, :, None] <= context)
    between = new[:, None] - new[None, :]
    in_call = ((between >= 0) & (between <= context)).expand(position.shape[0], hop, hop)
    visible = torch.cat([in_ring, in_call], dim=2)[:, None]
    return torch.where(visible, 0.0, torch.finfo(torch.float32).min)


def advance(state: EncoderState, output: EncoderOutput) -> EncoderState:
    """The state after a call: new keys and values written into the ring (reference for the serving engine)."""
    ring = state.ring.clone()
    context, hop = ring.shape[3], output.features.shape[1]
    kept = min(hop, context)
    new = torch.arange(hop - kept, hop, device=ring.device)
    slots = torch.remainder(state.position[:, None] + new[None, :], context)
    rows = torch.arange(ring.shape[0], device=ring.device)[:, None]
    ring[rows, :, :, slots] = output.keys_values[:, :, :, hop - kept :].permute(0, 3, 1, 2, 4)
    return EncoderState(output.positional, ring, state.position + hop)

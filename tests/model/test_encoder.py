"""StreamingHubert: streaming equals the whole clip, and the future is never heard."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.streaming_hubert import StreamingHubert, advance
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE
from tests.tiny_model import ENCODER

FEATURES = 60


@pytest.fixture(scope="module")
def encoder() -> StreamingHubert:
    torch.manual_seed(1)
    return StreamingHubert(ENCODER).eval()


@pytest.fixture(scope="module")
def audio() -> Tensor:
    return torch.randn(2, FEATURE_STRIDE * FEATURES + FEATURE_OVERLAP, generator=torch.Generator().manual_seed(0))


def streamed(encoder: StreamingHubert, audio: Tensor, hops: Sequence[int]) -> Tensor:
    state, parts, at = encoder.initial_state(len(audio)), [], 0
    for hop in hops:
        window = audio[:, FEATURE_STRIDE * at : FEATURE_STRIDE * (at + hop) + FEATURE_OVERLAP]
        output = encoder.step(window, state)
        state = advance(state, output)
        parts.append(output.features)
        at += hop
    return torch.cat(parts, dim=1)


@torch.no_grad()
@given(hops=st.lists(st.integers(1, 25), min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_streaming_equals_offline(encoder: StreamingHubert, audio: Tensor, hops: list[int]) -> None:
    kept, total = [], 0
    for hop in [*hops, FEATURES]:
        kept.append(min(hop, FEATURES - total))
        total += kept[-1]
        if total == FEATURES:
            break
    torch.testing.assert_close(streamed(encoder, audio, kept), encoder(audio)[0], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_feature_hears_its_own_window_and_the_past_only(encoder: StreamingHubert, audio: Tensor) -> None:
    changed = audio.clone()
    changed[:, FEATURE_STRIDE * 30 + FEATURE_OVERLAP] += 1.0  # the first sample feature 29 cannot hear
    before, after = encoder(audio)[0], encoder(changed)[0]
    torch.testing.assert_close(before[:, :30], after[:, :30])
    assert (before[:, 30] - after[:, 30]).abs().max() > 1e-4


@torch.no_grad()
def test_memory_is_bounded(encoder: StreamingHubert, audio: Tensor) -> None:
    """What lies beyond every layer's context and the positional kernel is forgotten."""
    reach = ENCODER.layers * ENCODER.context + ENCODER.positional_kernel
    changed = audio.clone()
    changed[:, :FEATURE_STRIDE] += 1.0
    before, after = encoder(audio)[0], encoder(changed)[0]
    torch.testing.assert_close(before[:, reach + 1 :], after[:, reach + 1 :], atol=1e-6, rtol=1e-5)
    assert (before[:, 5] - after[:, 5]).abs().max() > 1e-4


def test_configuration_round_trips_and_refuses_nonsense() -> None:
    assert StreamingHubertConfig.from_dict(ENCODER.to_dict()) == ENCODER
    with pytest.raises(ValueError, match="multiple of heads"):
        StreamingHubertConfig(width=250)

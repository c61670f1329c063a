"""RollingHubert: a stream equals the whole clip in any chunks, checkpoints load as published, others are refused."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import HubertConfig, HubertForCTC, HubertModel, Wav2Vec2FeatureExtractor

from diffusiontalker.encoder.fingerprint import EncoderError, EncoderMismatch, require_same_encoder
from diffusiontalker.encoder.interface import AudioEncoder
from diffusiontalker.encoder.loading import encoder_fingerprint, load_audio_encoder
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.encoder.rolling_hubert import ROLLING_FILE, LayerSum, RollingHubert
from diffusiontalker.encoder.rolling_state import RollingState
from diffusiontalker.encoder.weights_file import save_encoder
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE
from diffusiontalker.training.encoder_task import EncoderTask
from tests.tiny_model import ENCODER

FEATURES = 33
BASE: dict[str, Any] = {"feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False}
LARGE: dict[str, Any] = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


def tiny(seed: int = 0, **layout: Any) -> HubertConfig:
    torch.manual_seed(seed)
    return HubertConfig(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        **({"conv_dim": (8,) * 7} | layout),
    )


def extractor(normalize: bool) -> Any:
    return Wav2Vec2FeatureExtractor(do_normalize=normalize)  # type: ignore[no-untyped-call]


def write(folder: Path, *, normalize: bool | None = None, seed: int = 0, **layout: Any) -> str:
    HubertModel(tiny(seed, **layout)).save_pretrained(folder)
    if normalize is not None:
        extractor(normalize).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("hubert") / "base", normalize=False, **BASE)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("hubert") / "large", normalize=True, **LARGE)


@pytest.fixture(scope="module", params=["base", "large"])
def encoder(request: pytest.FixtureRequest) -> RollingHubert:
    """Small windows, so that a second of audio fills and leaves them; the large one looks ahead."""
    folder = request.getfixturevalue(request.param)
    right = 2 if request.param == "large" else 0
    return RollingHubert.load(RollingHubertConfig(folder, window=12, hop=4, right=right)).eval()


@pytest.fixture(scope="module")
def audio() -> Tensor:
    noise = torch.randn(2, FEATURE_STRIDE * FEATURES + FEATURE_OVERLAP, generator=torch.Generator().manual_seed(0))
    return noise * torch.linspace(0.1, 2.0, noise.shape[1])


@pytest.fixture(scope="module")
def whole(encoder: RollingHubert, audio: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        features, voice = encoder(audio)
    return features, voice


@given(cuts=st.lists(st.integers(0, FEATURE_STRIDE * FEATURES + FEATURE_OVERLAP), max_size=12))
@settings(max_examples=15, deadline=None)
def test_any_chunking_gives_the_whole_clips_features(
    encoder: RollingHubert, audio: Tensor, whole: tuple[Tensor, Tensor], cuts: list[int]
) -> None:
    state, parts = RollingState(encoder, batch=2), []
    places = [0, *sorted(cuts), audio.shape[1]]
    for start, end in zip(places, places[1:], strict=False):
        parts.append(state.push(audio[:, start:end]))
    assert state.features == (FEATURES - encoder.config.right) // 4 * 4
    parts.append(state.flush())
    for got, expected in zip(zip(*parts, strict=True), whole, strict=True):
        torch.testing.assert_close(torch.cat(got, dim=1), expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_feature_is_its_windows_own_features(
    encoder: RollingHubert, audio: Tensor, whole: tuple[Tensor, Tensor]
) -> None:
    """The first block hears a shorter window, nothing before the stream; a later one the window that ends after it."""
    c = encoder.config
    for block, (start, end) in {0: (0, 4 + c.right), 5: (12 + c.right, 24 + c.right)}.items():
        assert c.span(block) == (start, end)
        window = audio[:, FEATURE_STRIDE * start : FEATURE_STRIDE * end + FEATURE_OVERLAP]
        if c.normalize:
            heard = extractor(True)(list(window.numpy()), sampling_rate=16000, return_tensors="pt")["input_values"]
        else:
            heard = window
        expected = encoder.hubert(heard).last_hidden_state[:, 4 * block - start : 4 * block - start + 4]
        torch.testing.assert_close(whole[0][:, 4 * block : 4 * block + 4], expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_block_hears_its_window_and_no_further(
    encoder: RollingHubert, audio: Tensor, whole: tuple[Tensor, Tensor]
) -> None:
    c = encoder.config
    start, end = c.span(4)
    changed = audio.clone()
    changed[:, FEATURE_STRIDE * end + FEATURE_OVERLAP] += 3.0
    changed[:, FEATURE_STRIDE * start - 1] += 3.0
    block = slice(4 * c.hop, 5 * c.hop)
    torch.testing.assert_close(encoder(changed)[0][:, block], whole[0][:, block], atol=1e-5, rtol=0)
    changed[:, FEATURE_STRIDE * end + FEATURE_OVERLAP - 1] += 3.0
    assert (encoder(changed)[0][:, block] - whole[0][:, block]).abs().max() > 1e-3


@torch.no_grad()
def test_the_place_of_a_window_matters_to_a_group_norm(base: str, audio: Tensor) -> None:
    """Why windows lie on an absolute grid: the same samples in another window are other features."""
    hubert = RollingHubert.load(RollingHubertConfig(base)).hubert
    early = hubert(audio[:, : FEATURE_STRIDE * 12 + FEATURE_OVERLAP]).last_hidden_state[:, 8:]
    late = hubert(audio[:, FEATURE_STRIDE : FEATURE_STRIDE * 13 + FEATURE_OVERLAP]).last_hidden_state[:, 7:11]
    assert (early - late).abs().max() > 1e-2


@torch.no_grad()
def test_a_group_normed_front_end_is_deaf_to_normalisation(base: str) -> None:
    """At the level that audio is brought to first; far below it, the norm's own epsilon is heard."""
    level = torch.randn(1, FEATURE_STRIDE * FEATURES + FEATURE_OVERLAP) + 0.1
    plain, normalized = (
        RollingHubert.load(RollingHubertConfig(base, window=12, normalize=normalize))(level)[0]
        for normalize in (False, True)
    )
    torch.testing.assert_close(plain, normalized, atol=1e-3, rtol=0)


def test_states_end_and_begin_again(base: str, audio: Tensor) -> None:
    encoder = RollingHubert.load(RollingHubertConfig(base, window=12, hop=4))
    state = RollingState(encoder, batch=2)
    first = state.push(audio)[0]
    assert first.shape == (2, 32, 16)
    assert state.push(audio[:, :0])[1].shape == (2, 0, 16)
    assert state.flush()[0].shape == (2, 1, 16)
    with pytest.raises(ValueError, match="reset"):
        state.push(audio)
    state.reset()
    torch.testing.assert_close(state.push(audio)[0], first)
    with pytest.raises(ValueError, match="1 streams where 2"):
        state.push(audio[:1])
    state.reset()
    state.push(audio[:, : FEATURE_OVERLAP + 100])
    assert state.flush()[0].shape == (2, 0, 16)
    with pytest.raises(ValueError, match="are no 320 T"):
        encoder(audio[:, 1:])


def test_configuration_round_trips_and_refuses_nonsense() -> None:
    config = RollingHubertConfig("facebook/hubert-base-ls960", weights="ab", right=3, layer=9, normalize=True)
    assert RollingHubertConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.delay == (5 - 1 + 3) * 320
    with pytest.raises(ValueError, match="cannot hold"):
        RollingHubertConfig("x", window=5, right=1)
    with pytest.raises(ValueError, match="hop must be"):
        RollingHubertConfig("x", hop=0)
    with pytest.raises(ValueError, match="checkpoint is needed"):
        RollingHubertConfig("")
    with pytest.raises(ValueError, match="before it is loaded"):
        RollingHubertConfig("x").fingerprint()


def test_preprocessing_is_the_checkpoints_own(base: str, large: str, tmp_path: Path) -> None:
    assert RollingHubert.load(RollingHubertConfig(base)).config.normalize is False
    assert RollingHubert.load(RollingHubertConfig(large)).config.normalize is True
    silent = write(tmp_path / "silent", **LARGE)
    assert RollingHubert.load(RollingHubertConfig(silent)).config.normalize is True
    assert RollingHubert.load(RollingHubertConfig(large, normalize=False)).config.normalize is False


def test_a_recognisers_checkpoint_gives_its_hubert(tmp_path: Path) -> None:
    recogniser = HubertForCTC(tiny(**BASE))
    recogniser.save_pretrained(tmp_path / "ctc")
    encoder = RollingHubert.load(RollingHubertConfig(str(tmp_path / "ctc")))
    theirs, mine = recogniser.hubert.state_dict(), encoder.hubert.state_dict()
    assert theirs.keys() == mine.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(mine[name], tensor)


def test_a_hub_name_is_taken_from_the_local_cache(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio: Tensor
) -> None:
    cached = tmp_path / "models--someone--tiny-hubert"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0" * 40)
    (cached / "snapshots" / ("0" * 40)).symlink_to(base)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    encoder = load_audio_encoder("someone/tiny-hubert", local_files_only=True)
    assert isinstance(encoder, RollingHubert)
    assert encoder.config.normalize is False
    assert encoder.fingerprint().startswith("tiny-hubert@")
    require_same_encoder(encoder.fingerprint(), encoder_fingerprint(load_audio_encoder(base)), "the scenes")
    with pytest.raises(EncoderError, match="someone/else is neither a folder nor in the hub's local cache"):
        load_audio_encoder("someone/else", local_files_only=True)


def test_a_hub_out_of_reach_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's own client logs every retry; a mistyped folder is taken for a name on it."""
    said: list[str] = []
    log = logging.getLogger("huggingface_hub")
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: said.append(record.getMessage()))

    def unreachable(*_: object, **__: object) -> None:
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 1s [Retry 1/5].")
        raise OSError("no network")

    monkeypatch.setattr(HubertConfig, "get_config_dict", unreachable)
    level = log.level
    log.addHandler(handler)
    try:
        with pytest.raises(EncoderError, match="^nothere is neither a folder nor on the hub: try again, or check"):
            load_audio_encoder("nothere")
    finally:
        log.removeHandler(handler)
    assert said == [] and log.level == level


@pytest.mark.parametrize(
    ("layout", "norms"), [(BASE, set()), (LARGE, {"hubert.encoder.layer_norm"})], ids=["base", "large"]
)
def test_only_the_named_layers_learn(tmp_path: Path, layout: dict[str, Any], norms: set[str], audio: Tensor) -> None:
    folder = write(tmp_path / "h", **layout)
    frozen = load_audio_encoder(folder)
    assert isinstance(frozen, RollingHubert)
    assert [name for name, p in frozen.named_parameters() if p.requires_grad] == ["layer_sum.weights"]
    thawed = load_audio_encoder(folder, trainable_layers=1)
    assert isinstance(thawed, RollingHubert)
    before = thawed.fingerprint()
    assert before == frozen.fingerprint()
    thawed.train()
    features, voice = thawed(audio)
    loss = features.square().mean() + voice[..., 0].mean()
    loss.backward()
    learned = {name for name, p in thawed.named_parameters() if p.grad is not None}
    assert learned == {name for name, p in thawed.named_parameters() if p.requires_grad}
    owners = {name.rpartition(".")[0] for name in learned}
    assert {o for o in owners if not o.startswith("hubert.encoder.layers.2.")} == {"layer_sum", *norms}
    assert thawed.layer_sum.weights.grad is not None and thawed.layer_sum.weights.grad.abs().max() > 0
    # Nothing is dropped or masked while training: a second pass gives the same.
    torch.testing.assert_close(thawed(audio)[0], features)
    with torch.no_grad():
        thawed.hubert.get_parameter("encoder.layers.2.final_layer_norm.weight").add_(0.1)
    assert thawed.fingerprint() != before
    with pytest.raises(EncoderError, match="has 3 layers"):
        load_audio_encoder(folder, trainable_layers=4)


def test_layers_are_weighed_on_one_scale() -> None:
    layers = [torch.randn(1, 5, 8), 100 * torch.randn(1, 5, 8)]
    mixer = LayerSum(2)
    normed = [torch.nn.functional.layer_norm(layer, (8,)) for layer in layers]
    torch.testing.assert_close(mixer(layers), (normed[0] + normed[1]) / 2)
    with torch.no_grad():
        mixer.weights.copy_(torch.tensor([0.0, 20.0]))
    torch.testing.assert_close(mixer(layers), normed[1], atol=1e-5, rtol=0)


@torch.no_grad()
def test_another_layer_can_be_the_feature(large: str, audio: Tensor) -> None:
    encoder = RollingHubert.load(RollingHubertConfig(large, window=12, hop=12, layer=1))
    window = audio[:, : FEATURE_STRIDE * 12 + FEATURE_OVERLAP]
    normal = (window - window.mean(1, keepdim=True)) / window.std(1, keepdim=True)
    seen: list[Tensor] = []
    encoder.hubert.encoder.layers[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    encoder.hubert(normal)
    torch.testing.assert_close(encoder(window)[0], seen[0], atol=1e-3, rtol=0)


def test_a_saved_encoder_comes_back(large: str, tmp_path: Path, audio: Tensor) -> None:
    encoder = RollingHubert.load(RollingHubertConfig(large, window=20, hop=5, right=1)).eval()
    with torch.no_grad():
        encoder.layer_sum.weights.copy_(torch.tensor([0.3, -1.0, 0.1, 2.0]))
    encoder.save(tmp_path / "tuned")
    assert [path.name for path in tmp_path.iterdir()] == ["tuned"]
    again = load_audio_encoder(str(tmp_path / "tuned"))
    assert isinstance(again, RollingHubert)
    assert again.fingerprint().partition("@")[2] == encoder.fingerprint().partition("@")[2]
    with torch.no_grad():
        for mine, theirs in zip(again(audio), encoder(audio), strict=True):
            torch.testing.assert_close(mine, theirs)
    with pytest.raises(FileExistsError):
        encoder.save(tmp_path / "tuned")
    weights = tmp_path / "tuned" / "model.safetensors"
    tensors = load_file(weights)
    tensors["encoder.layers.0.layer_norm.bias"] += 1
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(EncoderMismatch, match="holds other weights"):
        load_audio_encoder(str(tmp_path / "tuned"))
    saved = json.loads((tmp_path / "tuned" / ROLLING_FILE).read_text())
    (tmp_path / "tuned" / ROLLING_FILE).write_text(json.dumps(saved | {"format": 9}))
    with pytest.raises(EncoderError, match="format 9"):
        load_audio_encoder(str(tmp_path / "tuned"))


def test_another_encoders_features_are_refused_by_name(base: str, large: str) -> None:
    ours, theirs = (load_audio_encoder(folder) for folder in (base, large))
    with pytest.raises(EncoderMismatch, match=r"runs/scenes was made with the encoder large@\w{16}, but base@"):
        require_same_encoder(encoder_fingerprint(theirs), encoder_fingerprint(ours), "runs/scenes")
    wider = RollingHubert.load(RollingHubertConfig(base, window=50))
    assert wider.fingerprint() != encoder_fingerprint(ours)
    assert isinstance(ours, AudioEncoder)
    assert (ours.width, ours.voice_width) == (16, 16)


def test_a_folder_that_is_no_hubert_is_refused(base: str, tmp_path: Path) -> None:
    def refused(message: str, folder: Path) -> None:
        with pytest.raises(EncoderError, match=message) as caught:
            load_audio_encoder(str(folder))
        assert folder.name in str(caught.value) and "\n" not in str(caught.value)

    empty = tmp_path / "empty"
    refused("no folder", empty)
    empty.mkdir()
    refused(r"config.json and model.safetensors \(or pytorch_model.bin\) missing; download", empty)

    def copy(name: str, **changes: Any) -> Path:
        folder = Path(write(tmp_path / name, **BASE))
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))
        return folder

    refused("is a wav2vec2, not a hubert", copy("other", model_type="wav2vec2"))
    refused("a feature of 400 samples every 640", copy("slow", conv_stride=[5, 2, 2, 2, 2, 2, 4]))
    refused("describes no HuBERT", copy("torn", conv_stride=[5, 2]))
    refused(r"52 tensors, such as \S+, are of other sizes", copy("wider", hidden_size=32))
    refused("16 tensors, such as encoder.layers.3.attention.* are missing", copy("deeper", num_hidden_layers=4))
    broken = copy("broken")
    (broken / "model.safetensors").write_bytes((broken / "model.safetensors").read_bytes()[:999])
    refused("weights of .* cannot be read", broken)
    (broken / "config.json").write_text("{")
    refused("config.json cannot be read: .* line 1", broken)
    pickled = copy("pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    refused("no weights", pickled)
    fast = copy("fast")
    (fast / "preprocessor_config.json").write_text('{"sampling_rate": 8000}')
    refused("hears 8000 Hz", fast)


def test_a_compact_encoder_is_named_by_its_weights(tmp_path: Path, audio: Tensor) -> None:
    task = EncoderTask(ENCODER).eval()
    compact = task.encoder
    file = str(save_encoder(ENCODER, task.state_dict(), tmp_path))
    loaded = load_audio_encoder(file)
    either: AudioEncoder = loaded
    assert isinstance(either, AudioEncoder)
    assert (either.width, either.voice_width) == (compact.config.width, compact.voice_head.width)
    with torch.no_grad():
        for mine, theirs in zip(loaded(audio), compact(audio), strict=True):
            torch.testing.assert_close(mine, theirs)
    require_same_encoder(encoder_fingerprint(loaded), encoder_fingerprint(compact), "the same weights")
    with pytest.raises(EncoderError, match="trained as a whole"):
        load_audio_encoder(file, trainable_layers=1)


def test_a_compact_encoder_that_is_none_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "encoder.safetensors"
    with pytest.raises(EncoderError, match="is missing: run 'diffusiontalker train'"):
        load_audio_encoder(str(missing))
    missing.write_bytes(b"not tensors")
    with pytest.raises(EncoderError, match="damaged or cut short"):
        load_audio_encoder(str(missing))
    save_file({"encoder.x": torch.zeros(1)}, missing)
    with pytest.raises(EncoderError, match="format None version None; this program reads"):
        load_audio_encoder(str(missing))

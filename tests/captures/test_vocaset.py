"""Meshes become coefficients again, and pickles may hold nothing but arrays."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from diffusiontalker.arkit import BLENDSHAPES, INDEX
from diffusiontalker.captures.arrays_pickle import read_pickle
from diffusiontalker.captures.blendshape_fit import BlendshapeBasis, BlendshapeFit
from diffusiontalker.captures.take import CaptureError, TakeSource
from diffusiontalker.captures.vocaset import vocaset_takes
from tests.captures.writers import SUBJECT, curves, tone, write_basis, write_vocaset


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_basis(tmp_path_factory.mktemp("basis") / "basis.npz")


@pytest.fixture
def vocaset(tmp_path: Path, basis: Path) -> Path:
    write_vocaset(tmp_path / "voca", basis, {"sentence01": curves(80), "sentence02": curves(66, seed=1)})
    return tmp_path / "voca"


def only(sources: list[TakeSource]) -> TakeSource:
    (source,) = sources
    return source


@pytest.mark.parametrize("protocol", [1, 2, 4, 5])
def test_known_weights_are_recovered(tmp_path: Path, basis: Path, protocol: int) -> None:
    weights = np.where(curves(64) > 0.6, curves(64, seed=9), 0.0)
    write_vocaset(tmp_path, basis, {"sentence01": weights}, protocol=protocol)
    take = only(vocaset_takes(tmp_path, basis)).read()
    assert (take.name, take.speaker) == (f"vocaset/{SUBJECT}/sentence01", f"vocaset/{SUBJECT}")
    np.testing.assert_allclose(take.frames, weights[::2], atol=2e-3)
    assert take.captured == BLENDSHAPES
    samples = take.samples()
    assert abs(len(samples) - 64 / 60 * 16000) <= 2
    np.testing.assert_allclose(samples[1000:16000], tone(64 / 60)[1000:16000], atol=5e-3)


def test_a_missing_frame_is_interpolated(tmp_path: Path, basis: Path) -> None:
    weights = np.tile(np.linspace(0, 0.9, 66)[:, None], 52)
    write_vocaset(tmp_path, basis, {"sentence01": weights}, skip=30)
    take = only(vocaset_takes(tmp_path, basis)).read()
    np.testing.assert_allclose(take.frames, weights[::2], atol=2e-3)


def test_a_sequence_that_begins_late_keeps_its_sound_in_step(tmp_path: Path, basis: Path) -> None:
    write_vocaset(tmp_path, basis, {"sentence01": curves(90)}, skip=0)
    take = only(vocaset_takes(tmp_path, basis)).read()
    np.testing.assert_allclose(take.frames, curves(90)[1::2], atol=2e-3)
    np.testing.assert_allclose(take.samples()[1000:16000], tone(1.5)[1266:16266], atol=5e-3)


def test_shapes_that_move_no_vertex_count_as_not_captured(tmp_path: Path) -> None:
    path = write_basis(tmp_path / "basis.npz")
    with np.load(path) as arrays:
        names, neutral, deltas = (arrays[key] for key in ("names", "neutral", "deltas"))
    deltas[[INDEX["tongueOut"], INDEX["eyeLookInLeft"]]] = 0
    np.savez(path, names=names, neutral=neutral, deltas=deltas)
    write_vocaset(tmp_path / "v", path, {"sentence01": curves(66)})
    take = only(vocaset_takes(tmp_path / "v", path)).read()
    assert set(BLENDSHAPES) - set(take.captured) == {"tongueOut", "eyeLookInLeft"}
    assert not take.frames[:, INDEX["tongueOut"]].any()
    np.testing.assert_allclose(take.frames[:, INDEX["jawOpen"]], curves(66)[::2, INDEX["jawOpen"]], atol=2e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_the_fit_is_the_bounded_optimum(basis: Path, seed: int, strength: float) -> None:
    fit = BlendshapeFit(BlendshapeBasis.open(basis))
    rng = np.random.default_rng(seed)
    flat = fit.basis.deltas.reshape(52, -1)
    offsets = (rng.normal(0.3, 1, 52) * strength) @ flat + rng.normal(0, 1e-3, flat.shape[1])
    (weights,), explained = fit.weights(offsets.reshape(1, -1, 3))
    best = lsq_linear(flat.T, offsets, (0, 1), method="bvls").x
    np.testing.assert_allclose(weights, best, atol=1e-3)
    assert weights.min() >= 0 and weights.max() <= 1
    assert explained <= 1


def test_a_basis_in_another_order_is_noticed(tmp_path: Path, basis: Path, vocaset: Path) -> None:
    with np.load(basis) as arrays:
        order = np.random.default_rng(0).permutation(len(arrays["neutral"]))
        shuffled = {"names": arrays["names"], "neutral": arrays["neutral"], "deltas": arrays["deltas"][:, order] * 0.05}
    np.savez(tmp_path / "shuffled.npz", **shuffled)
    with pytest.raises(CaptureError, match=r"explains only .*sentence01: are its vertices in the order"):
        vocaset_takes(vocaset, tmp_path / "shuffled.npz")[0].read()


def test_a_basis_of_another_mesh_or_unit_is_refused(tmp_path: Path, basis: Path, vocaset: Path) -> None:
    with pytest.raises(CaptureError, match="has 200 vertices where .*templates.pkl has 300"):
        vocaset_takes(vocaset, write_basis(tmp_path / "other.npz", vertices=200))
    with np.load(basis) as arrays:
        np.savez(tmp_path / "mm.npz", **{k: v if k == "names" else v * 1000 for k, v in arrays.items()})
    with pytest.raises(CaptureError, match=r"mm.npz: its face and the one in .*: bring it to the same unit"):
        vocaset_takes(vocaset, tmp_path / "mm.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": None}, "no array names"),
        ({"names": np.array(["jawWide"] * 52)}, "different ARKit names: jawWide"),
        ({"names": np.array(["jawOpen"] * 52)}, "different ARKit names: double"),
        ({"neutral": np.zeros((300, 2))}, r"neutral \[300, 2\]"),
        ({"deltas": np.zeros((52, 299, 3))}, r"deltas \[52, 299, 3\]"),
        ({"deltas": np.zeros((52, 300, 3))}, "its deltas move nothing"),
        ({"deltas": np.full((52, 300, 3), np.nan)}, "finite"),
        ({"deltas": np.array([{"a": 1}], dtype=object)}, "is no .npz file of arrays"),
    ],
)
def test_a_broken_basis_is_explained(tmp_path: Path, basis: Path, change: dict[str, Any], message: str) -> None:
    with np.load(basis) as arrays:
        content = {**arrays, **change}
    path = tmp_path / "basis.npz"
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    with pytest.raises(CaptureError, match=message):
        BlendshapeBasis.open(path)


def test_a_basis_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="there is no such file"):
        BlendshapeBasis.open(tmp_path / "none.npz")
    for content in (b"", b"PK\x03\x04 half", b"\x93NUMPY"):
        (tmp_path / "half.npz").write_bytes(content)
        with pytest.raises(CaptureError, match="is no .npz file"):
            BlendshapeBasis.open(tmp_path / "half.npz")


class Trap:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["subj_seq_to_idx.pkl", "raw_audio_fixed.pkl", "templates.pkl"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_names_code_is_refused_and_nothing_runs(
    vocaset: Path, basis: Path, name: str, protocol: int
) -> None:
    sprung = vocaset / "sprung"
    (vocaset / name).write_bytes(pickle.dumps({SUBJECT: {"sentence01": Trap(sprung)}}, protocol=protocol))
    with pytest.raises(CaptureError, match=rf"{name}: not read: it names .*, which is neither a built-in nor a numpy"):
        vocaset_takes(vocaset, basis)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\ngetattr\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        b"c_codecs\nencode\n(Vab\nVzip_codec\ntR.",
    ],
)
def test_hand_made_pickles_reach_nothing(tmp_path: Path, code: bytes) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(code)
    with pytest.raises(CaptureError, match=r"evil.pkl: not read"):
        read_pickle(path)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_pickle_is_one_error(tmp_path_factory: pytest.TempPathFactory, at: int, value: int) -> None:
    whole = bytearray(pickle.dumps({"a": {"b": {"audio": np.arange(9, dtype=np.int16), "sample_rate": 22000}}}, 2))
    whole[at % len(whole)] = value
    path = tmp_path_factory.mktemp("p") / "damaged.pkl"
    path.write_bytes(whole)
    try:
        read_pickle(path)
    except CaptureError as error:
        assert "damaged.pkl" in str(error)


def test_pickles_of_python_2_are_read(tmp_path: Path) -> None:
    # {'a': np.array([1, 258], np.int16)} as numpy 1 on Python 2.7 wrote it, protocol 0: bytes are text.
    text = (
        b"(dp0\nS'a'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\ntp6\nRp7\n"
        b"(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'i2'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n"
        b"S'\\x01\\x00\\x02\\x01'\np15\ntp16\nbs."
    )
    path = tmp_path / "old.pkl"
    path.write_bytes(text)
    assert read_pickle(path)["a"].tolist() == [1, 258]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([{}], object), np.zeros(2, "M8[s]"), np.zeros(2, "i2,f4")])
def test_arrays_of_anything_but_numbers_are_refused(tmp_path: Path, array: NDArray[Any]) -> None:
    path = tmp_path / "odd.pkl"
    path.write_bytes(pickle.dumps(array, protocol=2))
    with pytest.raises(CaptureError, match="is not one of plain numbers"):
        read_pickle(path)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_come_as_they_were(tmp_path: Path, protocol: int) -> None:
    arrays = [
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.array(2.5, np.float32),
        np.zeros((0, 3), np.uint8),
        np.array([True, False]),
    ]
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps({"arrays": arrays, "rate": np.int64(22000), "pair": (1, arrays[0])}, protocol))
    content = read_pickle(path)
    for got, array in zip(content["arrays"], arrays, strict=True):
        np.testing.assert_array_equal(got, array)
        assert got.dtype == array.dtype.newbyteorder("=")
    assert content["rate"] == 22000
    np.testing.assert_array_equal(content["pair"][1], arrays[0])


def _edited(path: Path, **content: Any) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


def test_what_is_missing_is_named(vocaset: Path, basis: Path) -> None:
    _edited(vocaset / "raw_audio_fixed.pkl", **{SUBJECT: {}})
    with pytest.raises(CaptureError, match=rf"raw_audio_fixed.pkl, {SUBJECT}, sentence01: holds none") as error:
        vocaset_takes(vocaset, basis)[0].read()
    assert error.value.reason == "no sound"
    _edited(vocaset / "raw_audio_fixed.pkl", **{SUBJECT: {"sentence01": {"audio": [1], "sample_rate": 22000}}})
    with pytest.raises(CaptureError, match="'audio' is not a row of 16-bit samples"):
        vocaset_takes(vocaset, basis)[0].read()
    _edited(vocaset / "subj_seq_to_idx.pkl", **{SUBJECT: {"sentence01": {0: 0, 1: 9999}}})
    with pytest.raises(CaptureError, match=r"subj_seq_to_idx.pkl, .*sentence01: row 9999 of 146"):
        vocaset_takes(vocaset, basis)[0].read()
    _edited(vocaset / "templates.pkl", someone=np.zeros((300, 3)))
    with pytest.raises(CaptureError, match=rf"templates.pkl, {SUBJECT}: no neutral \[300, 3\]"):
        vocaset_takes(vocaset, basis)
    _edited(vocaset / "templates.pkl", **{SUBJECT: np.zeros((3, 3))})
    with pytest.raises(CaptureError, match="no neutral"):
        vocaset_takes(vocaset, basis)


@pytest.mark.parametrize("name", ["data_verts.npy", "subj_seq_to_idx.pkl", "raw_audio_fixed.pkl", "templates.pkl"])
def test_a_missing_or_cut_file_is_named(vocaset: Path, basis: Path, name: str) -> None:
    whole = (vocaset / name).read_bytes()
    (vocaset / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        CaptureError, match=rf"{name}: (is no whole array|not read: pickle data was truncated|is no whole pickle)"
    ):
        vocaset_takes(vocaset, basis)
    (vocaset / name).unlink()
    with pytest.raises(CaptureError, match=f"{name}: there is no such file"):
        vocaset_takes(vocaset, basis)

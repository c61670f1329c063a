"""The bundle: each weight once, and anything unfit refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors import safe_open

from diffusiontalker.bundle import (
    ENCODER,
    FILES,
    INT8_WEIGHTS,
    METADATA,
    WEIGHTS,
    BundleError,
    open_bundle,
    shipped_bundle,
)
from diffusiontalker.cli.main import main
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.draft import OccupiedError
from diffusiontalker.export.bundle_writer import write_bundle
from tests.tiny_model import tiny_modules, write_tiny_bundle


def rewrite(name: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        metadata = json.loads((folder / METADATA).read_text())
        (folder / METADATA).write_text(json.dumps(metadata | {name: value}))

    return change


def drop(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        metadata = json.loads((folder / METADATA).read_text())
        del metadata[name]
        (folder / METADATA).write_text(json.dumps(metadata))

    return change


def truncate(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / METADATA).unlink(), "no model bundle"),
        (lambda folder: (folder / METADATA).write_text("{"), "not readable as JSON"),
        (lambda folder: (folder / METADATA).write_text("[]"), "does not describe a model"),
        *((drop(name), f"is incomplete .*{name}") for name in ("sha256", "identities", "steps", "encoder")),
        (rewrite("denoiser", {"layers": 2}), "is incomplete .*coefficients"),
        (rewrite("sha256", []), "is incomplete"),
        (lambda folder: (folder / ENCODER).unlink(), "is missing"),
        (truncate, "damaged"),
        (rewrite("format_version", 99), "version 99"),
        (rewrite("format", "other"), "format 'other'"),
        (rewrite("blendshapes", ["jawOpen"]), "other blendshapes"),
    ],
)
def test_what_is_unfit_is_refused_by_name(
    tiny_bundle: Path, tmp_path: Path, harm: Callable[[Path], None], message: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, folder)
    harm(folder)
    with pytest.raises(BundleError, match=message):
        open_bundle(folder)


def test_a_file_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("words")
    with pytest.raises(BundleError, match="is no model bundle"):
        open_bundle(tmp_path / "model")


def test_a_good_bundle_opens(tiny_bundle: Path) -> None:
    bundle = open_bundle(tiny_bundle)
    assert bundle.name == "tiny"
    assert bundle.steps == 3
    assert bundle.identities.names == ("anna", "ben", "clara")
    assert bundle.identities.embeddings.shape == (3, 8)


@pytest.mark.parametrize("graph", [name for name in FILES["streaming"] if name.endswith(".onnx")])
@pytest.mark.parametrize("shipped", [False, True])
def test_graphs_hold_no_weights_of_their_own(tiny_bundle: Path, graph: str, shipped: bool) -> None:
    folder = shipped_bundle() if shipped else tiny_bundle
    stored = set()
    for file in (WEIGHTS, INT8_WEIGHTS):
        with safe_open(folder / file, framework="numpy") as weights:
            stored |= set(weights.keys())
    proto = onnx.load(folder / graph, load_external_data=False)
    outside = {i.name for i in proto.graph.initializer if i.data_location == onnx.TensorProto.EXTERNAL}
    assert outside <= stored
    assert outside, "the weights must be read from the checkpoint"
    inside = sum(len(i.raw_data) for i in proto.graph.initializer)
    assert inside < 16_384, "only small constants may lie in the graph"
    text = (folder / graph).read_bytes()
    assert b"/home/" not in text and b".py" not in text, "no paths of whoever exported it"


def test_the_shipped_bundle_is_small() -> None:
    assert sum(path.stat().st_size for path in shipped_bundle().iterdir()) < 40_000_000


def test_only_listed_speakers_are_written_and_the_neutral_is_everybodys(tmp_path: Path) -> None:
    encoder, head, denoiser, library = tiny_modules()
    library.voiceprints.copy_(torch.nn.functional.normalize(torch.randn_like(library.voiceprints)))
    library.listed[1] = False
    with torch.no_grad():
        write_bundle(
            tmp_path / "bundle",
            name="tiny",
            version="0",
            encoder=encoder,
            phone_head=head,
            denoiser=denoiser,
            schedule=Schedule.spaced(2),
            identities=library,
        )
    written = open_bundle(tmp_path / "bundle").identities
    assert written.names == ("anna", "clara")
    np.testing.assert_array_equal(written.features, library.voiceprints[[0, 2]].numpy())
    np.testing.assert_array_equal(written.embeddings, library.embeddings.weight[[0, 2]].detach().numpy())
    np.testing.assert_allclose(written.neutral, library.embeddings.weight.detach().mean(0).numpy(), rtol=1e-6)


def test_an_export_that_is_cut_short_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_bundle(tmp_path / "bundle")
    before = open_bundle(tmp_path / "bundle").digest

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("onnx.save", full)
    for folder in ("bundle", "other"):
        with pytest.raises(OSError, match="no space"):
            write_tiny_bundle(tmp_path / folder, seed=1)
    assert open_bundle(tmp_path / "bundle").digest == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_an_export_replaces_a_bundle_with_its_card_and_nothing_else(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "MODEL_CARD.md").write_text("# the card of the former model")
    write_tiny_bundle(tmp_path / "bundle", seed=1)
    assert sorted(p.name for p in (tmp_path / "bundle").iterdir()) == sorted([METADATA, *FILES["streaming"]])
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.txt").write_text("mine")
    with pytest.raises(OccupiedError, match=r"holds no model\.json, so it is not replaced"):
        write_tiny_bundle(tmp_path / "photos")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["holiday.txt"]


def test_export_and_model_ask_where_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("export", "model"):
        with pytest.raises(SystemExit):
            main([verb])
        assert "required: --bundle" in capsys.readouterr().err
    (tmp_path / "mine").write_text("words")
    assert main(["model", "--bundle", str(tmp_path), "--corpus", str(tmp_path / "corpus")]) == 2
    assert "so it is not replaced" in capsys.readouterr().err and not (tmp_path / "corpus").exists()

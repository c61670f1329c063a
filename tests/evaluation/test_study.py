"""A study from tiny scenes to a page: what is trained and measured is what the page says."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from diffusiontalker.cli.main import main
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.facediffuser import FaceDiffuserDecoder, cosine_schedule
from diffusiontalker.denoiser.model import sample
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.evaluation import pictures
from diffusiontalker.evaluation.measure import animate_scenes, constant_pose, embeddings, match, score, takes
from diffusiontalker.evaluation.published import ABLATION, METHODS, STEPS
from diffusiontalker.evaluation.report import write_results
from diffusiontalker.evaluation.results import Results, gather
from diffusiontalker.evaluation.scenes import PRESET, EvaluationError, StudyCrops, StudyScenes, window_audio
from diffusiontalker.evaluation.study import Study, StudyConfig, Trained
from diffusiontalker.evaluation.variants import variants
from diffusiontalker.evaluation.vertices import VertexBasis
from diffusiontalker.metrics.faces import brow_diversity
from diffusiontalker.training.pipeline import load_denoiser
from diffusiontalker.training.scenes import frame_audio
from diffusiontalker.training.train_denoiser import train_denoiser
from tests.evaluation.tiny_scenes import SPEAKERS, WIDTH, frames_of, write_scenes

SECONDS = 2
FRAMES = frames_of(SECONDS)
TINY = StudyConfig(teacher_updates=2, stage_updates=1, batch=2, frames=20, hidden=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve scenes, three of them kept apart."""
    return write_scenes(
        tmp_path_factory.mktemp("study") / "scenes", 12, seconds=SECONDS, splits=["train"] * 9 + ["test"] * 3
    )


@pytest.fixture(scope="module")
def scenes(folder: Path) -> StudyScenes:
    return StudyScenes.open(folder)


@pytest.fixture(scope="module")
def studies(scenes: StudyScenes, tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    """Two seeds, trained."""
    runs = tmp_path_factory.mktemp("runs")
    made = [Study(runs, scenes, TINY, seed) for seed in (0, 1)]
    for study in made:
        study.train_all(lambda _: None, lambda _: None)
    return made


@pytest.fixture(scope="module")
def results(studies: list[Study]) -> Results:
    return gather(studies)


def test_kept_scenes_are_never_trained_on(scenes: StudyScenes) -> None:
    assert scenes.train_rows.tolist() == list(range(9))
    assert scenes.test_rows.tolist() == [9, 10, 11]
    crops = StudyCrops(scenes.train, scenes.train_rows, SPEAKERS, frames=20)
    kept = np.asarray(scenes.test.curves[9:], np.float32)
    for index in range(20):
        crop = crops[index]["curves"].numpy()
        assert not any(np.array_equal(crop, scene[s : s + 20]) for scene in kept for s in range(FRAMES - 19))
    assert "hum 100%" in scenes.describe()
    assert "9 scenes (0.3 minutes) of 3 speakers" in scenes.describe()


def test_a_crop_hears_what_the_denoiser_is_served(scenes: StudyScenes) -> None:
    features = scenes.train.features[0]
    whole = frame_audio(features.astype(np.float32), PRESET.look_ahead, FRAMES)
    for start in (0, 1, 7, 20):
        np.testing.assert_allclose(window_audio(features, start, 30), whole[start : start + 30], atol=1e-6)


def test_crops_are_a_function_of_their_index_and_know_who_speaks(scenes: StudyScenes) -> None:
    crops = StudyCrops(scenes.train, scenes.train_rows, SPEAKERS, frames=20)
    nobody = StudyCrops(scenes.train, scenes.train_rows, (), frames=20)
    seen: Counter[int] = Counter()
    for index in range(24):
        first, again = crops[index], crops[index]
        assert all(torch.equal(first[key], again[key]) for key in first)
        seen[int(first["speaker"])] += 1
        assert int(nobody[index]["speaker"]) == -1
        assert torch.equal(nobody[index]["audio"], first["audio"])
    assert set(seen) == {0, 1, 2}


def test_scenes_nothing_can_be_measured_on_are_refused(tmp_path: Path, folder: Path) -> None:
    unmarked = write_scenes(tmp_path / "unmarked", 3, seconds=SECONDS)
    with pytest.raises(EvaluationError, match="no scene has 'split': 'test'.*--test-scenes"):
        StudyScenes.open(unmarked)
    assert len(StudyScenes.open(unmarked, folder).test_rows) == 3, "a folder's test scenes, where it marks some"
    assert len(StudyScenes.open(folder, unmarked, limit=2).test_rows) == 2, "else all of it"
    with pytest.raises(EvaluationError, match=r"features\.npy is missing"):
        (unmarked / "features.npy").unlink()
        StudyScenes.open(unmarked)
    everything = write_scenes(tmp_path / "everything", 2, seconds=SECONDS, splits=["test", "test"])
    with pytest.raises(EvaluationError, match="nothing is left to train on"):
        StudyScenes.open(everything)


def test_every_row_of_the_papers_tables_has_its_variant_and_a_fair_budget() -> None:
    plan = {variant.name: variant for variant in variants(100, 10)}
    assert {row.ours for row in (*METHODS, *STEPS, *ABLATION) if row.ours} <= set(plan)

    def updates(name: str) -> int:
        variant = plan[name]
        return variant.updates + (updates(variant.teacher) if variant.teacher else 0)

    assert updates("distilled-8") == updates("scratch-8") == updates("facediffuser-8") == 120
    assert updates("distilled-16") == updates("scratch-16") == 110
    assert updates("distilled-1") == 150
    for name in ("no-lip", "no-velocity", "no-identity"):
        assert updates(f"distilled-8-{name}") == 120
        assert plan[f"distilled-8-{name}"].teacher == f"distilled-16-{name}"
    assert plan["teacher-32-no-lip"].weights.lip == 0
    assert plan["distilled-16-no-velocity"].weights.velocity == 0
    names = list(plan)
    assert all(names.index(v.teacher) < names.index(v.name) for v in plan.values() if v.teacher)


def test_facediffusers_schedule_is_the_respaced_cosine() -> None:
    schedule = cosine_schedule(8)
    np.testing.assert_array_equal(schedule.timesteps, Schedule.spaced(8).timesteps)
    np.testing.assert_allclose(schedule.alpha**2 + schedule.sigma**2, 1)
    assert schedule.alpha[3] ** 2 == pytest.approx(np.cos((0.5 + 0.008) / 1.008 * np.pi / 2) ** 2, abs=1e-3)
    assert (np.diff(schedule.alpha) < 0).all()
    assert schedule.alpha[-1] < 1e-2


@torch.no_grad()
def test_facediffusers_decoder_streams_and_knows_no_identity() -> None:
    torch.manual_seed(0)
    decoder = FaceDiffuserDecoder(DenoiserConfig(feature_width=WIDTH, hidden=8)).eval()
    schedule = cosine_schedule(4)
    audio, noise, preset = torch.randn(1, 9, 2 * WIDTH), torch.randn(1, 9, 52), torch.zeros(1, dtype=torch.long)
    nobody, somebody = torch.zeros(1, 9, 32), torch.ones(1, 9, 32)
    whole, _ = sample(decoder, schedule, audio, nobody, preset, noise)
    other, _ = sample(decoder, schedule, audio, somebody, preset, noise)
    assert torch.equal(whole, other)
    first, hidden = sample(decoder, schedule, audio[:, :4], nobody[:, :4], preset, noise[:, :4])
    second, _ = sample(decoder, schedule, audio[:, 4:], nobody[:, 4:], preset, noise[:, 4:], hidden)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-5, rtol=1e-5)
    louder, _ = sample(decoder, schedule, 3 * audio + 1, nobody, preset, noise)
    assert not torch.allclose(louder, whole)


def test_identities_are_the_speakers_own_or_the_nearest_voices(studies: list[Study], scenes: StudyScenes) -> None:
    study = studies[0]
    trained = study.load(study.variants["distilled-8"])
    table = trained.library.embeddings.weight
    with torch.no_grad():
        torch.testing.assert_close(embeddings(trained, scenes.test, scenes.test_rows), table[[0, 1, 2]])
        stranger = dataclasses.replace(scenes.test, speakers=["stranger"] * 12)
        found = match(trained.library, np.asarray(scenes.test.voices[9:12].mean(1), np.float16))
        torch.testing.assert_close(
            embeddings(trained, stranger, scenes.test_rows), table[found.tolist()], atol=0, rtol=0
        )
        silent = dataclasses.replace(scenes.test, speakers=[""] * 12)
        mean = table.mean(0).expand(3, -1)
        torch.testing.assert_close(embeddings(trained, silent, scenes.test_rows), mean)
        without = study.load(study.variants["distilled-8-no-identity"])
        kept = embeddings(without, scenes.test, scenes.test_rows)
        torch.testing.assert_close(kept, without.library.embeddings.weight.mean(0).expand(3, -1))
    assert match(trained.library, np.zeros((1, WIDTH), np.float16)).tolist() == [-1]


def test_scores_are_repeatable_and_in_range(studies: list[Study], scenes: StudyScenes) -> None:
    trained = studies[0].load(studies[0].variants["distilled-8"])
    made = animate_scenes(trained, scenes.test, scenes.test_rows, 0)
    assert made.shape == (3, FRAMES, 52)
    assert made.min() >= 0 and made.max() <= 1
    assert score(trained, scenes, 0) == score(trained, scenes, 0)
    assert score(trained, scenes, 0)["mbe"] != score(trained, scenes, 1)["mbe"]
    apart = [brow_diversity(takes(trained, scenes, row)) for row in (9, 10, 11)]
    assert score(trained, scenes, 0)["brow_diversity"] == pytest.approx(np.mean(apart)) and min(apart) > 0
    truth = np.asarray(scenes.test.curves[scenes.test_rows], np.float64)
    mean = np.asarray(scenes.train.curves[:9], np.float64).mean((0, 1))
    wanted = np.linalg.norm(truth - mean, axis=2).mean()
    assert constant_pose(scenes)["mbe"] == pytest.approx(wanted, rel=1e-4)


def test_finished_variants_are_kept_and_other_settings_refused(
    studies: list[Study], scenes: StudyScenes, tmp_path: Path
) -> None:
    study = studies[0]
    trained: list[str] = []
    study.train_all(lambda variant: trained.append(variant.name), lambda _: None)
    assert trained == []
    with pytest.raises(EvaluationError, match="other scenes or settings"):
        Study(study.folder.parent, scenes, dataclasses.replace(TINY, frames=30), 0)
    few = StudyScenes.open(write_scenes(tmp_path / "few", 2, seconds=SECONDS, splits=["train", "test"]))
    with pytest.raises(EvaluationError, match="too few speakers"):
        Study(tmp_path, few, TINY, 0)


def test_the_page_says_what_was_measured(results: Results, tmp_path: Path) -> None:
    page = write_results(results, tmp_path / "docs", {}).read_text("utf-8")
    for value in ("0.0969", "0.1177", "0.4094", "1000.9", "4.054", "99.991 %", "no vertex basis was given"):
        assert value in page
    eight = results.values("distilled-8", "lbe_full")
    assert len(eight) == 2
    assert f"{np.mean(eight):.4f} ± {np.std(eight, ddof=1):.4f}" in page
    assert "2 updates, each halving 1" in page
    assert "of 2 seeds" in page
    assert results.corpus in page
    assert set(results.itf) >= {"teacher-32", "distilled-8", "scratch-8", "facediffuser-8", "distilled-1"}
    assert all(timed.itf > 0 and timed.clip_frames == FRAMES for timed in results.itf.values())
    assert results.matching[0].utterances == 9
    rows = [line for line in page.splitlines() if line.startswith("|")]
    heads = [i for i, line in enumerate(rows) if set(line) <= {"|", "-", " "}]
    for start, end in zip(heads, [*heads[1:], len(rows) + 1], strict=True):
        assert len({line.count("|") for line in rows[start - 1 : end - 1]}) == 1, "as many cells in every row"


def test_lip_vertices_are_measured_on_a_basis(studies: list[Study], tmp_path: Path) -> None:
    path = tmp_path / "basis.npz"
    deltas = np.zeros((1, 3, 3))
    deltas[0, 1] = 0, 0, 2.0
    names = np.array(["jawOpen"])
    np.savez(path, names=names, neutral=np.eye(3), deltas=deltas)
    with pytest.raises(EvaluationError, match="'lips'"):
        VertexBasis.open(path)
    np.savez(path, names=names, neutral=np.eye(3), deltas=deltas, lips=np.array([1]))
    scenes, trained = studies[0].scenes, studies[0].load(studies[0].variants["distilled-8"])
    made = animate_scenes(trained, scenes.test, scenes.test_rows, 0)
    error = made[..., 17].astype(np.float64) - np.asarray(scenes.test.curves[scenes.test_rows], np.float64)[..., 17]
    assert score(trained, scenes, 0, VertexBasis.open(path))["lve"] == pytest.approx(
        np.square(2 * error).mean(), rel=1e-5
    )


def test_pictures_are_drawn_and_missing_matplotlib_is_said(
    studies: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = pictures.draw_pictures(studies[0], tmp_path / "images")
    assert len(drawn) == 3
    for file in drawn.values():
        assert file.read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(pictures, "find_spec", lambda _: None)
    with pytest.raises(EvaluationError, match=r"\.\[demo\]"):
        pictures.require_matplotlib()


def test_the_command_trains_measures_and_goes_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, out = tmp_path / "runs", tmp_path / "docs"
    shared = ["evaluate", "--runs", str(runs), "--scenes", str(folder), "--test-limit", "1"]
    assert main(shared) == 2
    assert "holds no denoiser" in capsys.readouterr().err
    command = [*shared, "--tables", "--out", str(out), "--seeds", "1", "--updates", "1", "--stage-updates", "1"]
    command += ["--batch", "1", "--frames", "8", "--hidden", "4", "--no-pictures", "--full-precision"]
    assert main(command) == 0
    assert "distilled-1 trained" in capsys.readouterr().err
    page = (out / "results.md").read_text("utf-8")
    assert main(command) == 0
    said = capsys.readouterr()
    assert "trained, " not in said.err
    assert "## Fewer steps" in said.out
    kept = json.loads((runs / "study-1x1-seed0" / "scratch-8" / "scores.json").read_text("utf-8"))
    figures = next(iter(kept.values()))
    assert f"{figures['lbe_full']:.4f}" in page


def test_the_command_measures_what_a_run_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_scenes(tmp_path / "scenes", 10, splits=["train"] * 9 + ["test"])
    runs = tmp_path / "runs"
    for name, steps in (("denoiser", 2), ("distilled-1", 1)):
        train_denoiser(folder, runs / name, denoise_steps=steps, steps=1, batch=1)
    assert main(["evaluate", "--runs", str(runs), "--scenes", str(folder), "--test-limit", "1"]) == 0
    said = capsys.readouterr().out
    assert said.index("denoiser  ") < said.index("distilled-1")
    scenes = StudyScenes.open(folder, limit=1)
    figures = score(Trained(*load_denoiser(runs / "distilled-1" / "denoiser.safetensors")), scenes, 0)
    assert f"{figures['mbe']:.4f}" in said

"""Finding real clips to score on, and the score of a loudness jaw on them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.lip_score import Listening, captured_motion, loudness_jaw
from diffusiontalker.corpus.store import CorpusError, CorpusWriter
from diffusiontalker.geometry import MODEL_FPS
from diffusiontalker.metrics.capture import agreement, read_take
from diffusiontalker.metrics.lips import gap
from diffusiontalker.metrics.phonetic import ScoredClip, phonetic_lip_score
from diffusiontalker.metrics.recordings import Recording, aligned_recordings, held_out_recordings, read_16k
from diffusiontalker.metrics.speech import as_float
from diffusiontalker.phones import TimedPhone

SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))
needs_speech = pytest.mark.skipif(not (SHARED / "speech").is_dir(), reason="needs recorded speech (LIVETALKER_SHARED)")
needs_capture = pytest.mark.skipif(
    not (SHARED / "capture" / "facegood").is_dir(), reason="needs captured takes (LIVETALKER_SHARED)"
)


def _corpus(folder: Path) -> Path:
    corpus = folder / "talks"
    (corpus / "ann").mkdir(parents=True)
    for clip in ("good", "doubtful", "noisy", "unaligned"):
        soundfile.write(corpus / "ann" / f"{clip}.flac", np.full(1600, 100, np.int16), 16_000)
    quality = "clip\tmean_word_score\tloud_outside_words\ngood\t0.95\t0.1\ndoubtful\t0.8\t0.0\nnoisy\t0.95\t0.2\n"
    (corpus / "alignment_quality.tsv").write_text(quality)
    phones = "clip\tstart\tend\tphone\tword\n" + "".join(
        f"{clip}\t0.00\t0.05\tSIL\t<sil>\n{clip}\t0.05\t0.10\tAA\tah\n" for clip in ("good", "doubtful", "noisy")
    )
    (corpus / "phones_pocketsphinx.tsv").write_text(phones)
    (corpus / "transcripts.tsv").write_text(
        "".join(f"{c}\tann\tah\n" for c in ("good", "doubtful", "noisy", "unaligned"))
    )
    return folder


def test_only_trustworthy_alignments_are_taken(tmp_path: Path) -> None:
    (found,) = aligned_recordings(_corpus(tmp_path))
    assert (found.clip, found.corpus, found.speaker) == ("good", "talks", "talks/ann")
    assert [(p.phone, p.start, p.end) for p in found.phones] == [("SIL", 0.0, 0.05), ("AA", 0.05, 0.1)]
    assert found.samples.dtype == np.int16 and found.samples.shape == (1600,)


def test_a_folder_without_alignments_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no recordings"):
        list(aligned_recordings(tmp_path))
    (_corpus(tmp_path) / "talks" / "phones_pocketsphinx.tsv").unlink()
    with pytest.raises(CorpusError, match="no <corpus>/phones_pocketsphinx.tsv in it"):
        list(aligned_recordings(tmp_path))


def test_a_malformed_phone_is_named_by_line(tmp_path: Path) -> None:
    with (_corpus(tmp_path) / "talks" / "phones_pocketsphinx.tsv").open("a") as file:
        file.write("good\t0.10\t0.09\tAA\tah\n")
    with pytest.raises(CorpusError, match=r"phones_pocketsphinx.tsv, line 8: AA ends at 0.09 s"):
        list(aligned_recordings(tmp_path))


def test_another_sample_rate_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", np.zeros(100, np.int16), 44_100)
    with pytest.raises(ValueError, match="44100"):
        read_16k(tmp_path / "fast.wav")


def test_a_corpus_gives_its_held_out_recordings_only(tmp_path: Path) -> None:
    tone, silence = np.arange(1600, dtype=np.int16), np.zeros(800, np.int16)
    spoken = [TimedPhone("SIL", 0.0, 0.05), TimedPhone("AA", 0.05, 0.1)]
    with CorpusWriter(tmp_path / "corpus") as writer:
        writer.add(clip="a", corpus="recording/talks", speaker="talks/ann", samples=tone, phones=spoken)
        writer.add(
            clip="b", corpus="recording/talks", speaker="talks/bo", samples=tone, phones=spoken, split="held_out"
        )
        writer.add(clip="c", corpus="flite", speaker="flite/slt", samples=tone, phones=spoken, split="held_out")
        quiet = [TimedPhone("SIL", 0.0, 0.05)]
        writer.add(
            clip="d", corpus="recording/talks", speaker="talks/bo", samples=silence, phones=quiet, split="held_out"
        )
    (found,) = held_out_recordings(tmp_path / "corpus")
    assert (found.clip, found.corpus, found.speaker) == ("b", "talks", "talks/bo")
    assert found.phones == tuple(spoken)
    assert np.array_equal(found.samples, tone)


def test_noise_is_added_at_the_asked_ratio_to_the_speech() -> None:
    speech = (3000 * np.sin(np.arange(32_000) * 0.1)).astype(np.int16)
    speech[16_000:] = 0
    recording = Recording("clip", "talks", "talks/ann", speech, ())
    clean, noisy = (Listening(snr, "white", None).apply(recording) for snr in (None, 15.0))
    ratio = np.mean(clean[:15_000] ** 2) / np.mean((noisy - clean)[17_000:] ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(15.0, abs=0.5)
    assert np.array_equal(noisy, Listening(15.0, "white", None).apply(recording))
    assert np.abs(Listening(None, "white", -40.0).apply(recording)).max() == pytest.approx(0.01, rel=1e-3)


@needs_speech
def test_a_loudness_jaw_scores_as_published() -> None:
    recordings = [r for r in aligned_recordings(SHARED / "speech") if r.corpus in ("vctk_excerpts", "an4")]
    clips = [
        ScoredClip(loudness_jaw(as_float(r.samples).astype(np.float32), r), MODEL_FPS, r.phones) for r in recordings
    ]
    score = phonetic_lip_score(clips)
    assert len(clips) > 300
    assert 0.85 <= score.open <= 0.93
    assert score.rounding == 0.5
    assert 0.25 <= score.closure <= 0.45


@needs_capture
def test_captured_mouths_follow_loudness_and_move_plausibly() -> None:
    takes = [read_take(path) for path in sorted((SHARED / "capture" / "facegood").glob("*.csv"))]
    assert [take.fps for take in takes] == [30] * len(takes)
    motion = captured_motion(takes)
    assert motion is not None
    assert motion.speed == pytest.approx(1.85, abs=0.05)
    assert motion.jerk == pytest.approx(1595, abs=50)
    for take in takes:
        assert take.sound is not None
        samples = read_16k(take.sound)
        jaw = loudness_jaw(as_float(samples).astype(np.float32), Recording(take.name, "", "", samples, ()))
        assert agreement(gap(jaw), gap(take.frames), take.fps).correlation > 0.6

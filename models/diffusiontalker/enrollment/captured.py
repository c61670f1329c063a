"""A new speaker from a captured corpus: the voice finds the speaker again, the face gives the style."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from diffusiontalker.bundle import Bundle
from diffusiontalker.captures.store import CaptureCorpus
from diffusiontalker.enrollment.face import fit_embedding
from diffusiontalker.enrollment.library import Speaker, speaker_by_voice
from diffusiontalker.enrollment.voice import EnrollmentError, VoiceListener
from diffusiontalker.export.bundle_reader import read_modules
from diffusiontalker.training.captured_scenes import build_captured_scenes
from diffusiontalker.training.scenes import Scenes


def speaker_by_face(
    bundle: Bundle,
    name: str,
    captures: Path,
    *,
    steps: int = 300,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> Speaker:
    """Learn a speaker's embedding from paired voice and face; nothing else of the model moves.

    The search starts at the blend of those who sound most alike, so that a little data is enough.

    Args:
        bundle: whose encoder hears and whose denoiser animates.
        name: of the new speaker.
        captures: folder of a captured corpus of this one person.
        steps: of the optimiser.
        seed: of crops and noise.
        report: called with the step and its loss.

    Raises:
        EnrollmentError: the corpus holds several people, or too little voice or face.
    """
    corpus = CaptureCorpus.open(captures)
    people = sorted({take.speaker for take in corpus.takes})
    if len(people) > 1:
        raise EnrollmentError(
            f"{captures} holds {', '.join(people)}: enrol one person at a time, from a corpus of their own"
        )
    clips = [corpus.audio(take).astype(np.float32) / np.float32(32768) for take in corpus.takes]
    blended = speaker_by_voice(bundle, name, VoiceListener(bundle).pooled(clips))
    modules = read_modules(bundle)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "scenes"
        build_captured_scenes(
            captures,
            modules.encoder,
            folder,
            speech=lambda features: modules.phone_head.speech(features)[..., 0],
            seed=seed,
        )
        embedding = fit_embedding(
            modules.denoiser,
            modules.schedule,
            Scenes.open(folder),
            blended.embedding,
            steps=steps,
            seed=seed,
            report=report,
        )
    return Speaker(name, blended.feature, embedding)

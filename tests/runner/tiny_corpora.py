"""Tiny corpora under the real names: noise of 20 ms a file, with every speaker, label and fold that protocols need."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from serbench.corpora import cremad, emodb, ravdess, savee, tess

RATE = 16_000
# Of each block of CREMA-D's official folds.
ACTORS = (1001, 1002, 1019, 1020, 1037, 1038, 1055, 1056, 1073, 1074)
WORDS = ("back", "bar", "base", "bath", "bean", "beg")


def make_tiny_corpora(root: Path) -> Path:
    """Write all corpora of the packaged suites below a data root and return it."""
    noise = np.random.default_rng(0)
    for name in names():
        path = root / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise.normal(0, 0.1, RATE // 50), RATE)
    return root


def names() -> Iterator[str]:
    """``corpus/stem`` of every file."""
    for emotion, actor in product(ravdess.EMOTIONS, ravdess.ACTORS):
        yield f"ravdess_speech/03-01-{emotion}-01-01-01-{actor}"
    for emotion, actor in product(list(ravdess.EMOTIONS)[: len(ravdess.SONG_EMOTIONS)], ravdess.SINGERS):
        yield f"ravdess_song/03-02-{emotion}-01-01-01-{actor}"
    for speaker, letter, text in product(emodb.GENDERS, emodb.EMOTIONS, ("a01", "a02")):
        yield f"emodb/{speaker}{text}{letter}a"
    for speaker, code, number in product(savee.SPEAKERS, savee.EMOTIONS, range(1, 6)):
        yield f"savee/{speaker}_{code}{number:02d}"
    for speaker, word, code in product(("OAF", "YAF"), WORDS, tess.EMOTIONS):
        yield f"tess/{speaker}_{word}_{code}"
    for actor, code in product(ACTORS, cremad.EMOTIONS):
        yield f"cremad/{actor}_IEO_{code}_XX"

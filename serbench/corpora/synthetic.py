"""A synthetic corpus, made on first use: so that everything can be tried, and tested, without any download."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.errors import CorpusError
from serbench.identity import seed_for
from serbench.specs import CorpusSpec

VERSION = "1"
LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
NAME = re.compile(rf"(0[1-8])_({'|'.join(LABELS)})_([ab])_([123])")
_REFERENCE_LEVEL = -27.0  # dB of full scale that a neutral voice has
_FLOOR = 3e-4  # recording noise, relative to full scale
_PEAK = 0.95


def load(root: Path, seed: int = 0) -> pd.DataFrame:
    """Read the corpus of a seed below the cache folder `root`; it is made first if it is not there.

    Raises
    ------
    CorpusError
        If it cannot be written.
    """
    folder = root / f"v{VERSION}-seed{int(seed)}"
    if not folder.is_dir():
        _make(folder, int(seed))
    return table_from_names(folder, _fields, pattern=NAME)


def utterances(seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Every utterance of a seed: its name and its samples at 16 kHz, float32 in [-1, 1].

    An utterance depends on the seed and its own name only.
    """
    from serbench.corpora.synthesis.prosody import SENTENCES, TAKES, act, cast
    from serbench.corpora.synthesis.voice import speak

    for speaker, emotion, sentence, take in product(cast(seed), LABELS, SENTENCES, TAKES):
        name = f"{speaker.name}_{emotion}_{sentence}_{take}"
        rng = np.random.default_rng(seed_for(seed, name))
        signal = speak(act(speaker, emotion, sentence, rng), rng) * 10 ** (_REFERENCE_LEVEL / 20)
        signal += _FLOOR * rng.standard_normal(len(signal))
        yield name, (signal * min(1.0, _PEAK / np.abs(signal).max())).astype(np.float32)


def _make(folder: Path, seed: int) -> None:
    # Written aside and renamed, so that a folder that is there is whole; the lock spares a second process the work.
    import soundfile
    from filelock import FileLock

    from serbench.corpora.audio import RATE

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock", fallback_to_soft=False):
            if folder.is_dir():
                return
            draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
            try:
                for name, signal in utterances(seed):
                    soundfile.write(draft / f"{name}.flac", signal, RATE, subtype="PCM_16")
                draft.chmod(0o755)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise CorpusError(
            f"the synthetic corpus cannot be made: {error}",
            where=str(folder),
            hint="free space or choose another folder (--cache)",
        ) from error


def _fields(match: re.Match[str]) -> Fields:
    speaker, emotion, sentence, take = match.groups()
    return {
        "speaker": speaker,
        "label": emotion,
        "gender": "f" if int(speaker) % 2 else "m",
        "text": sentence,
        "take": take,
        "official_fold": str((int(speaker) + 1) // 2),
    }


SYNTHETIC = CorpusSpec(
    name="synthetic",
    version=VERSION,
    language="none (synthetic)",
    licence="MIT, made by serbench",
    citation="made by serbench; not human speech: say so wherever a figure from it appears",
    homepage="",
    labels=LABELS,
    load=load,
    utterances=336,
    speakers=8,
    official_folds="one woman and one man a fold",
    options={"seed": 0},
    embedded=True,
    emotions={label: label for label in LABELS},
    terms="say wherever a figure from it appears that it is no human speech",
    elicitation="synthetic",
    hours=0.18,
    verified="on the real corpus",
)

"""Which release of a corpus lies here: fingerprints of the usual ones, speaker by speaker.

The fingerprint of a speaker is a hash of the utterances' names and of their decoded samples at 16 kHz, mono, 16 bits.
It is the same for WAV and FLAC, and for a part of a corpus that holds whole speakers; a release at another rate, or one
that was resampled by other hands, has other samples and moves scores by up to a point.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.corpora.audio import decode
from serbench.errors import AudioError

KNOWN = Path(__file__).with_name("releases.json")
DIGITS = 12
_THREADS = 2


def speaker_fingerprints(table: pd.DataFrame) -> dict[str, str]:
    """Fingerprint of each speaker's files; those that cannot be decoded are left out.

    Parameters
    ----------
    table : DataFrame
        Columns `utterance`, `path` and `speaker`.
    """
    ordered = table.sort_values("utterance")
    with ThreadPoolExecutor(_THREADS) as pool:
        hashes = list(pool.map(_samples_hash, ordered["path"]))
    found: dict[str, hashlib.blake2b] = {}
    for name, speaker, samples in zip(ordered["utterance"], ordered["speaker"], hashes, strict=True):
        if samples:
            found.setdefault(speaker, hashlib.blake2b(digest_size=16)).update(f"{name} {samples}\n".encode())
    return {speaker: state.hexdigest()[:DIGITS] for speaker, state in sorted(found.items())}


def which_release(corpus: str, found: Mapping[str, str]) -> str:
    """Say which known release of a corpus holds the speakers found, or which of them differ from the nearest one."""
    whole = hashlib.blake2b(json.dumps(found, sort_keys=True).encode(), digest_size=16).hexdigest()[:DIGITS]
    start = f"samples at 16 kHz: {whole}"
    releases: dict[str, dict[str, str]] = json.loads(KNOWN.read_text(encoding="utf-8")).get(corpus, {})
    if not releases:
        return f"{start} (no release of {corpus} is known here)"
    equal = {name: [who for who in found if speakers.get(who) == found[who]] for name, speakers in releases.items()}
    name = max(equal, key=lambda name: len(equal[name]))
    if len(equal[name]) == len(found):
        part = (
            "" if len(found) == len(releases[name]) else f", {len(found)} of its {len(releases[name])} known speakers"
        )
        return f"{start}, as in: {name}{part}"
    if not equal[name]:
        return f"{start}, as in no release known here ({'; '.join(releases)})"
    others = [who for who in found if who not in equal[name]]
    return f"{start}, as in: {name}, but for {len(others)} of {len(found)} speakers: {', '.join(others[:8])}"


def _samples_hash(path: str) -> str:
    try:
        samples = np.rint(decode(path) * 2.0**15).astype("<i4")
    except AudioError:
        return ""
    return hashlib.blake2b(samples, digest_size=16).hexdigest()

"""The utterances that a corpus here knows of, for splits that others made; of a manifest also those without audio."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from serbench.circumstances import Circumstances
from serbench.corpora.loading import open_corpus
from serbench.corpora.manifest import MANIFEST, listed_utterances
from serbench.corpora.presence import corpus_present
from serbench.specs import CorpusSpec


def known_utterances(spec: CorpusSpec, circumstances: Circumstances) -> pd.DataFrame | None:
    """Task table of a corpus, `content` "" where there is no audio; None where the corpus is absent."""
    if not corpus_present(spec, circumstances):
        return None
    # Doubled recordings are what an audit looks for: they must not be dropped here.
    keep = {"defects": "keep"}
    if spec.load is not MANIFEST.load:
        return open_corpus(spec, circumstances, options=keep).table
    listed = listed_utterances(circumstances.corpus_root(spec.name), **spec.options)
    there = [Path(path).is_file() for path in listed["path"]]
    silent = listed[[not exists for exists in there]].reset_index(drop=True)
    speakers = silent["speaker"] if "speaker" in silent else pd.Series("", index=silent.index)
    silent = silent.assign(
        id=spec.name + "/" + silent["utterance"].astype(str),
        corpus=spec.name,
        speaker=[f"{spec.person_prefix}/{name}" if name else "" for name in speakers.fillna("")],
        content="",
    )
    tables = [open_corpus(spec, circumstances, options=keep).table] if any(there) else []
    return pd.concat([*tables, silent], ignore_index=True)

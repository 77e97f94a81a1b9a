"""What a corpus must keep to: a card that says what it is, and a `load` that gives the utterance table."""

from __future__ import annotations

from pathlib import Path

from serbench.circumstances import Circumstances
from serbench.contracts import Check, NotApplicable, expect, run_checks
from serbench.corpora.loading import read_names
from serbench.corpora.presence import absent_error, corpus_present
from serbench.specs import CorpusSpec

CARD = ("version", "language", "licence", "citation")


def check_corpus(spec: CorpusSpec, circumstances: Circumstances) -> list[Check]:
    """Check a corpus: its labels, its card, and what it loads where the circumstances say that it is.

    Parameters
    ----------
    spec : CorpusSpec
    circumstances : Circumstances
        An absent corpus leaves its `load` unchecked, and the check says so.
    """

    def labels() -> str:
        expect(spec.labels and len(set(spec.labels)) == len(spec.labels), "labels are empty or not unique")
        return ", ".join(spec.labels)

    def card() -> None:
        missing = [name for name in CARD if not getattr(spec, name)]
        expect(not missing, f"the card says nothing on {', '.join(missing)}")

    def load() -> str:
        if not corpus_present(spec, circumstances):
            absent = absent_error(spec, circumstances)
            raise NotApplicable(f"no audio in {absent.where}: {absent.hint}")
        table = read_names(spec, circumstances, spec.options)
        absent = [path for path in table["path"] if not Path(path).is_file()]
        expect(not absent, f"{len(absent)} paths are no files, such as {next(iter(absent), '')}")
        speakers = set(table["speaker"]) - {""}
        return f"{len(table)} utterances of {len(speakers) or 'unknown'} speakers"

    return run_checks({"labels": labels, "card": card, "load": load})

"""What every protocol must do, checked on a made-up corpus: for the package's own protocols and for plug-ins alike."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from serbench.contracts import Check, NotApplicable, expect, run_checks
from serbench.errors import ProtocolError
from serbench.protocols.promises import check_split
from serbench.specs import ProtocolSpec, Split


def check_protocol(spec: ProtocolSpec) -> list[Check]:
    """Check a protocol against its contract; none of the checks raises."""
    checks = {"folds": _folds, "promise": _promise, "same seed, same folds": _repeatable}
    return run_checks({name: partial(check, spec) for name, check in checks.items()})


def made_up_table() -> pd.DataFrame:
    """Task table of two corpora, eight speakers, three labels, five sentences and two takes."""
    rows = [
        {
            "id": f"{corpus}/{speaker}-{label}-{text}-{take}",
            "corpus": corpus,
            "utterance": f"{speaker}-{label}-{text}-{take}",
            "path": f"{corpus}/{speaker}-{label}-{text}-{take}.wav",
            "speaker": f"{corpus}/{speaker}",
            "label": label,
            "gender": "fm"[speaker % 2],
            "text": f"sentence {text}",
            "take": str(take),
            "official_fold": str(speaker % 4),
            "content": f"{corpus}{speaker}{label}{text}{take}",
        }
        for corpus, speaker, label, text, take in product(
            ("one", "two"), range(8), ("angry", "neutral", "sad"), range(5), range(2)
        )
    ]
    table = pd.DataFrame(rows).assign(intensity="", duration=2.0)
    return table.sort_values("id", ignore_index=True)


def _split(spec: ProtocolSpec, table: pd.DataFrame) -> list[Split]:
    try:
        return spec.split(table, 0, **spec.params)
    except ProtocolError as error:
        raise NotApplicable(f"cannot split the made-up corpus: {error.what}") from error


def _folds(spec: ProtocolSpec) -> str:
    table = made_up_table()
    splits = _split(spec, table)
    known = set(table["id"])
    expect(splits, "no folds")
    expect(len({split.fold for split in splits}) == len(splits), "two folds carry the same name")
    for split in splits:
        train, test = set(split.train), set(split.test)
        expect(train and test, f"fold {split.fold}: an empty side")
        expect(not train & test, f"fold {split.fold}: utterances on both sides")
        expect(train | test <= known, f"fold {split.fold}: utterances that are not in the table")
    return f"{len(splits)} folds"


def _promise(spec: ProtocolSpec) -> str:
    table = made_up_table()
    for split in _split(spec, table):
        check_split(table, split, spec.independence, protocol=spec.name)
    return ", ".join(sorted(spec.independence)) or "promises nothing"


def _repeatable(spec: ProtocolSpec) -> None:
    table = made_up_table()
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    first, second = ({s.fold: (set(s.train), set(s.test)) for s in _split(spec, rows)} for rows in (table, shuffled))
    expect(first == second, "another row order gives other folds")

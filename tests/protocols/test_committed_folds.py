"""The folds of the committed results come out of today's protocols, from the names of the utterances alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from serbench.protocols.splitting import complete, split
from serbench.registry import build_registry
from serbench.reporting.frozen import frozen_records, frozen_splits

FROZEN = sorted((Path(__file__).parents[2] / "results").glob("*/frozen.parquet"))


def names_read(corpus: str, ids: list[str], folder: Path) -> pd.DataFrame:
    """Task table of some utterances of packaged corpora: adapters read names, so empty files will do."""
    tables = []
    for name in corpus.split("+"):
        spec = build_registry().get("corpus", name)
        for id_ in ids:
            if id_.startswith(f"{name}/"):
                (folder / name).mkdir(exist_ok=True)
                (folder / name / f"{id_.partition('/')[2]}.wav").touch()
        raw = spec.load(folder / name, **spec.options)
        speakers = [f"{spec.person_prefix}/{speaker}" for speaker in raw["speaker"]]
        tables.append(raw.assign(id=f"{name}/" + raw["utterance"], corpus=name, speaker=speakers))
    return complete(pd.concat(tables, ignore_index=True))


def cases():
    for path in FROZEN:
        cells = [record.cell for record in frozen_records(path) if record.status != "skipped"]
        cells = {(cell.corpus, cell.protocol_name, cell.seed): cell for cell in cells}
        for key, cell in cells.items():
            if "synthetic" not in cell.corpus:
                yield pytest.param(path, key, cell, id=f"{path.parent.name}-{key[1]}-{key[2]}")


@pytest.mark.parametrize(("path", "key", "cell"), list(cases()))
def test_committed_folds_are_todays(path, key, cell, tmp_path):
    known = frozen_splits(path)
    known = known[(known["corpus"] == key[0]) & (known["protocol"] == key[1]) & (known["seed"] == key[2])]
    ids = sorted(set(known["utterance"]))
    originals = names_read(cell.corpus, [name for name in ids if "#" not in name], tmp_path)
    marks = sorted({mark + number for _, mark, number in (name.partition("#") for name in ids)})
    table = pd.concat([originals.assign(id=originals["id"] + mark) for mark in marks], ignore_index=True)
    assert sorted(table["id"]) == ids
    own = [cell.labels["map"][corpus] for corpus in table["corpus"]]
    table["label"] = [names[label] for names, label in zip(own, table["label"], strict=True)]
    found = split(table, cell.protocol["name"], cell.seed, **cell.protocol["params"])
    sides = {(fold, role): set(rows) for (fold, role), rows in known.groupby(["fold", "role"])["utterance"]}
    assert {(fold.fold, role): set(getattr(fold, role)) for fold in found for role in ("train", "test")} == sides

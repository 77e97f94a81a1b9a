"""nEMO: emotional speech in Polish."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, files_below, table_from_names
from serbench.errors import CorpusError
from serbench.specs import CorpusSpec, Source

TABLE = "data.tsv"
COLUMNS = ("file_id", "raw_text", "gender", "age")
NAME = re.compile(r"([A-Z]{2}\d)_(anger|fear|happiness|neutral|sadness|surprised)_(\d{1,2})")
LABELS = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
GENDERS = {"female": "f", "male": "m"}


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files, and texts and speakers from `data.tsv`.

    Raises
    ------
    CorpusError
        If there is no `data.tsv`, it cannot be read, or it lacks a column.
    """
    known = _read_table(root)
    return table_from_names(root, partial(_read_name, known=known), expected=[Path(name).stem for name in known])


def _read_table(root: Path) -> dict[str, dict[str, str]]:
    files = sorted((path for path in files_below(root) if path.name == TABLE), key=lambda path: len(path.parts))
    if not files:
        raise CorpusError(
            f"nEMO's {TABLE} is not there", where=str(root), hint=f"put {TABLE} of its repository into the folder"
        )
    try:
        table = pd.read_csv(files[0], sep="\t", dtype=str, keep_default_na=False, quoting=3)
    except (OSError, ValueError) as error:
        raise CorpusError(f"cannot be read: {error}", where=str(files[0]), hint="fetch it again") from error
    if absent := [name for name in COLUMNS if name not in table]:
        raise CorpusError(
            f"lacks the column {', '.join(absent)}", where=str(files[0]), hint="fetch it again from nEMO's repository"
        )
    return {row["file_id"].strip(): row for row in table[list(COLUMNS)].to_dict("records")}


def _read_name(path: Path, known: dict[str, dict[str, str]]) -> Fields | None:
    match = NAME.fullmatch(path.stem)
    row = known.get(f"{path.stem}.wav")
    if match is None or row is None:
        return None
    gender = GENDERS.get(row["gender"].strip(), "")
    return {"speaker": match[1], "label": match[2], "gender": gender, "text": row["raw_text"], "age": row["age"]}


NEMO = CorpusSpec(
    name="nemo",
    version="1",
    language="Polish",
    licence="CC BY-NC-SA 4.0",
    citation="Christop (2024), nEMO: Dataset of emotional speech in Polish, LREC-COLING, 12111-12116",
    homepage="https://github.com/amu-cai/nEMO",
    labels=LABELS,
    load=load,
    utterances=4481,
    speakers=9,
    emotions={
        "anger": "angry",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprised": "surprised",
    },
    terms="no commercial use; share alike; name the authors",
    elicitation="acted",
    hours=3.1,
    verified="on its documented names",
    sources=(Source(url="https://github.com/amu-cai/nEMO/archive/HEAD.zip"),),
    keep=(f"*/{TABLE}",),
)

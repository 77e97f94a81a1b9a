"""Folds that the user prescribes, in a file or in a manifest's column `official_fold`; they promise nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.errors import ProtocolError
from serbench.identity import digest
from serbench.protocols.prescribed import prescribed_splits
from serbench.protocols.tables import enumerate_some, need_known, prepare
from serbench.specs import ProtocolSpec, Split

PROTOCOL = "fixed"


def split(table: pd.DataFrame, seed: int, *, file: str = "", partial: bool = False, content: str = "") -> list[Split]:
    """One split per fold of the file, or of the column `official_fold`; the seed changes nothing.

    Parameters
    ----------
    file : str
        CSV with the columns `utterance` (or `id`; both may say `corpus/utterance`) and `fold`: the fold in which the
        utterance is tested, or "train" for one that never is. Empty: the table's own `official_fold`.
    partial : bool
        Accept that the file names utterances which the table lacks (a label map dropped them) and
        leaves out some that it has (they are on neither side).
    content : str
        Hash of the file's content as `pin` gives it; a file changed since then raises.

    Raises
    ------
    ProtocolError
        If the file cannot be read, lacks a column, names an utterance twice, names unknown ones or
        leaves some out, or if a fold has an empty part.
    """
    table = prepare(table, PROTOCOL)
    if not file:
        if (table["official_fold"] == "").all():
            raise ProtocolError(
                "no folds are given", where=PROTOCOL, hint="set the parameter file, or the manifest's official_fold"
            )
        if not partial:
            need_known(table, "official_fold", PROTOCOL, "give every utterance a fold, or set partial: true")
        return prescribed_splits(table, table["official_fold"].astype(str), PROTOCOL)
    if content and content != _hash(file):
        raise ProtocolError("the file changed since the run was planned", where=file, hint="run again")
    return prescribed_splits(table, _folds_from(file, table, partial), PROTOCOL)


def pin(params: Mapping[str, Any]) -> dict[str, Any]:
    """Add the hash of the file's content to the parameters, so that a changed file is another split."""
    return {**params, "content": _hash(params["file"])} if params.get("file") else dict(params)


def _hash(file: str) -> str:
    try:
        return digest(Path(file).read_bytes(), 16)
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error


def _unreadable(file: str, reason: str) -> ProtocolError:
    return ProtocolError(
        f"cannot read the folds: {reason}", where=file, hint="give a CSV file with the columns utterance and fold"
    )


def _folds_from(file: str, table: pd.DataFrame, partial: bool) -> pd.Series:
    listed = _read(file)
    key = max(("utterance", "id"), key=lambda column: listed["utterance"].isin(table[column]).sum())
    if key == "utterance" and table[key].duplicated().any():
        raise ProtocolError(
            "the merged corpora share utterance names", where=file, hint="write corpus/utterance in the column id"
        )
    if doubled := sorted(set(listed["utterance"][listed["utterance"].duplicated()])):
        raise ProtocolError(
            f"utterances are listed twice: {enumerate_some(doubled)}", where=file, hint="give each utterance one fold"
        )
    unknown = sorted(set(listed["utterance"]) - set(table[key]))
    left_out = sorted(set(table[key]) - set(listed["utterance"]))
    if len(unknown) == len(listed):
        raise ProtocolError(
            f"none of its {len(listed)} utterances is in the corpus: {enumerate_some(unknown)}",
            where=file,
            hint=f"the corpus names its utterances like {table[key].iloc[0]}",
        )
    for names, fault in ((unknown, "names unknown utterances"), (left_out, "leaves out utterances")):
        if names and not partial:
            raise ProtocolError(
                f"{fault} ({len(names)}): {enumerate_some(names)}",
                where=file,
                hint="correct the file, or set the parameter partial: true if that is meant",
            )
    return table[key].map(dict(zip(listed["utterance"], listed["fold"], strict=True))).fillna("")


def _read(file: str) -> pd.DataFrame:
    try:
        listed = pd.read_csv(file, dtype=str, keep_default_na=False, comment="#", skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise _unreadable(file, str(error)) from error
    key = "id" if "id" in listed else "utterance"
    if absent := sorted({key, "fold"} - set(listed)):
        raise ProtocolError(
            f"has no column {', '.join(absent)}; it has {', '.join(listed)}",
            where=file,
            hint="the columns are utterance and fold",
        )
    return listed[[key, "fold"]].set_axis(["utterance", "fold"], axis=1).apply(lambda column: column.str.strip())


FIXED = ProtocolSpec(
    name=PROTOCOL,
    version="1",
    split=split,
    params={"file": "", "partial": False, "content": ""},
    pin=pin,
    description="folds from a file (utterance, fold) or a manifest; nothing is promised, the audit tells",
)

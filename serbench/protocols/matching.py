"""Finding the utterances of a published split in a corpus, by its audio where it is there, else by names alone."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.errors import ProtocolError, SerbenchError
from serbench.protocols.audit import audit_split
from serbench.protocols.external_files import name_variants
from serbench.protocols.sharing import SharingTable
from serbench.protocols.splitting import complete
from serbench.protocols.tables import enumerate_some
from serbench.protocols.verdict import Verdict
from serbench.specs import CorpusSpec, Split


def match_listing(
    listing: pd.DataFrame, spec: CorpusSpec, table: pd.DataFrame | None, *, where: str
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Find each listed utterance in a corpus and take speaker, text and label from there.

    Parameters
    ----------
    listing : DataFrame
        As `read_split_file` and `read_fold_folder` give it.
    spec : CorpusSpec
        Its adapter reads the names of utterances whose audio is absent.
    table : DataFrame or None
        Task table of the corpus; None where its audio is absent.
    where : str
        The file or folder, for messages.

    Returns
    -------
    listing : DataFrame
        Of the utterances found, with the column `id`.
    table : DataFrame
        Task table rows of the listed utterances; `content` is "" where the audio is absent.
    notes : list of str
        Naming the utterances that the corpus does not have.

    Raises
    ------
    ProtocolError
        If it has none of them.
    """
    entries = listing[["name", "path"]].drop_duplicates(ignore_index=True)
    variants = [name_variants(name, path, spec.name) for name, path in entries.itertuples(index=False)]
    known = (
        {} if table is None else {_plain(name): id_ for name, id_ in zip(table["utterance"], table["id"], strict=True)}
    )
    found = [next((known[_plain(name)] for name in names if _plain(name) in known), None) for names in variants]
    missing = [position for position, id_ in enumerate(found) if id_ is None]
    named = _from_names(spec, {position: variants[position] for position in missing})
    for position, id_ in zip(named["entry"], named["id"], strict=True):
        found[position] = id_
    unknown = [entries["name"].iloc[position] for position, id_ in enumerate(found) if id_ is None]
    said = f"{len(unknown)} of {len(entries)} utterances are unknown to {spec.name}: {enumerate_some(unknown)}"
    if len(unknown) == len(entries):
        raise ProtocolError(said, where=where, hint="is it the split of another corpus?")
    notes = [f"{said}; the others are audited"] if unknown else []
    ids = dict(zip(entries.itertuples(index=False, name=None), found, strict=True))
    keys = listing[["name", "path"]].itertuples(index=False, name=None)
    rows = [named.drop(columns="entry"), *([] if table is None else [table])]
    merged = complete(pd.concat(rows, ignore_index=True)).drop_duplicates("id")
    matched = listing.assign(id=[ids[key] for key in keys]).dropna(subset="id")
    return matched, merged[merged["id"].isin(found)].reset_index(drop=True), notes


def listing_as_table(listing: pd.DataFrame, contents: dict[str, str] | None = None) -> pd.DataFrame:
    """Task table of a listing that stands for itself, without a corpus.

    Parameters
    ----------
    contents : dict, optional
        Hash of the decoded audio by `path`, where the files are there.
    """
    first = listing.drop_duplicates("name", ignore_index=True)
    content = [(contents or {}).get(path, "") for path in first["path"]]
    return complete(first.assign(id=first["name"], corpus="", utterance=first["name"], content=content))


def external_splits(listing: pd.DataFrame, *, where: str) -> list[Split]:
    """Turn a listing with `id` into splits, one per fold.

    Raises
    ------
    ProtocolError
        If an utterance is on both sides of a fold, or a side of one is empty.
    """
    splits = []
    for fold, rows in listing.groupby("fold", sort=False):
        train, test = (tuple(dict.fromkeys(rows.loc[rows["role"] == role, "id"])) for role in ("train", "test"))
        if both := sorted(set(train) & set(test)):
            raise ProtocolError(
                f"fold {fold}: {len(both)} utterances are in both training and test: {enumerate_some(both)}",
                where=where,
                hint="each utterance belongs to one side",
            )
        if not (train and test):
            raise ProtocolError(
                f"fold {fold}: no {'test' if train else 'training'} utterance is known to the corpus",
                where=where,
                hint="is it the split of another corpus?",
            )
        splits.append(Split(str(fold), train, test))
    return splits


def audit_splits(table: pd.DataFrame, splits: list[Split], notes: Sequence[str] = ()) -> dict[str, Any]:
    """Audit every fold and sum up.

    Parameters
    ----------
    notes : sequence of str
        What was noted before, such as by `match_listing`.

    Returns
    -------
    dict
        ``{"verdict", "speaker_independent", "notes", "folds": [{"fold", "train", "test", "speakers", **audit}]}``;
        the verdict names every kind of leak that any fold has.
    """
    folds, sharing = [], SharingTable(table)
    for split in splits:
        tested = table.loc[table["id"].isin(split.test), "speaker"]
        counts = {"train": len(split.train), "test": len(split.test), "speakers": len(set(tested) - {""})}
        folds.append({"fold": split.fold, **counts, **audit_split(sharing, split)})
    verdict = Verdict.over(folds)
    silent = int((table["content"] == "").sum())
    unseen = f"the audio of {silent} of {len(table)} utterances is absent: equal recordings are not seen"
    return {
        "verdict": str(verdict),
        "speaker_independent": verdict == Verdict(),
        "notes": [*notes, *([unseen] if silent else [])],
        "folds": folds,
    }


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def _from_names(spec: CorpusSpec, variants: dict[int, list[str]]) -> pd.DataFrame:
    """Let the adapter read names: it gets empty files, since adapters read names and no audio."""
    empty = pd.DataFrame({"entry": pd.Series(dtype=int), "id": pd.Series(dtype=str), "label": pd.Series(dtype=str)})
    # A user's own corpus (a folder, a manifest) has no names that could be read without it.
    if not variants or spec.embedded or not spec.labels:
        return empty
    with tempfile.TemporaryDirectory() as folder:
        for position, names in variants.items():
            place = Path(folder, str(position))
            place.mkdir()
            for name in names:
                (place / f"{name}.wav").touch()
        try:
            raw = spec.load(Path(folder), **spec.options)
        except SerbenchError:
            return empty
        if raw.empty:
            return empty
        entries = [int(Path(path).relative_to(folder).parts[0]) for path in raw["path"]]
    return raw.assign(
        entry=entries,
        id=spec.name + "/" + raw["utterance"],
        corpus=spec.name,
        speaker=[f"{spec.person_prefix}/{speaker}" if speaker else "" for speaker in raw["speaker"]],
        content="",
    )

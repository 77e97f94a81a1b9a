"""Reading splits that someone else made: a CSV file, or a folder of fold files as benchmarks publish them.

Both become a *listing*: one row per fold and utterance with the columns `fold`, `role` ("train" or
"test"), `name`, `path`, `speaker`, `text` and `label`; what a file does not say is "".
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from serbench.errors import ProtocolError
from serbench.protocols.tables import enumerate_some

LISTING_COLUMNS = ("fold", "role", "name", "path", "speaker", "text", "label")
# A validation part chooses the model, so it stands on the side of training.
ROLES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "train"),
    **dict.fromkeys(("test", "testing", "te", "eval", "evaluation"), "test"),
}
NAME_COLUMNS = ("utterance", "id", "key", "name", "file", "filename")
PATH_COLUMNS = ("path", "wav", "audio")
ROLE_COLUMNS = ("set", "split", "role", "part", "partition")
ASIDE = {"speaker": ("speaker", "spk", "actor"), "text": ("text", "sentence"), "label": ("label", "emo", "emotion")}
FOLD_FILE = re.compile(r"_(train|valid|val|dev|test)_?fold_?([^_.]+)$", re.IGNORECASE)


def read_split_file(file: Path) -> pd.DataFrame:
    """Read a CSV that says of each utterance on which side it is.

    Parameters
    ----------
    file : Path
        Columns `utterance` or `path`; `set` (train, validation or test); optionally `fold`, `speaker`, `text`
        and `label`. Usual other names of these columns are understood.

    Raises
    ------
    ProtocolError
        If it cannot be read, lacks a column, or holds an unknown set.
    """
    try:
        rows = pd.read_csv(file, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise ProtocolError(
            f"cannot read the split: {error}", where=str(file), hint="give a CSV with the columns utterance and set"
        ) from error
    rows.columns = [str(name).strip().lower() for name in rows.columns]
    names, paths, roles = (_find(rows, columns) for columns in (NAME_COLUMNS, PATH_COLUMNS, ROLE_COLUMNS))
    if roles is None or (names is None and paths is None):
        absent = "set" if roles is None else "utterance or path"
        raise ProtocolError(
            f"has no column {absent}; it has {', '.join(rows)}",
            where=str(file),
            hint="the columns are utterance (or path), speaker and set (train, validation or test)",
        )
    listing = pd.DataFrame(
        {
            "fold": rows.get("fold", "1"),
            "role": rows[roles].str.strip(),
            "name": rows[names if names is not None else paths].str.strip(),
            "path": rows[paths].str.strip() if paths is not None else "",
            **{name: _aside(rows, columns) for name, columns in ASIDE.items()},
        }
    )
    return _checked(listing, str(file))


def read_fold_folder(folder: Path, corpus: str) -> pd.DataFrame:
    """Read fold files such as EmoBox': ``fold_N/<corpus>_{train,valid,test}_fold_N.jsonl`` or `.json`.

    A file holds one JSON object per line with a `key`, or one object of objects by key; `wav` and
    `emo` are read where they are there. Two files for one part (both formats) must list the same.

    Parameters
    ----------
    corpus : str
        Name of the corpus, for the message where there is nothing.

    Raises
    ------
    ProtocolError
        If there is no fold file, one cannot be read, or two contradict each other.
    """
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".json", ".jsonl"))
    parts: dict[tuple[str, str], list[Path]] = {}
    for path in files:
        if match := FOLD_FILE.search(path.stem):
            parts.setdefault((match[2], match[1].lower()), []).append(path)
    if not parts:
        raise ProtocolError(
            f"no fold files of {corpus}" if corpus else "no fold files",
            where=str(folder),
            hint=f"they are named like fold_1/{corpus or 'emodb'}_train_fold_1.jsonl",
        )
    rows = [row for (fold, role), paths in parts.items() for row in _read_part(fold, role, paths)]
    return _checked(pd.DataFrame(rows, columns=list(LISTING_COLUMNS)), str(folder))


def with_speakers(listing: pd.DataFrame, expression: str) -> pd.DataFrame:
    """Fill in speakers that the listing does not name, from the names of utterances.

    Parameters
    ----------
    expression : str
        Searched in the name; its first group, or the whole match, is the speaker. Empty: nothing is filled in.

    Raises
    ------
    ProtocolError
        If it is no regular expression, or does not match every name: a speaker unnoticed would leak.
    """
    if not expression:
        return listing
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ProtocolError(f"'{expression}' is no regular expression: {error}", where="--speaker") from error
    found = {name: pattern.search(name) for name in listing["name"].unique()}
    if absent := [name for name, match in found.items() if match is None]:
        raise ProtocolError(
            f"'{expression}' finds no speaker in {enumerate_some(absent)}",
            where="--speaker",
            hint="let it match every name, or leave it out (speakers unknown)",
        )
    speakers = {name: match[1] if pattern.groups else match[0] for name, match in found.items()}
    return listing.assign(speaker=listing["speaker"].where(listing["speaker"] != "", listing["name"].map(speakers)))


def _read_part(fold: str, role: str, paths: list[Path]) -> list[dict[str, str]]:
    entries = [_read_entries(path) for path in paths]
    for path, other in zip(paths[1:], entries[1:], strict=True):
        if set(other) != set(entries[0]):
            raise ProtocolError(
                f"lists other utterances than {paths[0].name}", where=str(path), hint="remove the outdated one"
            )
    return [
        {
            "fold": fold,
            "role": role,
            "name": key,
            "path": str(entry.get("wav", "")),
            "speaker": str(entry.get("speaker", entry.get("spk", ""))),
            "text": str(entry.get("text", "")),
            "label": str(entry.get("emo", entry.get("label", ""))),
        }
        for key, entry in entries[0].items()
    ]


def _read_entries(path: Path) -> dict[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            entries = {str(key): dict(entry) for key, entry in json.loads(text).items()}
        else:
            lines = [json.loads(line) for line in text.splitlines() if line.strip()]
            entries = {str(entry["key"]): entry for entry in lines}
            if len(entries) < len(lines):
                raise ProtocolError("lists an utterance twice", where=str(path), hint="each key belongs on one line")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(
            f"cannot read the fold file: {error}", where=str(path), hint='its lines look like {"key": "emodb-03a01Fa"}'
        ) from error
    return entries


def _find(rows: pd.DataFrame, columns: tuple[str, ...]) -> str | None:
    return next((name for name in columns if name in rows), None)


def _aside(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series | str:
    column = _find(rows, columns)
    return "" if column is None else rows[column].str.strip()


def _checked(listing: pd.DataFrame, where: str) -> pd.DataFrame:
    if listing.empty:
        raise ProtocolError("lists no utterance", where=where, hint="give a file with one line per utterance")
    roles = listing["role"].str.lower()
    if unknown := sorted(set(roles) - set(ROLES)):
        raise ProtocolError(
            f"unknown sets: {enumerate_some(unknown)}", where=where, hint="the sets are train, validation and test"
        )
    listing = listing.assign(role=roles.map(ROLES))
    for fold, rows in listing.groupby("fold"):
        if absent := sorted({"train", "test"} - set(rows["role"])):
            raise ProtocolError(
                f"fold {fold} has no {absent[0]} part", where=where, hint="each fold needs training and test utterances"
            )
    return listing


def name_variants(name: str, path: str, corpus: str) -> list[str]:
    """Spellings under which a corpus may know an utterance, the most likely first.

    Benchmarks put the data set before the name (``emodb-03a02Wb``) and may replace the separators
    (``cremad-1001-DFA-ANG-XX``); some corpora need the folder (``DC/a01``).

    Examples
    --------
    >>> name_variants("emodb-03a02Wb", "downloads/emodb/wav/03a02Wb.wav", "emodb")[0]
    '03a02Wb'
    >>> "1001_DFA_ANG_XX" in name_variants("cremad-1001-DFA-ANG-XX", "", "cremad")
    True
    """
    variants = []
    for place in filter(None, (path, name)):
        place = PurePosixPath(place.replace("\\", "/"))
        suffix = place.suffix if place.suffix.lower() in (".wav", ".flac", ".mp3", ".ogg") else ""
        stem = place.name.removesuffix(suffix)
        variants.append(stem)
        if place.parent.name:
            variants.append(f"{place.parent.name}_{stem}")
    stem = variants[-1] if not path else PurePosixPath(name).name
    # The prefix may be the corpus' own name or a benchmark's name for it.
    for prefix in dict.fromkeys((f"{corpus}-", f"{corpus}_", f"{corpus.split('_')[0]}-", f"{stem.split('-')[0]}-")):
        if stem.startswith(prefix):
            rest = stem.removeprefix(prefix)
            variants += [rest, rest.replace("-", "_")]
    return list(dict.fromkeys(filter(None, variants)))

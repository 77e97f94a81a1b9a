"""The results table of a paper: model × features against protocols, one table per corpus or corpora side by side."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from serbench.errors import UnknownName
from serbench.protocols.verdict import STANDINGS
from serbench.reporting.leaderboard import SPLITTING, finished, grouped
from serbench.reporting.papers.table import MISSING, Column, Entry, PaperTable, count, number, words
from serbench.reporting.pretraining import with_pretraining
from serbench.reporting.text_tables import first_of

if TYPE_CHECKING:
    import pandas as pd

# Name -> heading; scores are shown in per cent.
SCORES = {"uar": "UAR", "accuracy": "Acc.", "macro_f1": "macro-F1", "weighted_f1": "weighted F1"}
OTHERS = {"folds": "folds", "fit_seconds": "fit s", "bytes": "bytes", "weights": "weights", "row": "row"}
COLUMNS = (*SCORES, *OTHERS)
DEFAULT = ("uar", "accuracy", "macro_f1")
TASK = ("suite", "corpus", "labels", "options")
ROW = ("model", "features", "trials", "augment")
INDEPENDENT, ENROLLED, TRANSDUCTIVE, DOUBTED = STANDINGS
UNRANKED = (ENROLLED, TRANSDUCTIVE)
HONEST = f", {INDEPENDENT}"
TIED, USES_TEST, HEARD = "=", "†", "‡"


def results_tables(
    board: pd.DataFrame,
    *,
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
    sort: str = "uar",
    decimals: int = 1,
    wide: bool = False,
    caption: str | None = None,
    label: str | None = None,
) -> list[PaperTable]:
    """Lay out a leaderboard as paper tables.

    Parameters
    ----------
    board : DataFrame
        From `leaderboard`, of one suite or several.
    columns : sequence of str
        Of `COLUMNS`; by default UAR with its interval, accuracy and macro-F1 (the UAR alone in a wide table).
    rows : sequence of str
        Keep models or ``model@features`` that match one of these patterns.
    sort : str
        One of `COLUMNS` (under the speaker-independent protocol), `model` or `features`.
    decimals : int
        Of percentages.
    wide : bool
        One table with the corpora as columns instead of one table per corpus.
    caption, label : str, optional
        For LaTeX; made from the suite and the corpus unless given.

    Raises
    ------
    UnknownName
        For a column or row that is not there.
    ResultsError
        If no row has a finished fold.
    """
    chosen = tuple(columns) or (("uar",) if wide else DEFAULT)
    for name in chosen:
        if name not in COLUMNS:
            raise UnknownName.among("column", name, COLUMNS, where="--columns")
    if sort not in (*COLUMNS, "model", "features"):
        raise UnknownName.among("column", sort, [*COLUMNS, "model", "features"], where="--sort")
    board = _kept(board, rows)
    finished(board)
    board = board.assign(features=[with_pretraining(entry) for entry in board.to_dict("records")])
    parts = [board] if wide else grouped(board, TASK)
    parts = [part for part in parts if (part["folds_done"] > 0).any()]
    found = []
    for number_, part in enumerate(parts):
        title = caption or _caption(part, wide)
        name = label or f"tab:{part['suite'].iloc[0]}"
        found.append(_table(part, chosen, sort, decimals, title, name if not number_ else f"{name}-{number_ + 1}"))
    return found


def display_model(entry: Any) -> str:
    """A model with what was done to it, e.g. ``svm (tuned, 30 trials)``."""
    extras = [f"tuned, {entry['trials']} trials"] if entry["trials"] else []
    extras += [f"augmented: {entry['augment']}"] if entry["augment"] != "none" else []
    return entry["model"] + (f" ({'; '.join(extras)})" if extras else "")


def _kept(board: pd.DataFrame, patterns: Sequence[str]) -> pd.DataFrame:
    if not patterns:
        return board
    names = board["model"] + "@" + board["features"]
    keep = names.map(lambda _: False).astype(bool)
    for pattern in patterns:
        whole = pattern if "@" in pattern else f"{pattern}@*"
        matching = names.map(lambda name, whole=whole: fnmatch.fnmatchcase(name, whole)).astype(bool)
        if not matching.any():
            raise UnknownName.among("row", pattern, {*board["model"], *names}, where="--rows")
        keep |= matching
    return board[keep]


def _table(part: pd.DataFrame, chosen: Sequence[str], sort: str, decimals: int, caption: str, label: str) -> PaperTable:
    lacking, part = part[part["folds_done"] == 0], part[part["folds_done"] > 0]
    groups = _groups(part)
    # A row is a line of the table: the same model and features under every protocol.
    lines: dict[tuple, dict[str, dict]] = {}
    for entry in part.to_dict("records"):
        lines.setdefault(tuple(entry[name] for name in ROW), {})[groups[_group_key(entry)]] = entry
    titles = list(dict.fromkeys(groups.values()))
    ordered = sorted(lines.items(), key=lambda line: _sort_key(line[0], line[1], titles, sort))
    head = [Column("model", words=True), Column("features", words=True)]
    body = [Column(_heading(name), title, name == "row", _parts(name)) for title in titles for name in chosen]
    rows = tuple(
        (
            words(display_model(dict(zip(ROW, key, strict=True)))),
            words(key[1]),
            *(_entry(by_group.get(title), name, decimals) for title in titles for name in chosen),
        )
        for key, by_group in ordered
    )
    return PaperTable(caption, label, (*head, *body), rows, (*_notes(part, chosen, rows), *_absent(lacking)))


def _groups(part: pd.DataFrame) -> dict[tuple, str]:
    """Column group of each entry key, the honest protocol last, next to the eye."""
    keys: dict[tuple, str] = {}
    several = part[list(TASK)].astype(str).drop_duplicates()
    for entry in part.sort_values("standing", key=_closeness, kind="stable").to_dict("records"):
        key = _group_key(entry)
        if keys.get(key, "").endswith(HONEST):
            continue
        standing = entry["standing"] if entry["standing"] not in UNRANKED else INDEPENDENT
        keys[key] = f"{_prefix(entry, several)}{entry['protocol']}, {standing}"
    # A corpus' protocols stand together.
    task = {key: number_ for number_, key in enumerate(dict.fromkeys(key[:-1] for key in keys))}
    return dict(sorted(keys.items(), key=lambda item: task[item[0][:-1]]))


def _closeness(standings: pd.Series) -> pd.Series:
    return standings.map({name: -number_ for number_, name in enumerate(STANDINGS)})


def _prefix(entry: dict, several: pd.DataFrame) -> str:
    differing = [name for name in TASK if several[name].nunique() > 1]
    # A suite usually is a corpus: its name is said only where two suites share one.
    if several["corpus"].nunique() == len(several):
        differing = [name for name in differing if name == "corpus"]
    named = [str(entry[name]) for name in differing if entry[name]]
    return f"{' '.join(named)}: " if named else ""


def _group_key(entry: dict) -> tuple:
    return (*(entry[name] for name in TASK), entry["protocol"])


def _sort_key(key: tuple, by_group: dict[str, dict], titles: Sequence[str], sort: str) -> tuple:
    if sort in ("model", "features"):
        return (key[ROW.index(sort)], key)
    honest = [title for title in titles if title.endswith(HONEST)] or titles
    first = next(by_group[title] for title in (*honest, *titles) if title in by_group)
    name = "folds_done" if sort == "folds" else sort
    value = first[name]
    if isinstance(value, str):
        return (False, False, value, key)
    unknown = value is None or value != value
    downward = sort in SCORES or sort == "folds"
    outside = not any(title in by_group for title in honest)
    ranked = first["complete"] and not outside and first["standing"] not in UNRANKED
    return (not ranked, not first["complete"], unknown, 0 if unknown else (-value if downward else value), key)


def _heading(name: str) -> str:
    return SCORES.get(name) or OTHERS[name]


def _parts(name: str) -> tuple[str, ...]:
    return ("", " low", " high") if name == "uar" else ("",)


def _entry(entry: dict | None, name: str, decimals: int) -> Entry:
    if entry is None:
        return Entry(MISSING, (None,) * len(_parts(name)) if name != "row" else ())
    if name == "row":
        return words(entry["row"])
    if name == "folds":
        return Entry(f"{entry['folds_done']}/{entry['folds_planned']}", (entry["folds_done"],))
    if name == "fit_seconds":
        return number(entry[name], 2, scale=1.0)
    if name in ("bytes", "weights"):
        value = entry[name]
        return count(None if value is None or value != value else value)
    return _score(entry, name, decimals)


def _score(entry: dict, name: str, decimals: int) -> Entry:
    shown = [number(entry[name], decimals)]
    text = shown[0].text
    if name == "uar":
        shown += [number(entry[f"uar_{end}"], decimals) for end in ("low", "high")]
        text += f" [{shown[1].text}–{shown[2].text}]" if shown[1].numbers[0] is not None else ""
    numbers = tuple(value for part in shown for value in part.numbers)
    if not entry["complete"]:
        return Entry(f"({text})", numbers)
    apart = {TRANSDUCTIVE: USES_TEST, ENROLLED: HEARD}.get(entry["standing"], "")
    best = entry["rank"] == 1 and not apart and name == "uar"
    tied = name == "uar" and not (best or apart) and entry["tied_with_best"] is True
    return Entry(text, numbers, bold=best, mark=(TIED if tied else "") + apart)


def _caption(part: pd.DataFrame, wide: bool) -> str:
    corpora = list(dict.fromkeys(part["corpus"]))
    named = ", ".join(name + (" (synthetic speech)" if name == "synthetic" else "") for name in corpora)
    if wide:
        return f"Speech emotion recognition on {named}, with random and speaker-independent splits"
    first = part.iloc[0]
    size = f"{part['utterances'].max()} utterances, {part['speakers'].max() or 'unknown'} speakers"
    return f"Speech emotion recognition on {named} ({size}, labels: {first['labels']})"


def _notes(part: pd.DataFrame, chosen: Sequence[str], rows: Sequence[Sequence[Entry]]) -> tuple[str, ...]:
    notes = []
    if set(chosen) & set(SCORES):
        notes.append("Scores in %, pooled over folds.")
    if "uar" in chosen:
        whole = part[part["complete"]]
        how = sorted({f"{e.interval_unit} {e.interval_method}" for e in whole.itertuples()}) or ["of some folds"]
        notes.append(f"UAR: unweighted average recall with its 95 % interval ({', '.join(how)}). Bold: best UAR.")
    marks = {mark for row in rows for entry in row for mark in entry.mark}
    if TIED in marks:
        notes.append(
            f"{TIED}: not distinguishable from the best (speakers swapped in all pairs of rows, 5 % over all)."
        )
    if "uar" in chosen:
        notes += [note for group in grouped(part, [*SPLITTING, "standing"]) for note in _chosen(group)]
    if USES_TEST in marks:
        notes.append(
            f"{USES_TEST}: transductive, uses the test speakers' utterances together; not ranked with the rest."
        )
    if HEARD in marks:
        notes.append(
            f"{HEARD}: enrolled, has heard some unlabelled utterances of the test speakers; these are not scored, and "
            "the row is not ranked with the rest."
        )
    if any(entry.text.startswith("(") for row in rows for entry in row):
        broken = part[~part["complete"]]
        named = [f"{e.model} on {e.features} {e.folds_done}/{e.folds_planned}" for e in broken.itertuples()]
        notes.append(f"In parentheses: not all folds done ({first_of(named)}).")
    doubted = part.loc[part["standing"] == DOUBTED, "verdict"]
    notes += [f"{DOUBTED.capitalize()}: {' | '.join(dict.fromkeys(filter(None, doubted)))}."] if any(doubted) else []
    used = [f"{e.corpus} {e.corpus_note}" for e in part.drop_duplicates("corpus").itertuples() if e.corpus_note]
    notes += [f"Utterances used of the corpus' design: {', '.join(used)}."] if used else []
    return tuple(notes)


def _chosen(group: pd.DataFrame) -> list[str]:
    """What a group's best row owes to being chosen, and whether its rows can be told apart."""
    whole = group[group["complete"]]
    if len(whole) < 2:
        return []
    first = whole.sort_values("rank").iloc[0]
    where = f"{first['corpus']}, {first['protocol']}"
    untested = whole["tied_with_best"].isna().all()
    notes = [f"{where}: too few known speakers to test which rows differ."] if untested else []
    if first["optimism"] == first["optimism"]:
        owed = f"about {100 * first['optimism']:.1f} points of its UAR come from choosing it"
        notes.append(f"{where}: the best of {first['ever_scored']} rows ever scored there, {owed}.")
    return notes


def _absent(lacking: pd.DataFrame) -> list[str]:
    named = [f"{e.model} on {e.features} ({e.protocol})" for e in lacking.itertuples()]
    return [f"Not in the table, since no fold is done: {first_of(named)}."] if named else []

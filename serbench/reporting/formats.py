"""Leaderboards as text: terminal tables, Markdown, CSV and JSON; every number with its protocol and interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from serbench.protocols.verdict import AUDITED, ENROLLED
from serbench.reporting.baselines import SHORTCUTS
from serbench.reporting.leaderboard import SPLITTING, grouped
from serbench.reporting.pretraining import NO, YES, pretraining_text
from serbench.reporting.text_tables import (
    interval_text,
    is_missing,
    percent,
    rank_interval,
    signed,
    to_csv,
    to_json,
    to_markdown,
    to_terminal,
    writer_named,
)

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Group

FORMATS = ("table", "csv", "md", "json")
SYNTHETIC = "synthetic"
# Above chance by so much, who speaks is a shortcut to the label.
TELLING = 0.1
FEW_UTTERANCES = 100
SHORTEST_FEATURES = 14
# Columns that a narrow terminal does without, in this order.
DISPENSABLE = (
    *("size", "fit s", "validation", "macro-F1", "accuracy", "± seeds", "seeds", "classes", "folds", "tuning"),
    *("gain", "ranks", "trials", "augment"),
)


def format_leaderboard(board: pd.DataFrame, style: str) -> str:
    """Render a leaderboard as `csv`, `md` or `json` text.

    Raises
    ------
    UsageError
        For another format.
    """
    return writer_named(style, {"csv": _csv, "md": _markdown, "json": to_json})(board)


def _csv(board: pd.DataFrame) -> str:
    # Several seeds are separated by blanks.
    return to_csv(board.assign(seeds=board["seeds"].map(_seeds)))


def _markdown(board: pd.DataFrame) -> str:
    parts = []
    for top, title, notes, columns, lines in _sections(board):
        body = [
            *((f"**{top}**", "") if top else ()),
            f"### {title}",
            "",
            *(f"{note}  " for note in notes),
            "" if notes else None,
        ]
        body.append(to_markdown(columns, lines))
        parts.append("\n".join(line for line in body if line is not None))
    return "\n\n".join(parts) + "\n" if parts else "No results yet.\n"


def terminal_tables(board: pd.DataFrame, width: int | None = None) -> Iterator[Group]:
    """Title, rich table and notes of each corpus and protocol, the speaker-independent ones first.

    Parameters
    ----------
    width : int, optional
        Of the terminal: columns that it has no room for are left out, the least important first; never rank, features,
        model, UAR with its interval, or the row's id.
    """
    from rich.console import Group
    from rich.text import Text

    for top, title, notes, columns, lines in _sections(board):
        kept, lines = _that_fit(columns, lines, width)
        if left_out := [name for name in columns if name not in kept]:
            notes = [*notes, f"no room here for: {', '.join(left_out)} (--format csv has all)"]
        table = to_terminal(kept, lines, words=("features", "model", "augment", "row"), pad_edge=False)
        for column in table.columns:
            # What identifies a row and its score is never cut; the features may be.
            column.no_wrap = column.header != "features"
        # Outside of the table, whose width would break them into short lines.
        yield Group(
            *([Text(top, style="yellow")] if top else []),
            Text(title, style="bold"),
            table,
            *(Text(note, style="italic") for note in notes),
        )


def _that_fit(columns: list[str], lines: list[list[str]], width: int | None) -> tuple[list[str], list[list[str]]]:
    kept = list(columns)
    widest = [max(len(line[place]) for line in [columns, *lines]) for place in range(len(columns))]
    widths = dict(zip(columns, widest, strict=True))
    widths["features"] = min(widths["features"], SHORTEST_FEATURES)
    for name in DISPENSABLE:
        # Two blanks between columns.
        if width is None or sum(widths[each] + 2 for each in kept) - 2 <= width:
            break
        kept = [each for each in kept if each != name]
    places = [columns.index(name) for name in kept]
    return kept, [[line[place] for place in places] for line in lines]


def _sections(board: pd.DataFrame) -> Iterator[tuple[str, str, list[str], list[str], list[list[str]]]]:
    """What stands above the first table of a corpus; title, notes, columns and lines of each table."""
    told = set()
    for group in grouped(board, [*SPLITTING, "standing"]):
        columns = _columns(group)
        lines = [[function(entry) for function in columns.values()] for entry in group.to_dict("records")]
        top = "" if (alone := speaker_alone_text(group)) in told else alone
        told.add(alone)
        yield top, _title(group), _notes(group), list(columns), lines


def speaker_alone_text(rows: pd.DataFrame) -> str:
    """How well the speaker alone predicts the label of the corpus of some rows; empty where that is unknown."""
    known = rows[rows["speaker_alone"].notna()]
    if known.empty:
        return ""
    entry = known.iloc[0]
    score, chance = entry["speaker_alone"], 1 / int(entry["classes"].partition("/")[0])
    far = score > chance + TELLING
    what = ": speakers differ in what they say, and a model that knows them needs no emotion" if far else ""
    return (
        f"{entry['corpus']}: the speaker alone predicts the label with UAR {percent(score)} % "
        f"(chance {percent(chance)} %){what}"
    )


def _title(group: pd.DataFrame) -> str:
    first = group.iloc[0]
    corpus = first["corpus"] + (" (synthetic speech)" if first["corpus"] == SYNTHETIC else "")
    labels = f"labels {first['labels']}" + (f" ({first['options']})" if first["options"] else "")
    verdicts = [verdict for verdict in dict.fromkeys(group["verdict"]) if verdict]
    standing = "; ".join(verdicts) or _without_verdict(group)
    if len(verdicts) > 1 and first["standing"] == ENROLLED:
        # Which row heard how many stands in its features.
        standing = f"{ENROLLED}: unlabelled utterances of the test speakers are heard first"
    return f"{first['suite']} · {corpus} · {labels} · {first['protocol']} · {standing}"


def _without_verdict(group: pd.DataFrame) -> str:
    if group["failed"].any():
        return "failed"
    return "skipped" if (group["folds_planned"] == 0).all() else "not run yet"


def _notes(group: pd.DataFrame) -> list[str]:
    notes = []
    done = group[group["folds_done"] > 0]
    if len(done):
        first = done.iloc[0]
        units = ", ".join(
            sorted({f"{one} {two}" for one, two in zip(done["interval_unit"], done["interval_method"], strict=True)})
        )
        part = "; ".join(sorted(set(done["corpus_note"]) - {""}))
        notes.append(
            f"{first['utterances']} utterances, {first['speakers'] or 'unknown'} speakers"
            + (f" ({part} of the corpus' design)" if part else "")
            + f"; UAR pooled over folds with its 95 % interval ({units}; {_left_out(done)}){_ties(done)}"
        )
        notes += _caution(done)
        notes += _chosen(done)
    if len(shortcuts := done[done["model"].str.startswith(SHORTCUTS) & done["complete"]]):
        notes.append(
            f"† does not beat what duration, level, silence, bandwidth and format alone tell "
            f"(model shortcuts, UAR {percent(shortcuts['uar'].max())} %; permutation of speakers, p < 0.05)"
        )
    if (group["pretraining_overlap"] == YES).any():
        notes.append(
            "overlap yes: the pre-trained weights have heard this corpus; such a row is no test of new speakers"
        )
    if len(set(group["fingerprint"]) - {""}) > 1:
        notes.append("audio: the rows were not run on the same data; each is shown with the fingerprint of its own")
    notes += [f"not complete: {entry['model']} on {entry['features']}: {entry['reason']}" for entry in _broken(group)]
    return notes


def _caution(done: pd.DataFrame) -> list[str]:
    count = int(done["utterances"].max())
    if count >= FEW_UTTERANCES:
        return []
    said = (
        f"caution: {count} utterances are too few to rank models by: one answer is {100 / count:.1f} points of accuracy"
    )
    if (done["accuracy"] == 1).any():
        # The upper end of the exact (Clopper-Pearson) one-sided interval where no error was seen: 1 - 0.05^(1/n).
        said += f", and no error among {count} allows an error rate of up to {100 * (1 - 0.05 ** (1 / count)):.0f} %"
    return [said]


def _ties(done: pd.DataFrame) -> str:
    if done["complete"].sum() < 2:
        return ""
    if done["tied_with_best"].isna().all():
        return "; too few known speakers to test which of the rows differ"
    return "; = not distinguishable from the best, ranks with 95 % intervals (speakers swapped in all pairs of rows)"


def _left_out(done: pd.DataFrame) -> str:
    seeds = done["seeds"].map(len)
    which = "another seed" if seeds.max() == 1 else "another seed where a row has one" if seeds.min() == 1 else ""
    return " and ".join(filter(None, [f"without {which}" if which else "", "without other training speakers"]))


def _chosen(done: pd.DataFrame) -> list[str]:
    best = done[done["optimism"].notna()]
    if best.empty:
        return []
    points, ever = f"{100 * best['optimism'].iloc[0]:.1f}", int(best["ever_scored"].iloc[0])
    return [f"the best of {ever} rows ever scored here: about {points} points of its UAR come from choosing it"]


def _broken(group: pd.DataFrame) -> list[dict[str, Any]]:
    return [entry for entry in group.to_dict("records") if not entry["complete"] and entry["reason"]]


def _columns(group: pd.DataFrame) -> dict[str, Any]:
    # The best alone is tied with nobody.
    mark = "=" if group["tied_with_best"].sum() > 1 else ""
    columns: dict[str, Any] = {
        "#": lambda entry: _rank(entry, mark),
        "features": lambda entry: entry["features"],
        "model": lambda entry: entry["model"],
    }
    if group["rank_low"].notna().any():
        columns["ranks"] = rank_interval
    if (group["pretrained"] != NO).any():
        columns["pre-trained"] = lambda entry: pretraining_text(entry) or NO
    if (group["trials"] > 0).any():
        columns["trials"] = lambda entry: str(entry["trials"])
        columns["gain"] = lambda entry: signed(entry["gain"])
    if (group["tuning"] != "").any():
        columns["tuning"] = lambda entry: entry["tuning"]
    if (group["augment"] != "none").any():
        columns["augment"] = lambda entry: entry["augment"]
    if group["seeds"].map(len).max() > 1:
        columns["seeds"] = lambda entry: str(len(entry["seeds"]))
        columns["± seeds"] = lambda entry: percent(entry["uar_spread"])
    columns |= {
        "UAR %": lambda entry: percent(entry["uar"]),
        "95 %": lambda entry: interval_text(entry["uar_low"], entry["uar_high"]),
        "accuracy": lambda entry: percent(entry["accuracy"]),
        "macro-F1": lambda entry: percent(entry["macro_f1"]),
    }
    if len({str(value) for value in group["classes"] if value and not _all_classes(value)}):
        columns["classes"] = lambda entry: entry["classes"]
    if len(set(group["validation"]) - {""}):
        columns["validation"] = lambda entry: entry["validation"] or "–"
    if any(_layers(entry) != "–" for entry in group.to_dict("records")):
        columns["layers"] = _layers
    if len(set(group["fingerprint"]) - {""}) > 1:
        columns["audio"] = lambda entry: entry["fingerprint"] or "–"
    columns |= {
        "folds": _folds,
        "fit s": lambda entry: "–" if is_missing(entry["fit_seconds"]) else f"{entry['fit_seconds']:.3g}",
        "size": lambda entry: _size(entry["bytes"]),
        "row": lambda entry: entry["row"],
    }
    return columns


def _rank(entry: dict[str, Any], tied: str) -> str:
    if is_missing(entry["rank"]):
        return ""
    beaten = not is_missing(entry["beats_shortcuts"]) and not entry["beats_shortcuts"]
    return f"{entry['rank']}{tied if _tied(entry) else ''}{'†' if beaten else ''}"


def _tied(entry: dict[str, Any]) -> bool:
    return not is_missing(entry["tied_with_best"]) and bool(entry["tied_with_best"])


def _layers(entry: dict[str, Any]) -> str:
    """The layers of features and model that are less than audited."""
    states = {name: entry[f"{name}_layer"].partition(":")[0] for name in ("features", "model")}
    return ", ".join(f"{name} {state}" for name, state in states.items() if state not in ("", AUDITED)) or "–"


def _folds(entry: dict[str, Any]) -> str:
    done, planned = entry["folds_done"], entry["folds_planned"]
    if not planned:
        return "skipped"
    failed = f", {entry['failed']} failed" if entry["failed"] else ""
    return f"{done}/{planned}" + (f" (incomplete{failed})" if done < planned else "")


def _size(count: Any) -> str:
    if is_missing(count):
        return "–"
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def _all_classes(text: str) -> bool:
    scored, _, every = text.partition("/")
    return scored == every


def _seeds(seeds: list[int]) -> str:
    return " ".join(str(seed) for seed in seeds)

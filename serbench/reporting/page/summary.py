"""A suite in plain words: what was run, what is honest, what won and by how much, what failed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from serbench.protocols.verdict import INDEPENDENT
from serbench.reporting.figures.gap import pairs
from serbench.reporting.figures.names import row_name, task_name
from serbench.reporting.formats import speaker_alone_text
from serbench.reporting.leaderboard import SPLITTING, grouped
from serbench.reporting.text_tables import first_of, interval_text, percent

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 5


def summarise(records: pd.DataFrame, board: pd.DataFrame) -> list[str]:
    """Sentences that a reader without the field's terms can follow, the most important first."""
    lines = [_what_was_run(records, board)]
    lines += [f"On {line}." for task in grouped(board, SPLITTING[:-1]) if (line := speaker_alone_text(task))]
    for task in grouped(board, SPLITTING[:-1]):
        lines += _task(task)
    lines += _gaps(board)
    lines += _not_done(records, board)
    return lines


def _what_was_run(records: pd.DataFrame, board: pd.DataFrame) -> str:
    done = int((records["status"] == "ok").sum())
    corpora = [task_name(entry) for entry in board.drop_duplicates(["corpus", "labels", "options"]).to_dict("records")]
    protocols = list(dict.fromkeys(board["protocol"]))
    return (
        f"{_count(board['model'].nunique(), 'model')} on {_count(board['features'].nunique(), 'feature set')} of "
        f"{'; '.join(corpora)}, under {_listed(protocols)}: {_count(len(board), 'row')}, "
        f"{done} of {_count(len(records), 'cell')} finished."
    )


def _task(task: pd.DataFrame) -> list[str]:
    name = task_name(task.iloc[0])
    ranked = task[task["complete"]]
    honest = ranked[ranked["standing"] == INDEPENDENT]
    if honest.empty:
        return [
            f"On {name} no row is complete under a speaker-independent protocol: nothing here tells how a model does "
            "on new speakers."
        ]
    lines = []
    for protocol, group in honest.groupby("protocol", sort=False):
        group = group.sort_values("rank")
        best = group.iloc[0]
        method = f"95 % interval over {best['interval_unit']}s"
        line = (
            f"On {name}, tested on speakers that training never saw ({protocol}, speaker-independent: the honest "
            f"protocol), {row_name(best)} is best with a UAR (the mean share of each emotion that it recognises) of "
            f"{percent(best['uar'])} % "
            f"{interval_text(best['uar_low'], best['uar_high'])} ({method})"
        )
        lines.append(line + _lead(group) + ".")
    return lines


def _lead(group: pd.DataFrame) -> str:
    if len(group) < 2:
        return ", the only complete row"
    best, second = group.iloc[0], group.iloc[1]
    ahead = f", {100 * (best['uar'] - second['uar']):.1f} points ahead of {row_name(second)}"
    if best["optimism"] == best["optimism"]:
        owed = f"about {100 * best['optimism']:.1f} points of its UAR come from choosing it"
        ahead += f"; it is the best of {best['ever_scored']} rows ever scored there, and {owed}"
    if group["tied_with_best"].isna().all():
        return f"{ahead}; there are too few known speakers to test whether that is more than chance"
    tied = int(group["tied_with_best"].iloc[1:].fillna(False).sum())
    if not tied:
        return f"{ahead}; no other row comes close enough to be tied with it"
    return f"{ahead}; {_count(tied, 'other row')} cannot be told apart from it (all pairs of rows judged together)"


def _gaps(board: pd.DataFrame) -> list[str]:
    if not (board["folds_done"] > 0).any():
        return []
    lines = []
    for (task, random, independent), rows in pairs(board).items():
        drop = 100 * (rows["random"] - rows["independent"])
        if drop.mean() <= 0:
            line = (
                f"On {task}, random folds ({random}) give {-drop.mean():.0f} points less on average than {independent}."
            )
        else:
            line = (
                f"On {task}, random folds ({random}), where training has heard the test speakers, give "
                f"{drop.mean():.0f} points more on average than {independent} over {_count(len(rows), 'row')} (from "
                f"{round(drop.min())} to {round(drop.max())}): part of what they measure is recognising the speaker."
            )
        lines.append(line)
    return lines


def _not_done(records: pd.DataFrame, board: pd.DataFrame) -> list[str]:
    lines = []
    broken = board[~board["complete"]]
    if len(broken):
        named = [f"{row_name(entry)} ({entry['protocol']})" for entry in broken.to_dict("records")]
        lines.append(f"Not complete, and not ranked: {first_of(named, MOST_NAMED, '; ')}.")
    bad = records[records["status"].isin(["failed", "damaged"])]
    if len(bad):
        reason, times = Counter(bad["reason"]).most_common(1)[0]
        lines.append(
            f"{_count(len(bad), 'cell')} failed; the most frequent reason ({times} ×): {reason or 'none recorded'}."
        )
    partial = [f"{e.corpus}: {e.corpus_note}" for e in board.drop_duplicates("corpus").itertuples() if e.corpus_note]
    if partial:
        lines.append(f"Not every utterance of the corpus' design is used ({', '.join(partial)}).")
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _listed(names: list[Any]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

"""Statistical comparison of rows on the same utterances, with speakers as the unit.

Two rows that were named in advance: the difference of their pooled UARs with its interval, and a permutation test that
swaps the two speaker by speaker. Many rows: Friedman's test over speakers, and that same swapping for all pairs
together, which the marks and rank intervals of the leaderboard come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.protocols.verdict import INDEPENDENT, Verdict
from serbench.reporting.layers import merged_verdict
from serbench.reporting.rows import fingerprints
from serbench.scoring.paired import (
    RowPredictions,
    difference_of,
    need_speakers,
    pooled_predictions,
    pooled_uar,
    refuse_different,
    speaker_uars,
)
from serbench.scoring.ranks import FEWEST_TESTABLE, ranking

if TYPE_CHECKING:
    import pandas as pd


def predictions_of(cells: pd.DataFrame) -> RowPredictions:
    """Pool the finished cells of a row."""
    labels = cells["cell"].iloc[0].labels["labels"]
    return pooled_predictions(list(cells["tested"]), labels, [int(seed) for seed in cells["seed"]])


def compare_rows(a: pd.DataFrame, b: pd.DataFrame, names: tuple[str, str] = ("A", "B")) -> dict[str, Any]:
    """Compare two rows on the same utterances.

    Parameters
    ----------
    a, b : DataFrame
        Cells of each row, from `load_records` or `find_cells`; those that are not finished are left out.
    names : tuple of str
        What to call them in errors.

    Returns
    -------
    dict
        See `serbench.scoring.paired.difference_of`; and `audio`, the fingerprints of the corpora that A and B were run
        on, where they differ.

    Raises
    ------
    ResultsError
        If the rows answered different utterances, or fewer than two speakers are known.
    """
    found = difference_of(*(_answers(cells, name) for cells, name in zip((a, b), names, strict=True)), names)
    audio = [fingerprints(cells.loc[cells["status"] == "ok", "record"]) for cells in (a, b)]
    return found | ({"audio": audio} if audio[0] != audio[1] else {})


def protocols_apart(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """In which protocol or verdict two rows differ, in words; empty where they are of one kind."""
    kinds = []
    for cells in (a, b):
        verdict = merged_verdict(list(cells[cells["status"] == "ok"]["record"]))
        kinds.append((cells["protocol"].iloc[0], _heard(verdict) if verdict else "not audited"))
    if kinds[0] == kinds[1]:
        return ""
    first, second = (f"{protocol} ({heard})" for protocol, heard in kinds)
    return f"not of one protocol: A {first} against B {second}; the difference is not one of models alone"


def _heard(verdict: Verdict) -> str:
    if verdict.standing == INDEPENDENT:
        return "unseen speakers"
    return "seen speakers" if "speakers shared" in verdict.leaks else str(verdict)


def compare_all(rows: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Friedman's test over speakers, and each row against the best with the test behind the leaderboard's marks.

    A speaker's score is the UAR of the classes that the speaker has.

    Parameters
    ----------
    rows : mapping of str to DataFrame
        Finished cells of each row, by its name, all on the same utterances; best first, as a leaderboard ranks them.

    Returns
    -------
    dict
        `speakers`, `best`, `friedman` (`statistic`, `p`; None for two rows and under 6 speakers), `testable` (whether
        a row can be told from the best), and `optimism` (of the best row's UAR) and `rows`: name, `uar`, `rank`
        (mean over speakers, 1 is best), `rank_low`, `rank_high` and `p` (see `scoring.ranks`; None for the best row,
        and where nothing is testable), and `audio`, the fingerprint of the corpus that each was run on, where they
        differ.

    Raises
    ------
    ResultsError
        If there are fewer than two rows, they answered different utterances, or speakers are unknown.
    """
    from scipy import stats

    if len(rows) < 2:
        raise ResultsError("fewer than two finished rows to compare", hint="run more models under this protocol")
    names = list(rows)
    answers = [_answers(rows[name], name) for name in names]
    for name, other in zip(names[1:], answers[1:], strict=True):
        refuse_different(answers[0], other, (names[0], name))
    need_speakers(answers[0], names[0])
    scores = np.column_stack([speaker_uars(item) for item in answers])
    friedman = None
    if len(scores) >= FEWEST_TESTABLE and len(names) > 2:
        statistic, p = stats.friedmanchisquare(*scores.T)
        # Rows that are equal on every speaker have no ranks to differ in.
        friedman = {"statistic": float(statistic), "p": float(p) if np.isfinite(p) else 1.0}
    ranks = stats.rankdata(-scores, axis=1).mean(axis=0)
    found = ranking(answers)
    p_values = [None, *found.p[1:]]
    audio = [fingerprints(cells.loc[cells["status"] == "ok", "record"]) for cells in rows.values()]
    differ = len(set(audio)) > 1
    return {
        "testable": None not in p_values[1:],
        "speakers": len(scores),
        "best": names[0],
        "friedman": friedman,
        "optimism": found.optimism,
        "rows": [
            {"name": name, "uar": pooled_uar(item), "rank": float(rank), "rank_low": low, "rank_high": high, "p": p}
            | ({"audio": data} if differ else {})
            for name, item, rank, low, high, p, data in zip(
                names, answers, ranks, found.rank_low, found.rank_high, p_values, audio, strict=True
            )
        ],
    }


def _answers(cells: pd.DataFrame, name: str) -> RowPredictions:
    done = cells[cells["status"] == "ok"]
    if done.empty:
        raise ResultsError("no finished fold to compare", where=name, hint="run it first")
    return predictions_of(done)


def comparison_lines(names: Sequence[str], found: Mapping[str, Any], apart: str = "") -> list[str]:
    """What `compare_rows` found, in words; first of all, what `protocols_apart` said."""
    interval = f"[{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"
    lines = [
        *([apart] if apart else []),
        f"A  {names[0]}  UAR {100 * found['uar_a']:.1f} %",
        f"B  {names[1]}  UAR {100 * found['uar_b']:.1f} %",
        f"A − B  {100 * found['difference']:+.1f} points {interval} (95 %, {found['unit']} {found['method']})",
        f"permutation test, A and B swapped per speaker: {p_text(found['p'])}",
        f"{found['utterances']} utterances of {found['speakers']} speakers",
    ]
    if audio := found.get("audio"):
        lines.append(f"not the same audio: A was run on data of fingerprint {audio[0]}, B on {audio[1]}")
    if footnote := found["mcnemar"]:
        only = f"{footnote['only_a']} right in A alone, {footnote['only_b']} in B alone"
        lines.append(f"footnote: McNemar on utterances {p_text(footnote['p'])} ({only}); {footnote['caveat']}")
    return lines


def p_text(p: float) -> str:
    """A p value with the digits that it deserves, e.g. ``p = 0.042``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"

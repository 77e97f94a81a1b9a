"""Statistical comparison of rows on the same utterances, with speakers as the unit.

Two rows: the difference of their pooled UARs with a cluster-bootstrap interval, and a permutation test that swaps the
two speaker by speaker. Many rows: Friedman's test over speakers and Holm-corrected Wilcoxon tests against the best.
Folds are never the unit: six folds can never reach p < 0.03, and folds share their training data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.intervals import intervals
from serbench.reporting.pairing import (
    Answers,
    answers_of,
    per_speaker,
    refuse_different,
    speaker_contributions,
    swap_test,
)
from serbench.reporting.ties import FEWEST_TESTABLE, holm

if TYPE_CHECKING:
    import pandas as pd

MCNEMAR_CAVEAT = "takes utterances for independent, which those of one speaker are not: too small a p"


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
        `uar_a`, `uar_b`, `difference` (A − B, of pooled UARs; means over seeds), `low`, `high`, `unit`, `method`,
        `p` (permutation test), `speakers`, `utterances`, and `mcnemar` (`only_a`, `only_b`, `p`, `caveat`), which is
        None where an utterance was answered by several seeds.

    Raises
    ------
    ResultsError
        If the rows answered different utterances, or fewer than two speakers are known.
    """
    left, right = (_answers(cells, name) for cells, name in zip((a, b), names, strict=True))
    refuse_different(left, right, names)
    _need_speakers(left, " / ".join(names))
    hits_a, trials, speakers = per_speaker(left)
    hits_b, _, _ = per_speaker(right)
    statistics = np.stack([hits_a, hits_b, trials], axis=1)[None]
    bounds = intervals(statistics, {"difference": _difference}, "speaker", upper=None)["difference"]
    uar_a, uar_b = (_mean_recall(hits.sum(axis=0), trials.sum(axis=0)) for hits in (hits_a, hits_b))
    return {
        "uar_a": float(uar_a),
        "uar_b": float(uar_b),
        "difference": float(uar_a - uar_b),
        "low": bounds.low,
        "high": bounds.high,
        "unit": bounds.unit,
        "method": bounds.method,
        "p": swap_test(speaker_contributions(left, right)),
        "speakers": len(speakers),
        "utterances": len(left.utterances),
        "mcnemar": mcnemar(left, right),
    }


def mcnemar(a: Answers, b: Answers) -> dict[str, Any] | None:
    """Exact McNemar test (1947) on utterances that one row has right and the other wrong; a footnote only."""
    from scipy.special import bdtr

    if (a.trials > 1).any() or (b.trials > 1).any():
        return None
    only_a, only_b = int((a.hits > b.hits).sum()), int((b.hits > a.hits).sum())
    discordant = only_a + only_b
    p = min(1.0, 2 * float(bdtr(min(only_a, only_b), discordant, 0.5))) if discordant else 1.0
    return {"only_a": only_a, "only_b": only_b, "p": p, "caveat": MCNEMAR_CAVEAT}


def compare_all(rows: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Friedman's test over speakers, and each row against the best with Holm-corrected Wilcoxon tests.

    A speaker's score is the mean recall of the classes that the speaker has. The best row is that of the highest
    pooled UAR.

    Parameters
    ----------
    rows : mapping of str to DataFrame
        Finished cells of each row, by its name; all on the same utterances.

    Returns
    -------
    dict
        `testable` (False under 6 speakers, then the tests are None), `speakers`, `best`, `friedman` (`statistic`, `p`;
        None for two rows), and `rows`: name, `uar`, `rank` (mean over speakers, 1 is best), `p` (Holm-corrected).

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
    _need_speakers(answers[0], names[0])
    scores = np.column_stack([speaker_uars(item) for item in answers])
    pooled = [float(_pooled_uar(item)) for item in answers]
    best = int(np.argmax(pooled))
    testable = len(scores) >= FEWEST_TESTABLE
    p_values = dict.fromkeys(range(len(names)))
    if testable:
        others = [number for number in range(len(names)) if number != best]
        corrected = holm([_wilcoxon(scores[:, number], scores[:, best]) for number in others])
        p_values |= dict(zip(others, corrected.tolist(), strict=True))
    friedman = None
    if testable and len(names) > 2:
        statistic, p = stats.friedmanchisquare(*scores.T)
        # Rows that are equal on every speaker have no ranks to differ in.
        friedman = {"statistic": float(statistic), "p": float(p) if np.isfinite(p) else 1.0}
    ranks = stats.rankdata(-scores, axis=1).mean(axis=0)
    return {
        "testable": testable,
        "speakers": len(scores),
        "best": names[best],
        "friedman": friedman,
        "rows": [
            {"name": name, "uar": pooled[number], "rank": float(ranks[number]), "p": p_values[number]}
            for number, name in enumerate(names)
        ],
    }


def speaker_uars(answers: Answers) -> np.ndarray:
    """Mean recall of each speaker over the classes that the speaker has, shape (speakers,)."""
    hits, trials, _ = per_speaker(answers)
    return _mean_recall(hits, trials)


def _answers(cells: pd.DataFrame, name: str) -> Answers:
    done = cells[cells["status"] == "ok"]
    if done.empty:
        raise ResultsError("no finished fold to compare", where=name, hint="run it first")
    return answers_of(done)


def _need_speakers(answers: Answers, where: str) -> None:
    if (answers.speakers == "").any():
        raise ResultsError("speakers are unknown: a comparison resamples speakers", where=where)
    count = len(set(answers.speakers))
    if count < 2:
        hint = "resampling speakers needs two at least; use a corpus with more of them"
        raise ResultsError(f"{count} speaker is too few for a comparison", where=where, hint=hint)


def _difference(totals: np.ndarray) -> np.ndarray:
    hits_a, hits_b, trials = (totals[..., part, :] for part in range(3))
    return _mean_recall(hits_a, trials) - _mean_recall(hits_b, trials)


def _pooled_uar(answers: Answers) -> float:
    hits, trials, _ = per_speaker(answers)
    return _mean_recall(hits.sum(axis=0), trials.sum(axis=0))


def _mean_recall(hits: np.ndarray, trials: np.ndarray) -> np.ndarray:
    defined = trials > 0
    recalls = np.where(defined, hits, 0.0) / np.where(defined, trials, 1.0)
    return recalls.sum(axis=-1) / defined.sum(axis=-1)


def _wilcoxon(a: np.ndarray, b: np.ndarray) -> float:
    from scipy import stats

    # Scores that are equal up to rounding are ties.
    difference = np.round(np.asarray(a) - np.asarray(b), 12)
    return 1.0 if not difference.any() else float(stats.wilcoxon(difference).pvalue)


def comparison_lines(names: Sequence[str], found: Mapping[str, Any]) -> list[str]:
    """What `compare_rows` found, in words."""
    interval = f"[{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"
    lines = [
        f"A  {names[0]}  UAR {100 * found['uar_a']:.1f} %",
        f"B  {names[1]}  UAR {100 * found['uar_b']:.1f} %",
        f"A − B  {100 * found['difference']:+.1f} points {interval} (95 %, {found['unit']} {found['method']})",
        f"permutation test, A and B swapped per speaker: {p_text(found['p'])}",
        f"{found['utterances']} utterances of {found['speakers']} speakers",
    ]
    if footnote := found["mcnemar"]:
        only = f"{footnote['only_a']} right in A alone, {footnote['only_b']} in B alone"
        lines.append(f"footnote: McNemar on utterances {p_text(footnote['p'])} ({only}); {footnote['caveat']}")
    return lines


def p_text(p: float) -> str:
    """A p value with the digits that it deserves, e.g. ``p = 0.042``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"

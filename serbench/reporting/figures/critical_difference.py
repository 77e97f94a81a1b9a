"""Critical-difference diagram: mean ranks over speakers, and which rows a test does not tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.comparison import predictions_of
from serbench.reporting.figures.canvas import new_figure, panels
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import cells_of, honest_groups, row_name
from serbench.scoring.paired import per_speaker, same_utterances, speaker_uars
from serbench.scoring.ranks import ALPHA, FEWEST_TESTABLE, pairwise_p, uar_contributions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# More rows than this differ in rank by chance alone in most pairs, and their labels run into one another.
MOST_ROWS = 12
FEWEST_ROWS = 3


def draw(view: SuiteView) -> Figure:
    """Draw the mean rank of each row over speakers; bars join rows that do not differ.

    Which rows differ is what the leaderboard's marks and rank intervals come from, judged over all complete rows. Each
    group shows its best ones, twelve at most.
    """
    import scikit_posthocs as posthocs

    scored = [(title, _scores(view, group)) for title, group in honest_groups(view.board)]
    found = [(title, *pair) for title, pair in scored if pair is not None]
    if not found:
        raise ResultsError(
            f"no group of {FEWEST_ROWS} complete rows over the same utterances of {FEWEST_TESTABLE} known speakers",
            hint="run more models under one speaker-independent protocol",
        )
    sizes = [0.13 * scores.shape[1] + 0.8 for _, scores, _ in found]
    figure = new_figure(sum(sizes) + 0.3)
    for axes, (title, scores, pairs) in zip(panels(figure, sizes), found, strict=True):
        axes.grid(False)
        ranks = scores.rank(axis=1, ascending=False).mean()
        posthocs.critical_difference_diagram(ranks, pairs, alpha=ALPHA, ax=axes, label_props={"fontsize": 7})
        axes.set_title(f"{title}: mean rank by UAR over {len(scores)} speakers; joined: no difference at the 5 % level")
    return figure


def _scores(view: SuiteView, group: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """UAR of each speaker by row of the suite (columns), and p of each pair of rows; None where it cannot be tested."""
    import pandas as pd

    entries = group[group["complete"]].to_dict("records")
    if len(entries) < FEWEST_ROWS:
        return None
    answers = [predictions_of(cells_of(view.records, entry)) for entry in entries]
    speakers = set(answers[0].speakers)
    if "" in speakers or len(speakers) < FEWEST_TESTABLE:
        return None
    if not all(same_utterances(answers[0], other) for other in answers):
        return None
    names = _distinct([row_name(entry) for entry in entries], [entry["row"] for entry in entries])[:MOST_ROWS]
    trials = per_speaker(answers[0])[1]
    p = pairwise_p(uar_contributions(np.stack([per_speaker(item)[0] for item in answers]), trials))
    scores = np.column_stack([speaker_uars(item) for item in answers[:MOST_ROWS]])
    return pd.DataFrame(scores, columns=names), pd.DataFrame(p[:MOST_ROWS, :MOST_ROWS], names, names)


def _distinct(names: list[str], rows: list[str]) -> list[str]:
    return [f"{name} {row}" if names.count(name) > 1 else name for name, row in zip(names, rows, strict=True)]


CRITICAL_DIFFERENCE = FigureKind(
    "critical_difference", "suite", draw, "Which rows differ: mean ranks over speakers, bars join those that do not."
)

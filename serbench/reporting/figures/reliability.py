"""Reliability diagram: whether a probability of 0.8 is right eight times in ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.reporting.calibration import pooled_probabilities
from serbench.reporting.figures.canvas import BLUE, GREY, new_figure
from serbench.reporting.figures.kind import FigureKind, RowView
from serbench.reporting.loading import load_predictions
from serbench.reporting.papers.details import pooled_confusion, row_title
from serbench.scoring import calibration

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(view: RowView) -> Figure:
    """Draw accuracy against confidence in equal-mass bins, above the distribution of confidences."""
    labels, _ = pooled_confusion(view.cells)
    tested = pooled_probabilities(load_predictions(view.results, view.cells), labels)
    found = calibration(tested)
    confidence = np.array([entry["confidence"] for entry in found["reliability"]])
    accuracy = np.array([entry["accuracy"] for entry in found["reliability"]])
    figure = new_figure(4.8, width=4.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    upper.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--", label="perfectly calibrated")
    upper.vlines(100 * confidence, 100 * accuracy, 100 * confidence, color="#E6A47A", lw=2, label="gap")
    upper.plot(
        100 * confidence, 100 * accuracy, "o-", color=BLUE, lw=1.4, ms=5, label="bins of equally many utterances"
    )
    upper.set(xlim=(0, 100), ylim=(0, 100), ylabel="accuracy (%)")
    upper.set_title(f"{row_title(view.cells)}\n{_verdict(found)}", fontsize=8, loc="left")
    upper.legend(loc="lower right")
    chosen = tested.probabilities[np.arange(len(tested.truth)), tested.predicted]
    lower.hist(100 * chosen, bins=np.arange(0, 101, 5), color=BLUE, alpha=0.7)
    lower.set(xlabel="probability of the predicted class (%)", ylabel="utterances")
    return figure


def _verdict(found: dict) -> str:
    entries = found["reliability"]
    total = sum(entry["count"] for entry in entries)
    lead = sum(entry["count"] * (entry["confidence"] - entry["accuracy"]) for entry in entries) / total
    word = "too sure" if lead > 0 else "not sure enough"
    ece = f"ECE {100 * found['ece']:.1f} % [{100 * found['ece_low']:.1f}–{100 * found['ece_high']:.1f}]"
    return f"{word} by {100 * abs(lead):.0f} points on average; {ece}"


RELIABILITY = FigureKind("reliability", "row", draw, "Whether the probabilities of a row can be believed.")

"""The files of a row: per-class report, confusion matrix as table and picture, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.reporting.scores import margins, per_class

REPORT, CONFUSION, PREDICTIONS = "per_class", "confusion_matrix", "predictions.parquet"


def write_artifacts(folder: Path, title: str, labels: Sequence[str], confusion: np.ndarray, predictions: pd.DataFrame):
    """Write the files of a row into a folder.

    Parameters
    ----------
    folder : Path
    title : str
        What the row is; heads the text and the picture.
    labels : sequence of str, length K
    confusion : ndarray of int, shape (K, K)
        Rows are the truth; pooled over folds.
    predictions : DataFrame
        All folds, with columns `fold` and `seed`.
    """
    report = pd.DataFrame.from_dict(per_class(margins(confusion), labels), orient="index").rename_axis("class")
    counts = pd.DataFrame(confusion, index=pd.Index(labels, name="true"), columns=list(labels))
    report.to_csv(folder / f"{REPORT}.csv")
    counts.to_csv(folder / f"{CONFUSION}.csv")
    text = f"{title}\n\n{report.to_string(float_format='{:.3f}'.format)}\n\nConfusion matrix (rows: true)\n\n{counts}\n"
    (folder / f"{REPORT}.txt").write_text(text, encoding="utf-8")
    predictions.to_parquet(folder / PREDICTIONS, compression="zstd", index=False)
    draw_confusion(folder / f"{CONFUSION}.png", title, labels, confusion)


def draw_confusion(path: Path, title: str, labels: Sequence[str], confusion: np.ndarray) -> None:
    """Draw a confusion matrix: shares of the true class as shades, counts as numbers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Margins in inches from the longest label: an automatic layout would draw everything twice.
    longest = 0.085 * max(map(len, labels))
    left, below, square = 0.7 + longest, 0.6 + 0.75 * longest, 0.55 * len(labels)
    width, height = left + square + 0.3, below + square + 0.5
    figure = Figure(figsize=(max(width, 0.085 * len(title)), height))
    FigureCanvasAgg(figure)
    box = (left / figure.get_figwidth(), below / height, square / figure.get_figwidth(), square / height)
    axes = figure.add_axes(box)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(confusion):
        shade = "white" if shares[row, column] > 0.6 else "black"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=shade, fontsize=9)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=90, pil_kwargs={"compress_level": 3})

"""The files of a row: per-class report, confusion matrix as table and picture, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.reporting.figures.confusion import draw_counts
from serbench.scoring.margins import margins, per_class

REPORT, CONFUSION, PREDICTIONS = "per_class", "confusion_matrix", "predictions.parquet"
DPI = 100


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
    import matplotlib

    # The theme of the report would load seaborn, which takes longer than all rows of a suite.
    with matplotlib.rc_context({"font.size": 8}):
        draw_counts(labels, confusion, title).savefig(folder / f"{CONFUSION}.png", dpi=DPI)

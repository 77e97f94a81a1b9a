"""The files of a row: per-class report, confusion matrix as table and picture, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.scoring.margins import margins, per_class

REPORT, CONFUSION, PREDICTIONS = "per_class", "confusion_matrix", "predictions.parquet"
# Pixels: the size of letters, and of a square of the confusion matrix.
TEXT, SQUARE = 13, 50


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
    """Draw a confusion matrix: shares of the true class as shades, counts as numbers.

    Pixels are set directly: a figure of matplotlib's takes ten times as long, more than all else written of a row.
    """
    from matplotlib import colormaps, get_data_path
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", TEXT)
    longest = max(round(font.getlength(label)) for label in labels)
    side = SQUARE * len(labels)
    left, top = 3 * TEXT + longest, 3 * TEXT
    width = max(left + side, round(font.getlength(title))) + TEXT
    picture = Image.new("RGB", (width, top + side + longest + 4 * TEXT), "white")
    draw = ImageDraw.Draw(picture)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    shades = colormaps["Blues"](shares, bytes=True)[..., :3]
    picture.paste(Image.fromarray(shades).resize((side, side), Image.Resampling.NEAREST), (left, top))
    draw.rectangle((left, top, left + side, top + side), outline="black")
    for row, column in np.argwhere(confusion):
        centre = (left + (column + 0.5) * SQUARE, top + (row + 0.5) * SQUARE)
        shade = "white" if shares[row, column] > 0.6 else "black"
        draw.text(centre, str(confusion[row, column]), shade, font, anchor="mm")
    for number, label in enumerate(labels):
        middle = round((number + 0.5) * SQUARE)
        draw.text((left - TEXT // 2, top + middle), label, "black", font, anchor="rm")
        _paste_upright(picture, label, (left + middle, top + side + TEXT // 2), font)
    draw.text((width // 2, TEXT), title, "black", font, anchor="mt")
    draw.text((left + side // 2, picture.height - TEXT // 2), "predicted", "black", font, anchor="mb")
    _paste_upright(picture, "true", (TEXT, top + side // 2 - round(font.getlength("true") / 2)), font)
    picture.save(path, compress_level=3)


def _paste_upright(picture, text: str, top: tuple[int, int], font) -> None:
    """Text that is read from below, its end at `top`."""
    from PIL import Image, ImageDraw

    length = round(font.getlength(text)) + 1
    flat = Image.new("RGB", (length, 2 * TEXT), "white")
    ImageDraw.Draw(flat).text((0, TEXT), text, "black", font, anchor="lm")
    picture.paste(flat.transpose(Image.Transpose.ROTATE_90), (top[0] - TEXT, top[1]))

"""Answers as text, JSON, CSV or Parquet; timelines also as Audacity labels, Praat TextGrid and a picture."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from serbench.inference.answers import SILENCE, Answer
from serbench.records import atomic_path

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("text", "json", "csv", "parquet")


def answer_line(answer: Answer) -> str:
    """One line for the terminal, such as ``a.wav: angry 0.71 · when it says angry …``."""
    window = "" if answer.start is None else f" {answer.start:.1f}–{answer.end:.1f} s"
    if answer.label == SILENCE:
        return f"{answer.name}{window}: {SILENCE}"
    label = answer.label if answer.label == answer.likeliest else f"{answer.label} ({answer.likeliest})"
    # What an answer is worth is the same in every window: it would drown the timeline.
    worth = f" · {answer.worth}" if answer.worth and answer.start is None else ""
    strange = f" · ! {'; '.join(answer.warnings)}" if answer.warnings else ""
    return f"{answer.name}{window}: {label} {answer.probability:.2f}{worth}{strange}"


def answer_table(answers: Iterable[Answer], labels: Sequence[str]) -> pd.DataFrame:
    """One row per answer, one column ``p:label`` per label."""
    import pandas as pd

    rows = []
    for answer in answers:
        row = answer.to_json()
        row["warnings"] = "; ".join(row["warnings"])
        found = row.pop("probabilities")
        rows.append({**row, **{f"p:{label}": found.get(label) for label in labels}})
    return pd.DataFrame(rows)


def answers_json(answers: Iterable[Answer]) -> str:
    """A JSON list."""
    return json.dumps([answer.to_json() for answer in answers], indent=1, ensure_ascii=False)


def spans(answers: Sequence[Answer]) -> list[tuple[float, float, str]]:
    """Non-overlapping spans from overlapping windows: each window stands for the time around its middle."""
    if not answers:
        return []
    middles = [(item.start + item.end) / 2 for item in answers]
    edges = [answers[0].start, *((a + b) / 2 for a, b in itertools.pairwise(middles)), answers[-1].end]
    merged: list[tuple[float, float, str]] = []
    for item, (low, high) in zip(answers, itertools.pairwise(edges), strict=True):
        if merged and merged[-1][2] == item.label:
            merged[-1] = (merged[-1][0], high, item.label)
        else:
            merged.append((low, high, item.label))
    return merged


def audacity_labels(answers: Sequence[Answer]) -> str:
    """Audacity's label track: start, end and label, one a line."""
    return "".join(f"{start:.3f}\t{end:.3f}\t{label}\n" for start, end, label in spans(answers))


def textgrid(answers: Sequence[Answer]) -> str:
    """Praat's TextGrid with one interval tier."""
    found = spans(answers)
    low, high = (found[0][0], found[-1][1]) if found else (0.0, 0.0)
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", f"xmin = {low:.3f}", f"xmax = {high:.3f}",
        "tiers? <exists>", "size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"',
        '        name = "emotion"', f"        xmin = {low:.3f}", f"        xmax = {high:.3f}",
        f"        intervals: size = {len(found)}",
    ]  # fmt: skip
    for number, (start, end, label) in enumerate(found, start=1):
        text = label.replace('"', '""')
        lines += [
            f"        intervals [{number}]:", f"            xmin = {start:.3f}", f"            xmax = {end:.3f}",
            f'            text = "{text}"',
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def write_timeline(answers: Sequence[Answer], labels: Sequence[str], output: Path) -> list[Path]:
    """Write a timeline as Audacity labels, TextGrid and picture: `output` with .txt, .TextGrid and .png after it."""
    paths = [output.with_name(f"{output.name}{suffix}") for suffix in (".txt", ".TextGrid", ".png")]
    for path, text in zip(paths, (audacity_labels(answers), textgrid(answers)), strict=False):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    _plot(answers, labels, paths[-1], output.name)
    return paths


def _plot(answers: Sequence[Answer], labels: Sequence[str], path: Path, title: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.add_subplot()
    middles = [(item.start + item.end) / 2 for item in answers]
    for label in labels:
        # Silence has no probabilities: the line is broken there.
        axes.plot(middles, [item.probabilities.get(label, float("nan")) for item in answers], label=label, marker=".")
    for start, end, label in spans(answers):
        if label == SILENCE:
            axes.axvspan(start, end, color="0.9")
    axes.set(xlabel="seconds", ylabel="probability", ylim=(0, 1), title=f"{title} (acted speech; grey: silence)")
    axes.legend(ncols=1, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)

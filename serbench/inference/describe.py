"""The error sheet in words, for the terminal and for whoever keeps the model."""

from __future__ import annotations

from serbench.inference.sheet import Bounded, ErrorSheet


def sheet_text(sheet: ErrorSheet) -> str:
    """The error sheet as plain text, some twenty lines."""
    lines = [
        f"{sheet.title} (row {sheet.row} of suite {sheet.suite}), trained on {sheet.trained_on} utterances",
        f"corpora: {sheet.heard}",
        *(f"licence of {corpus.name}: {corpus.licence}" for corpus in sheet.corpora),
        f"tested: {sheet.protocol}, {sheet.verdict}; {sheet.utterances} utterances, {sheet.speakers} speakers, "
        f"{sheet.folds} folds",
        f"UAR {_percent(sheet.uar)} %, accuracy {_percent(sheet.accuracy)} % (95 %: {sheet.unit} {sheet.method})",
        f"calibration error {_percent(sheet.ece)} % at temperature {sheet.temperature:.2f}",
    ]
    width = max(len(item.label) for item in sheet.classes)
    for item in sheet.classes:
        lines.append(
            f"  {item.label:<{width}}  says it: right {_percent(item.precision)} %;"
            f"  hears it: {_percent(item.recall)} % of {item.support}"
        )
    for item in sheet.robustness:
        lines.append(f"  {item.condition}: UAR {_percent(item.uar)} %")
    return "\n".join(lines)


def _percent(score: Bounded) -> str:
    if score.value is None:
        return "–"
    bounds = "" if score.low is None else f" [{100 * score.low:.0f}, {100 * score.high:.0f}]"
    return f"{100 * score.value:.1f}{bounds}"

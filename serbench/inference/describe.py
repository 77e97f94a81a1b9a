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
    lines.append(_priors(sheet))
    width = max(len(item.label) for item in sheet.classes)
    for item in sheet.classes:
        lines.append(
            f"  {item.label:<{width}}  says it: right {_percent(item.precision)} %;"
            f"  hears it: {_percent(item.recall)} % of {item.support}"
        )
    for item in sheet.robustness:
        lines.append(f"  {item.condition}: UAR {_percent(item.uar)} %")
    for item in sheet.enrolment:
        lines.append(f"  trained to hear {item.condition} of the speaker first: UAR {_percent(item.uar)} %")
    return "\n".join(lines)


def _priors(sheet: ErrorSheet) -> str:
    tried = sheet.priors
    found = f"log-loss {tried.log_loss_with:.4f} with, {tried.log_loss_without:.4f} without, on other speakers"
    if not tried.log_bias:
        return f"class priors: not used ({found})"
    bias = ", ".join(f"{label} {value:+.2f}" for label, value in zip(sheet.labels, tried.log_bias, strict=True))
    return f"class priors: {bias} ({found}); the row itself: UAR {100 * tried.row_uar:.1f} %"


def _percent(score: Bounded) -> str:
    if score.value is None:
        return "–"
    bounds = "" if score.low is None else f" [{100 * score.low:.0f}, {100 * score.high:.0f}]"
    return f"{100 * score.value:.1f}{bounds}"

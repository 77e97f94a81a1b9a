"""`serbench predict`: what a trained model says of recordings, and what such answers are worth."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options
from serbench.errors import SerbenchError, UnknownName, UsageError

if TYPE_CHECKING:
    from serbench.inference.answers import Answer, Respondent
    from serbench.inference.timeline import Windows


def predict(
    model: Annotated[Path, typer.Argument(help="Folder that `serbench train` made.")],
    inputs: Annotated[list[str], typer.Argument(help="Audio files, folders of them, or - (standard input).")],
    style: Annotated[str, typer.Option("--format", "-f", help="text, json, csv or parquet.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write [standard output].")] = None,
    timeline: Annotated[bool, typer.Option("--timeline", help="Slide a window over long recordings.")] = False,
    window: Annotated[float, typer.Option("--window", help="Seconds of a window.")] = 3.0,
    step: Annotated[float, typer.Option("--step", help="Seconds between windows.")] = 1.0,
    files: Annotated[
        Path | None,
        typer.Option("--timeline-files", help="Folder for Audacity labels, TextGrid and plot of each recording."),
    ] = None,
    abstain: Annotated[
        float | None, typer.Option("--abstain", help="Say unsure where answers would be right less often, such as 0.6.")
    ] = None,
    enrol: Annotated[Path | None, typer.Option("--enrol", help="Adapt to the speaker of a folder (or file).")] = None,
    plugin: options.Plugin = None,
) -> int:
    """Answer for recordings: label, probability, and how often such an answer is right on people not heard before.

    Exit status: 0 when every recording was answered, 1 when some could not be.
    """
    from serbench.inference.answers import Respondent
    from serbench.inference.model import load_model
    from serbench.inference.outputs import FORMATS
    from serbench.inference.recordings import find_recordings
    from serbench.inference.timeline import Windows

    if style not in FORMATS:
        raise UnknownName.among("format", style, FORMATS, where="--format")
    if style == "parquet" and output is None:
        raise UsageError("Parquet is no text for a terminal", where="--format", hint="name a file: --output FILE")
    if files and not timeline:
        raise UsageError("files of a timeline without one", where="--timeline-files", hint="say --timeline too")
    windows = Windows(window, step) if timeline else None
    loaded = load_model(model, plugins=tuple(plugin or ()))
    if enrol is not None:
        loaded = loaded.enrol(find_recordings([str(enrol)]))
    respondent = Respondent(loaded, abstain)
    failures: list[SerbenchError] = []
    answers = _answers(respondent, find_recordings(inputs), windows, files, failures)
    _write(answers, respondent, style, output)
    if failures:
        print(f"serbench: {len(failures)} not answered", file=sys.stderr)
    return 1 if failures else 0


def _answers(
    respondent: Respondent, names: list[str], windows: Windows | None, files: Path | None, failures: list
) -> Iterator[Answer]:
    """Answers as they come; what cannot be answered is named at once and remembered."""
    from serbench.inference.answers import ask_all
    from serbench.inference.recordings import output_names, read_clips

    with _bar(len(names)) as advance:
        if windows is None:
            for _, answer in ask_all(respondent, read_clips(names)):
                advance()
                if isinstance(answer, SerbenchError):
                    _tell(answer, failures)
                else:
                    yield answer
            return
        called = output_names(names)
        for name in names:
            try:
                yield from _timeline(respondent, name, windows, files and files / called[name])
            except SerbenchError as error:
                _tell(error, failures)
            advance()


def _timeline(respondent: Respondent, name: str, windows: Windows, output: Path | None) -> Iterator[Answer]:
    from serbench.inference.outputs import write_timeline
    from serbench.inference.recordings import STANDARD_INPUT, read_source
    from serbench.inference.timeline import timeline

    shown = "standard input" if name == STANDARD_INPUT else name
    kept = []
    for answer in timeline(respondent, read_source(name), shown, windows):
        kept.append(answer)
        yield answer
    if output:
        write_timeline(kept, respondent.labels, output)


def _write(answers: Iterator[Answer], respondent: Respondent, style: str, output: Path | None) -> None:
    from serbench.inference.outputs import answer_line, answer_table, answers_json
    from serbench.records import atomic_path

    if style == "text" and output is None:
        for answer in answers:
            print(answer_line(answer), flush=True)
        return
    kept = list(answers)
    if style == "parquet":
        with atomic_path(output) as temporary:
            answer_table(kept, respondent.labels).to_parquet(temporary, index=False)
        return
    if style == "csv":
        text = answer_table(kept, respondent.labels).to_csv(index=False)
    else:
        text = answers_json(kept) if style == "json" else "\n".join(map(answer_line, kept))
    if output is None:
        print(text.rstrip("\n"))
        return
    with atomic_path(output) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _tell(error: SerbenchError, failures: list) -> None:
    failures.append(error)
    print(f"serbench: {error}", file=sys.stderr)


class _bar:
    """Context manager: a progress bar on a terminal, nothing elsewhere; entering gives what advances it."""

    def __init__(self, total: int):
        self._total = total
        self._shown = None

    def __enter__(self):
        if not sys.stderr.isatty() or self._total < 2:
            return lambda: None
        from rich.console import Console
        from rich.progress import Progress

        self._shown = Progress(console=Console(stderr=True), transient=True)
        self._shown.start()
        task = self._shown.add_task("files", total=self._total)
        return lambda: self._shown.advance(task)

    def __exit__(self, *_):
        if self._shown:
            self._shown.stop()

"""`serbench check`: run the contract tests on what a plug-in file declares."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli import options

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.contracts import Check

STREAMS = (1, 2)
MARKS = {True: "ok", False: "FAILED", None: "-"}


def check(
    file: Annotated[Path, typer.Argument(help="A Python file with own specs.")],
    data: options.Data = None,
    corpus_path: options.CorpusPath = None,
) -> None:
    """Check the models, feature sets, protocols and corpora of a plug-in file against their contracts.

    What a corpus loads is checked where the corpus is there (--data, --corpus-path).
    """
    from serbench.errors import BrokenPlugin
    from serbench.registry import build_registry, kind_of, load_plugin, specs_in

    around = options.circumstances(data=data, corpus_path=corpus_path)
    log = around.cache / "logs" / f"check-{file.stem}.log"
    log.unlink(missing_ok=True)
    with _quiet(log):
        try:
            module, _ = load_plugin(file)
        except BrokenPlugin:
            raise
        except Exception as error:
            raise BrokenPlugin(f"cannot be imported: {type(error).__name__}: {error}", where=str(file)) from error
    found = specs_in(module)
    if not found:
        raise BrokenPlugin("declares no spec", where=str(file), hint="declare a ModelSpec, FeatureSpec, ... constant")
    # A name that the package has already is an error here, as it will be in a run.
    options.refuse_unknown_corpora(corpus_path, lambda: build_registry([file]).names("corpus"))
    for spec in found:
        if absent := [package for package in getattr(spec, "requires", ()) if find_spec(package) is None]:
            raise BrokenPlugin(
                f"'{spec.name}' needs {', '.join(absent)}", where=str(file), hint=f"pip install {' '.join(absent)}"
            )
    failures = 0
    for spec in found:
        with _quiet(log):
            outcome = _checks(spec, around)
        failures += _report(f"{kind_of(spec)} {spec.name}", outcome)
    if log.is_file() and log.stat().st_size:
        print(f"what its libraries said: {log}")
    if failures:
        print(f"{failures} of the checks failed")
        raise typer.Exit(1)


@contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Send what libraries print, below Python too, into a file, and hold them to one thread as a cell is."""
    from serbench.runner.cell.environment import thread_variables

    held = thread_variables(1)
    before = {name: os.environ.get(name) for name in held}
    os.environ.update(held)
    log.parent.mkdir(parents=True, exist_ok=True)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(number) for number in STREAMS]
    with log.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        for number in STREAMS:
            os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            file.flush()
            for number, own in zip(STREAMS, kept, strict=True):
                os.dup2(own, number)
                os.close(own)
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def _checks(spec: Any, around: Circumstances) -> list[Check]:
    from serbench.corpora.contract import check_corpus
    from serbench.features.contract import check_features
    from serbench.models.contract import check_model
    from serbench.protocols.contract import check_protocol
    from serbench.registry import kind_of
    from serbench.runner.executors.contract import check_executor

    if kind_of(spec) == "executor":
        return check_executor(spec, around)
    if kind_of(spec) == "corpus":
        return check_corpus(spec, around)
    ways = {"model": check_model, "features": check_features, "protocol": check_protocol}
    return ways[kind_of(spec)](spec)


def _report(title: str, checks: Iterable[Check]) -> int:
    print(title)
    failed = 0
    for item in checks:
        failed += item.ok is False
        print(f"  {MARKS[item.ok]:<7}{item.name:<24}{item.detail}".rstrip())
    return failed

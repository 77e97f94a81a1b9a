"""Options that several verbs share, and the circumstances made from them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from serbench.circumstances import Circumstances
from serbench.circumstances import circumstances as fill_in
from serbench.errors import UnknownName, UsageError

# A worker without a job has some 200 MB.
LEAST_MEMORY = 500 * 2**20

Data = Annotated[Path | None, typer.Option("--data", help="Folder with one folder per corpus [SERBENCH_DATA].")]
Cache = Annotated[Path | None, typer.Option("--cache", help="Folder for features [SERBENCH_CACHE].")]
Results = Annotated[Path | None, typer.Option("--results", help="Folder of results [SERBENCH_RESULTS, ./results].")]
CorpusPath = Annotated[
    list[str] | None, typer.Option("--corpus-path", help="A corpus that is elsewhere: NAME=DIR. Repeatable.")
]
FeaturesFile = Annotated[
    list[str] | None, typer.Option("--features-file", help="Own features: NAME=FILE (Parquet or NPZ). Repeatable.")
]
Plugin = Annotated[list[Path] | None, typer.Option("--plugin", help="A Python file with own specs. Repeatable.")]
Strict = Annotated[bool, typer.Option("--strict", help="Treat every finding about a corpus as an error.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", help="Cells side by side [number of processors].")]
Threads = Annotated[int | None, typer.Option("--threads", help="Threads within a cell [1]; recorded.")]
CellTimeout = Annotated[
    float | None,
    typer.Option("--cell-timeout", help="Seconds after which a cell fails [none; of plug-ins an hour]."),
]
Memory = Annotated[str | None, typer.Option("--memory", help="What a worker may take, such as 4G [all there is].")]
Executor = Annotated[
    str | None, typer.Option("--executor", help="Where cells run: local, in_process, dask, or a plug-in's [local].")
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="Of --executor dask: its address, such as tcp://head:8786.")
]
Scratch = Annotated[
    Path | None,
    typer.Option("--scratch", help="A local disk for locks, journals and SQLite, where results are shared."),
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="Folder of pre-trained encoders [SERBENCH_WEIGHTS, the hub's own cache]."),
]
Device = Annotated[
    str | None,
    typer.Option("--device", help="Where encoders compute: auto, cpu, cuda, cuda:1 [SERBENCH_DEVICE, auto]."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Run, even if it will take more than a day.")]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        help="MLflow store or server [SQLite file in the results folder].",
        envvar="MLFLOW_TRACKING_URI",
    ),
]


def circumstances(
    *,
    corpus_path: list[str] | None = None,
    features_file: list[str] | None = None,
    plugin: list[Path] | None = None,
    cell_timeout: float | None = None,
    memory: str | None = None,
    **given: Any,
) -> Circumstances:
    """Turn the options of a verb into circumstances.

    Raises
    ------
    UsageError
        For a NAME=PATH that is none, a path where nothing is, or a count below one.
    """
    return fill_in(
        corpus_paths=named_paths(corpus_path, "--corpus-path"),
        features_files=named_paths(features_file, "--features-file"),
        plugins=plugin,
        cell_timeout=_seconds(cell_timeout),
        memory=_bytes(memory),
        **given,
    )


def _seconds(given: float | None) -> float | None:
    if given is not None and not 0 < given < math.inf:
        raise UsageError(f"a limit of {given} seconds", where="--cell-timeout", hint="give seconds above zero")
    return given


def _bytes(given: str | None) -> int | None:
    if given is None:
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?([MGT])i?B?", given, re.IGNORECASE)
    count = int(float(match[1]) * 2 ** {"M": 20, "G": 30, "T": 40}[match[2].upper()]) if match else 0
    if count < LEAST_MEMORY:
        raise UsageError(f"'{given}' is no memory for a worker", where="--memory", hint="such as 4G; 500M at least")
    return count


def whole_number(option: str, given: int, least: int, most: int) -> int:
    """A count that is within its limits.

    Raises
    ------
    UsageError
    """
    if not least <= given <= most:
        raise UsageError(f"found {given}", where=option, hint=f"give a whole number from {least} to {most}")
    return given


def as_words(around: Circumstances) -> list[str]:
    """Circumstances as a command line has them on another machine: with paths that hold in every folder."""
    words = []
    for option in ("data", "cache", "results"):
        words += [f"--{option}", str(getattr(around, option).absolute())]
    for option, named in (("--corpus-path", around.corpus_paths), ("--features-file", around.features_files)):
        for name, path in named.items():
            words += [option, f"{name}={path.absolute()}"]
    for file in around.plugins:
        words += ["--plugin", str(file.absolute())]
    return words


def refuse_unknown_corpora(corpus_path: list[str] | None, known: Callable[[], Iterable[str]]) -> None:
    """Raise an `UnknownName` for a `--corpus-path` of a corpus that nothing here would read.

    `known` lists the names, and is asked only where there is such a path: it may have to read every suite.
    """
    names = named_paths(corpus_path, "--corpus-path")
    known = list(known()) if names else []
    for name in names:
        if name not in known:
            raise UnknownName.among("corpus", name, known, where="--corpus-path")


def named_paths(pairs: list[str] | None, option: str) -> dict[str, Path]:
    """Read repeated NAME=PATH options."""
    found = {}
    for pair in pairs or []:
        name, equals, path = pair.partition("=")
        if not (name and equals and path):
            example = "emodb=/where/it/is" if option == "--corpus-path" else "wavlm=embeddings.parquet"
            raise UsageError(f"'{pair}' is not NAME=PATH", where=option, hint=f"write {option} {example}")
        found[name] = Path(path)
    return found

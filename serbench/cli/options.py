"""Options that several verbs share, and the circumstances made from them.

A circumstance is looked up on the command line, then in the environment, then in
`configs/local.yaml`, and has a default at last.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from serbench.errors import UsageError
from serbench.specs import Circumstances

Data = Annotated[Path | None, typer.Option("--data", help="Folder with one folder per corpus.", envvar="SERBENCH_DATA")]
Cache = Annotated[Path | None, typer.Option("--cache", help="Folder for features.", envvar="SERBENCH_CACHE")]
Results = Annotated[
    Path | None, typer.Option("--results", help="Folder of results [./results].", envvar="SERBENCH_RESULTS")
]
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

LOCAL = Path("configs/local.yaml")
LOCAL_KEYS = {"data", "cache", "results", "corpus_paths", "features_files", "plugins", "jobs", "threads"}


def circumstances(
    *,
    data: Path | None = None,
    cache: Path | None = None,
    results: Path | None = None,
    corpus_path: list[str] | None = None,
    features_file: list[str] | None = None,
    plugin: list[Path] | None = None,
    jobs: int | None = None,
    threads: int | None = None,
    strict: bool = False,
) -> Circumstances:
    """Fill in what the command line leaves open.

    Raises
    ------
    UsageError
        For a NAME=PATH that is none, a count below one, or a key of `configs/local.yaml` that is unknown.
    """
    import platformdirs

    local = _local()
    default_cache = Path(platformdirs.user_cache_dir("serbench"))
    default_data = Path(platformdirs.user_data_dir("serbench"))
    chosen = {
        "data": Path(data or local.get("data") or default_data).expanduser(),
        "cache": Path(cache or local.get("cache") or default_cache).expanduser(),
        "results": Path(results or local.get("results") or "results").expanduser(),
        "corpus_paths": {**_paths(local.get("corpus_paths", {})), **named_paths(corpus_path, "--corpus-path")},
        "features_files": {**_paths(local.get("features_files", {})), **named_paths(features_file, "--features-file")},
        "plugins": tuple(Path(path).resolve() for path in [*local.get("plugins", []), *(plugin or [])]),
        "jobs": _positive(jobs or local.get("jobs") or os.cpu_count() or 1, "--jobs", jobs),
        "threads": _positive(threads or local.get("threads") or 1, "--threads", threads),
        "strict": strict,
    }
    return Circumstances(**chosen)


def named_paths(pairs: list[str] | None, option: str) -> dict[str, Path]:
    """Read repeated NAME=PATH options."""
    found = {}
    for pair in pairs or []:
        name, equals, path = pair.partition("=")
        if not (name and equals and path):
            raise UsageError(f"'{pair}' is not NAME=PATH", where=option, hint=f"write {option} emodb=/where/it/is")
        found[name] = Path(path).expanduser()
    return found


def _positive(value: int, option: str, given: int | None) -> int:
    if given is not None and given < 1:
        raise UsageError(f"{given} is too few", where=option, hint="give 1 or more")
    return int(value)


def _paths(values: dict[str, str]) -> dict[str, Path]:
    return {name: Path(path).expanduser() for name, path in values.items()}


def _local() -> dict[str, Any]:
    if not LOCAL.is_file():
        return {}
    import yaml

    try:
        values = yaml.safe_load(LOCAL.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"not YAML: {error}", where=str(LOCAL), hint="mend or remove it") from error
    if not isinstance(values, dict) or set(values) - LOCAL_KEYS:
        unknown = ", ".join(sorted(set(values) - LOCAL_KEYS)) if isinstance(values, dict) else "not a mapping"
        raise UsageError(f"unknown keys: {unknown}", where=str(LOCAL), hint=f"allowed: {', '.join(sorted(LOCAL_KEYS))}")
    return values

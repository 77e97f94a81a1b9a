"""What does not change a score: where things are, and how much of the machine to use.

An option counts first, then the environment, then `configs/local.yaml`, then the default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serbench.errors import UsageError

LOCAL = Path("configs/local.yaml")
KEYS = {"data", "cache", "results", "corpus_paths", "features_files", "plugins", "jobs", "threads"}
ENVIRONMENT = {"data": "SERBENCH_DATA", "cache": "SERBENCH_CACHE", "results": "SERBENCH_RESULTS"}


@dataclass(frozen=True)
class Circumstances:
    """What does not change a score: where things are and how much to use at once.

    Attributes
    ----------
    data : Path
        Folder that holds one folder per corpus.
    corpus_paths : mapping of str to Path
        Corpora that are elsewhere.
    cache : Path
        Features, content hashes and the synthetic corpus.
    results : Path
        One folder per suite.
    jobs : int
        Cells that run side by side.
    threads : int
        Threads within a cell; recorded, since more than one changes TensorFlow's bits.
    """

    data: Path
    cache: Path
    results: Path
    corpus_paths: Mapping[str, Path] = field(default_factory=dict)
    features_files: Mapping[str, Path] = field(default_factory=dict)
    plugins: tuple[Path, ...] = ()
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    threads: int = 1
    strict: bool = False

    def corpus_root(self, name: str) -> Path:
        """Folder (or manifest file) of a corpus."""
        return Path(self.corpus_paths.get(name, self.data / name))


def circumstances(
    *,
    data: str | Path | None = None,
    cache: str | Path | None = None,
    results: str | Path | None = None,
    corpus_paths: Mapping[str, str | Path] | None = None,
    features_files: Mapping[str, str | Path] | None = None,
    plugins: Sequence[str | Path] | None = None,
    jobs: int | None = None,
    threads: int | None = None,
    strict: bool = False,
) -> Circumstances:
    """Fill in what is left open.

    Raises
    ------
    UsageError
        For a count below one, a data folder, corpus or plug-in that is given and not there, or a `configs/local.yaml`
        that is not YAML or holds an unknown key.
    """
    import platformdirs

    local = _local()
    if data is not None and not Path(data).expanduser().is_dir():
        raise UsageError(
            f"no such folder: {data}",
            where="--data",
            hint="give the folder that holds one folder per corpus (or set SERBENCH_DATA)",
        )
    for name, path in _paths(corpus_paths or {}).items():
        if not path.exists():
            raise UsageError(
                f"there is nothing at {path}",
                where=f"--corpus-path {name}",
                hint="give the corpus' folder, or the file of a manifest",
            )

    def folder(key: str, given: str | Path | None, default: str) -> Path:
        return Path(given or os.environ.get(ENVIRONMENT[key]) or local.get(key) or default).expanduser()

    return Circumstances(
        data=folder("data", data, platformdirs.user_data_dir("serbench")),
        cache=folder("cache", cache, platformdirs.user_cache_dir("serbench")),
        results=folder("results", results, "results"),
        corpus_paths=_paths({**local.get("corpus_paths", {}), **(corpus_paths or {})}),
        features_files=_paths({**local.get("features_files", {}), **(features_files or {})}),
        plugins=tuple(_plugin(path) for path in [*local.get("plugins", []), *(plugins or [])]),
        jobs=_count("jobs", jobs, local, os.cpu_count() or 1),
        threads=_count("threads", threads, local, 1),
        strict=strict,
    )


def _paths(values: Mapping[str, str | Path]) -> dict[str, Path]:
    return {name: Path(path).expanduser() for name, path in values.items()}


def _plugin(path: str | Path) -> Path:
    if not Path(path).is_file():
        raise UsageError(f"no such plug-in file: {path}", where="--plugin", hint="give the path of a Python file")
    if Path(path).suffix != ".py":
        raise UsageError(f"not a Python file: {path}", where="--plugin", hint="a plug-in is a file in .py")
    return Path(path).resolve()


def _count(key: str, given: int | None, local: Mapping[str, Any], default: int) -> int:
    value = given if given is not None else local.get(key, default)
    if not isinstance(value, int) or value < 1:
        raise UsageError(f"'{value}' is no count", where=key, hint="give a whole number from 1 up")
    return value


def _local() -> dict[str, Any]:
    if not LOCAL.is_file():
        return {}
    import yaml

    try:
        values = yaml.safe_load(LOCAL.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"not YAML: {error}", where=str(LOCAL), hint="mend or remove it") from error
    unknown = sorted(set(values) - KEYS) if isinstance(values, dict) else ["(not a mapping)"]
    if unknown:
        raise UsageError(f"unknown keys: {', '.join(unknown)}", where=str(LOCAL), hint=f"allowed: {', '.join(KEYS)}")
    return values

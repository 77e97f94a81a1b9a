"""What does not change a score: where things are, and how much of the machine to use.

An option counts first, then the environment, then `configs/local.yaml`, then the default.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serbench.errors import UsageError
from serbench.identity import digest

LOCAL = Path("configs/local.yaml")
KEYS = {
    *("data", "cache", "results", "corpus_paths", "features_files"),
    *("plugins", "jobs", "threads", "executor", "scheduler", "scratch", "weights", "device"),
}
MOST = 4096  # workers, or threads of one
ENVIRONMENT = {
    **{"data": "SERBENCH_DATA", "cache": "SERBENCH_CACHE", "results": "SERBENCH_RESULTS"},
    **{"weights": "SERBENCH_WEIGHTS", "device": "SERBENCH_DEVICE"},
}
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


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
    cell_timeout : float, optional
        Seconds after which a cell, or a chunk of an extraction, is ended and fails.
    memory : int, optional
        Bytes that a worker may take.
    executor : str
        Where jobs run: the name of an `ExecutorSpec`.
    scheduler : str, optional
        Address of the scheduler that an executor is to use, such as ``tcp://head:8786``.
    scratch : Path, optional
        Folder on a disk of each machine's own for what a shared file system does badly: locks, the journals of
        searches, SQLite.
    weights : Path, optional
        Folder of pre-trained encoders; where the hub's own client keeps them, if nothing is said.
    device : str
        Where encoders compute: ``auto`` (a GPU where there is one), or a device of torch.
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
    cell_timeout: float | None = None
    memory: int | None = None
    executor: str = "local"
    scheduler: str | None = None
    scratch: Path | None = None
    weights: Path | None = None
    device: str = "auto"

    def corpus_root(self, name: str) -> Path:
        """Folder (or manifest file) of a corpus."""
        return Path(self.corpus_paths.get(name, self.data / name))

    def own_folder(self, folder: Path) -> Path:
        """Where this machine keeps its locks and journals for a folder of results: there, or in `scratch`."""
        if self.scratch is None:
            return folder
        # One scratch may serve several results folders.
        return self.scratch / f"{folder.name}-{digest(str(folder.absolute()).encode())[:8]}"


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
    cell_timeout: float | None = None,
    memory: int | None = None,
    executor: str | None = None,
    scheduler: str | None = None,
    scratch: str | Path | None = None,
    weights: str | Path | None = None,
    device: str | None = None,
) -> Circumstances:
    """Fill in what is left open.

    Raises
    ------
    UsageError
        For a count below one or beyond reason, a data folder, corpus or plug-in that is given and not there, a path
        that is none, or a `configs/local.yaml` that is not YAML or holds what it may not.
    """
    import platformdirs

    local = _local()
    own = scratch or local.get("scratch")
    models = weights or os.environ.get(ENVIRONMENT["weights"]) or local.get("weights")
    if weights is not None and not refuse_impossible(Path(weights).expanduser(), "--weights").is_dir():
        raise UsageError(
            f"no such folder: {weights}", where="--weights", hint="give the folder that holds one folder per model"
        )
    if data is not None and not refuse_impossible(Path(data).expanduser(), "--data").is_dir():
        raise UsageError(
            f"no such folder: {data}",
            where="--data",
            hint="give the folder that holds one folder per corpus (or set SERBENCH_DATA)",
        )
    for name, path in _paths(corpus_paths or {}).items():
        if not refuse_impossible(path, f"--corpus-path {name}").exists():
            raise UsageError(
                f"there is nothing at {path}",
                where=f"--corpus-path {name}",
                hint="give the corpus' folder, or the file of a manifest",
            )

    def folder(key: str, given: str | Path | None, default: str) -> Path:
        path = Path(given or os.environ.get(ENVIRONMENT[key]) or local.get(key) or default).expanduser()
        return refuse_impossible(path, f"--{key}")

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
        cell_timeout=cell_timeout,
        memory=memory,
        executor=executor or local.get("executor", "local"),
        scheduler=scheduler or local.get("scheduler"),
        scratch=refuse_impossible(Path(own).expanduser(), "--scratch") if own else None,
        weights=refuse_impossible(Path(models).expanduser(), "--weights") if models else None,
        device=_device(device or os.environ.get(ENVIRONMENT["device"]) or local.get("device", "auto")),
    )


def refuse_impossible(path: Path, where: str) -> Path:
    """Raise a `UsageError` for a path that cannot be: too long, with NUL, or no UTF-8."""
    try:
        path.stat()
        str(path).encode()
    except ValueError as error:
        raise UsageError(f"no path in UTF-8: {error}", where=where, hint="give another") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError("the path is too long", where=where, hint="give a shorter one") from error
    return path


def remember_corpus(name: str, path: Path) -> Path | None:
    """Note in `configs/local.yaml` where a corpus is; its comments and other lines stay.

    Returns
    -------
    Path or None
        The file; None where it is written in a way that cannot be added to.
    """
    import yaml

    known = _local()
    places = known.get("corpus_paths") or {}
    if places.get(name) == str(path):
        return LOCAL
    wanted = {**known, "corpus_paths": {**places, name: str(path)}}
    text = LOCAL.read_text(encoding="utf-8") if LOCAL.is_file() else ""
    line = f"  {name}: {json.dumps(str(path), ensure_ascii=False)}\n"
    if name in places:
        text = re.sub(rf"^\s+{re.escape(name)}:.*\n?", lambda _: line, text, count=1, flags=re.MULTILINE)
    elif places:
        text = re.sub(r"^corpus_paths:.*\n", lambda found: found[0] + line, text, count=1, flags=re.MULTILINE)
    else:
        text = f"{text.rstrip()}\ncorpus_paths:\n{line}".lstrip()
    try:
        same = yaml.safe_load(text) == wanted
    except yaml.YAMLError:
        same = False
    if not same:
        return None
    LOCAL.parent.mkdir(parents=True, exist_ok=True)
    LOCAL.write_text(text, encoding="utf-8")
    return LOCAL


def _paths(values: Mapping[str, str | Path]) -> dict[str, Path]:
    return {name: Path(path).expanduser() for name, path in values.items()}


def _plugin(path: str | Path) -> Path:
    if not refuse_impossible(Path(path), "--plugin").is_file():
        raise UsageError(f"no such plug-in file: {path}", where="--plugin", hint="give the path of a Python file")
    if Path(path).suffix != ".py":
        raise UsageError(f"not a Python file: {path}", where="--plugin", hint="a plug-in is a file in .py")
    return Path(path).resolve()


def _count(key: str, given: int | None, local: Mapping[str, Any], default: int) -> int:
    value = given if given is not None else local.get(key, default)
    if not isinstance(value, int) or not 1 <= value <= MOST:
        raise UsageError(f"'{value}' is no count", where=f"--{key}", hint=f"give a whole number from 1 to {MOST}")
    return value


def _device(name: str) -> str:
    if not DEVICE.fullmatch(name):
        raise UsageError(f"'{name}' is no device", where="--device", hint="auto, cpu, cuda, cuda:1 or mps")
    return name


def _local() -> dict[str, Any]:
    if not LOCAL.is_file():
        return {}
    import yaml

    try:
        values = yaml.safe_load(LOCAL.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"not YAML in UTF-8: {error}", where=str(LOCAL), hint="mend or remove it") from error
    unknown = sorted(set(values) - KEYS) if isinstance(values, dict) else ["(not a mapping)"]
    if unknown:
        raise UsageError(f"unknown keys: {', '.join(unknown)}", where=str(LOCAL), hint=f"allowed: {', '.join(KEYS)}")
    shapes = {"corpus_paths": dict, "features_files": dict, "plugins": list, "jobs": int, "threads": int}
    for name, value in values.items():
        shape = shapes.get(name, str)
        if not isinstance(value, shape):
            raise UsageError(
                f"found {value!r}, expected {shape.__name__}", where=f"{LOCAL}, key '{name}'", hint="mend or remove it"
            )
    return values

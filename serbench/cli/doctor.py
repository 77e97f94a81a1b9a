"""`serbench doctor`: what is installed and how much room there is, which corpora are here, what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import serbench
from serbench.cli import options

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.registry import Registry

# What a suite needs at the least: features of a few corpora.
LITTLE = 2 * 10**9
TITLES = 12


def doctor(
    data: options.Data = None,
    cache: options.Cache = None,
    results: options.Results = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
) -> None:
    """Say what is here: versions, processors, room, corpora and extras, and what each missing thing would add."""
    from serbench.registry import build_registry

    around = options.circumstances(data=data, cache=cache, results=results, corpus_path=corpus_path, plugin=plugin)
    registry = build_registry(around.plugins)
    options.refuse_unknown_corpora(corpus_path, lambda: registry.names("corpus"))
    for part in (_versions(), _machine(), _room(around), _corpora(registry, around), _extras(registry)):
        for title, text in part:
            print(f"{title:<{TITLES}}{text}")
    for name, reason in sorted(registry.broken.items()):
        print(f"{'broken':<{TITLES}}plug-in {name}: {reason}")


def _versions() -> Iterator[tuple[str, str]]:
    yield "serbench", f"{serbench.__version__} on Python {platform.python_version()}"
    from serbench.runner.cell.environment import PACKAGES

    found = {name: _version(name) for name in PACKAGES if name != "serbench"}
    yield "packages", ", ".join(f"{name} {version}" for name, version in found.items() if version)


def _machine() -> Iterator[tuple[str, str]]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "processors", f"{usable} usable, so {usable} cells side by side (--jobs); memory {memory / 1e9:.1f} GB"


def _room(around: Circumstances) -> Iterator[tuple[str, str]]:
    from serbench.corpora.download.space import free_space, in_words

    places = {"data": (around.data, "--data, SERBENCH_DATA"), "cache": (around.cache, "--cache, SERBENCH_CACHE")}
    places["results"] = (around.results, "--results, SERBENCH_RESULTS")
    for title, (folder, how) in places.items():
        free = free_space(folder.absolute())
        little = ": little; name another folder" if free < LITTLE else ""
        made = "" if folder.is_dir() else ", not made yet"
        yield title, f"{folder.absolute()}{made}; {in_words(free)} free{little} ({how})"


def _corpora(registry: Registry, around: Circumstances) -> Iterator[tuple[str, str]]:
    from serbench.cli.hints import corpus_itself
    from serbench.corpora.presence import corpus_present

    specs = [spec for spec in registry.all("corpus") if spec.homepage or spec.embedded]
    here = [spec.name for spec in specs if corpus_present(spec, around)]
    yield "corpora", f"here: {', '.join(here)}"
    absent = [spec for spec in specs if spec.name not in here]
    by_hand = [spec.name for spec in absent if not spec.sources]
    to_get = [spec.name for spec in absent if spec.sources]
    if to_get:
        yield "", f"`serbench corpora get NAME` downloads: {', '.join(to_get)}"
    if by_hand:
        yield "", f"given out by hand (`serbench corpora get NAME` prints the steps): {', '.join(by_hand)}"
    if hint := corpus_itself(around.data, to_get + by_hand):
        yield "", hint


def _extras(registry: Registry) -> Iterator[tuple[str, str]]:
    from serbench.runner.planning.packages import EXTRAS

    adds: dict[str, list[str]] = {}
    for kind, title in (("features", "feature set"), ("model", "model")):
        for spec in registry.all(kind):
            for package in spec.requires:
                adds.setdefault(package, []).append(f"{title} {spec.name}")
    for package, names in sorted(adds.items()):
        if find_spec(package) is not None:
            yield "installed", f"{package} {_version(package)}: {', '.join(names)}"
            continue
        install = f"pip install 'serbench[{EXTRAS[package]}]'" if package in EXTRAS else f"pip install {package}"
        yield "missing", f"{package}: rows with {', '.join(names)} are skipped; `{install}` adds them"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""

"""The registry: collects the specs of the package, of entry points and of `--plugin` files."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from serbench.containment import contained
from serbench.errors import BrokenPlugin, DuplicateName, UnknownName
from serbench.identity import digest
from serbench.specs import (
    CorpusSpec,
    ExecutorSpec,
    FeatureSpec,
    ModelSpec,
    ProtocolSpec,
    refuse_wrong_fields,
    renamed_features,
)

KINDS: dict[str, type] = {
    "corpus": CorpusSpec,
    "features": FeatureSpec,
    "protocol": ProtocolSpec,
    "model": ModelSpec,
    "executor": ExecutorSpec,
}
PACKAGES = (
    *("serbench.corpora", "serbench.features", "serbench.protocols", "serbench.models"),
    "serbench.runner.executors",
)
ENTRY_POINTS = "serbench.plugins"
IMPORT_SECONDS = 60
_IMPORTING = threading.RLock()


@dataclass(frozen=True)
class Origin:
    """Where a spec was declared; `source_hash` is empty for the package's own."""

    where: str
    source_hash: str = ""


@dataclass
class Registry:
    """Specs by kind and name, with their origins and the plug-ins that are broken."""

    specs: dict[tuple[str, str], Any] = field(default_factory=dict)
    origins: dict[tuple[str, str], Origin] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def add(self, spec: Any, origin: Origin) -> None:
        """Add a spec; a second one of the same kind and name raises, naming both origins."""
        key = (kind_of(spec), spec.name)
        if key[0] == "features" and renamed_features(spec.name) != spec.name:
            raise DuplicateName(
                f"{origin.where}: '{spec.name}' was a name of the features '{renamed_features(spec.name)}'",
                hint="give yours another one",
            )
        if key in self.specs:
            if self.specs[key] is spec:
                return
            raise DuplicateName(
                f"two specs for {key[0]} '{key[1]}': {self.origins[key].where} and {origin.where}",
                hint="rename one of them",
            )
        self.specs[key] = spec
        self.origins[key] = origin

    def get(self, kind: str, name: str, *, where: str | None = None) -> Any:
        """Return a spec; an unknown name raises with the nearest one."""
        if kind == "features" and (kind, name) not in self.specs:
            name = renamed_features(name)
        if (kind, name) in self.specs:
            return self.specs[kind, name]
        if name in self.broken:
            raise BrokenPlugin(f"plug-in '{name}' is broken: {self.broken[name]}", where=where)
        error = UnknownName.among(kind, name, self.names(kind), where=where)
        if self.broken:
            error.hint = f"{error.hint}; broken plug-ins: {', '.join(sorted(self.broken))} (`serbench list` says why)"
        raise error

    def features(self, name: str, params: Mapping[str, Any], *, where: str | None = None) -> FeatureSpec:
        """Return a feature set as it is with some parameters."""
        return _chosen(self.get("features", name, where=where), params)

    def model(self, name: str, params: Mapping[str, Any], *, where: str | None = None) -> ModelSpec:
        """Return a model as it is with some parameters."""
        return _chosen(self.get("model", name, where=where), params)

    def names(self, kind: str) -> list[str]:
        """Names of one kind, sorted."""
        return sorted(name for this, name in self.specs if this == kind)

    def all(self, kind: str) -> list[Any]:
        """Specs of one kind, sorted by name."""
        return [self.specs[kind, name] for name in self.names(kind)]

    def source_hash(self, kind: str, name: str) -> str:
        """Hash of the plug-in file behind a spec; empty for the package's own."""
        return self.origins[kind, renamed_features(name) if kind == "features" else name].source_hash


def _chosen(spec: Any, params: Mapping[str, Any]) -> Any:
    return spec.choose(params) if spec.choose else spec


def build_registry(plugins: Iterable[Path] = ()) -> Registry:
    """Collect the package's specs, those of entry points, and those of plug-in files.

    Parameters
    ----------
    plugins : iterable of Path
        Python files given by the user: a broken one is listed and raises when asked for.
    """
    registry = Registry()
    for package in PACKAGES:
        for module in _submodules(package):
            _collect(registry, module, Origin(module.__name__))
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        _try(registry, entry.name, lambda entry=entry: _entry_module(entry))
    for path in plugins:
        _try(registry, Path(path).stem, lambda path=path: load_plugin(Path(path)))
    return registry


def load_plugin(path: Path) -> tuple[ModuleType, Origin]:
    """Import a plug-in file under a name of its own.

    Raises
    ------
    BrokenPlugin
        If there is no such file or importing it raises.
    """
    if not path.is_file():
        what = "a folder, not a plug-in file" if path.is_dir() else "no such plug-in file"
        raise BrokenPlugin(what, where=str(path), hint="give the path of a Python file")
    source_hash = digest(path.read_bytes(), 16)
    name = f"serbench_plugin_{path.stem}_{source_hash}"
    # Another thread must not see a module that is half imported.
    with _IMPORTING:
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None:
                suite = f"; `serbench run {path} --dry-run` checks a suite" if path.suffix in (".yaml", ".yml") else ""
                raise BrokenPlugin("not a Python file", where=str(path), hint=f"a plug-in is a file in .py{suite}")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            try:
                with contained(seconds=IMPORT_SECONDS):
                    spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
    return sys.modules[name], Origin(str(path), source_hash)


def specs_in(module: ModuleType) -> list[Any]:
    """The spec constants of a module: single ones, and tuples or lists of them."""
    found: list[Any] = []
    for value in vars(module).values():
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, tuple(KINDS.values())) and not any(item is other for other in found):
                found.append(item)
    return found


def kind_of(spec: Any) -> str:
    """The kind under which a spec is filed."""
    return next(kind for kind, type_ in KINDS.items() if isinstance(spec, type_))


def _submodules(package: str) -> list[ModuleType]:
    # Sub-packages hold shared machinery that may import heavy packages (models/deep: Keras).
    root = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.iter_modules(root.__path__) if not info.ispkg)
    return [importlib.import_module(f"{package}.{name}") for name in names]


def _entry_module(entry: importlib.metadata.EntryPoint) -> tuple[ModuleType, Origin]:
    module = entry.load()
    source = getattr(module, "__file__", None)
    source_hash = digest(Path(source).read_bytes(), 16) if source else ""
    return module, Origin(f"entry point {entry.name} ({entry.value})", source_hash)


def _try(registry: Registry, name: str, load) -> None:
    # A broken plug-in must not take the whole program down: it is listed with its reason.
    try:
        module, origin = load()
        for spec in (found := specs_in(module)):
            refuse_wrong_fields(spec)
    except Exception as error:
        registry.broken[name] = "".join(traceback.format_exception_only(error)).strip()
        return
    _collect(registry, module, origin)
    if not found:
        registry.broken[name] = (
            f"declares no spec (a constant of {', '.join(kind.__name__ for kind in KINDS.values())})"
        )


def _collect(registry: Registry, module: ModuleType, origin: Origin) -> None:
    for spec in specs_in(module):
        registry.add(spec, origin)

"""Optional packages that rows need: the one place that asks whether they are installed."""

from __future__ import annotations

from importlib.util import find_spec

from serbench.records import Cell, feature_sets
from serbench.registry import Registry

# The extras of serbench by the package that they hold.
EXTRAS = {"opensmile": "opensmile", "tensorflow": "deep"}


def installed(package: str) -> bool:
    """Whether a package can be imported; it is not imported for that."""
    return find_spec(package) is not None


def missing_packages(row: Cell, registry: Registry) -> str:
    """Which optional packages of a row's model, feature sets, or its search's sets are absent; empty if none."""
    specs = [
        registry.get("model", row.model["name"]),
        *(registry.get("features", entry["name"]) for entry in feature_sets(row)),
    ]
    absent = sorted(package for package in {name for spec in specs for name in spec.requires} if not installed(package))
    extras = ",".join(EXTRAS[package] for package in absent if package in EXTRAS)
    wanted = [*([f"'serbench[{extras}]'"] if extras else []), *(package for package in absent if package not in EXTRAS)]
    return f"not installed: {', '.join(absent)}; pip install {' '.join(wanted)}" if absent else ""

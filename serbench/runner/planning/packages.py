"""Optional packages that rows need: the one place that asks whether they are installed."""

from __future__ import annotations

import itertools
from importlib.util import find_spec

from serbench.records import Cell, feature_choices
from serbench.registry import Registry


def installed(package: str) -> bool:
    """Whether a package can be imported; it is not imported for that."""
    return find_spec(package) is not None


def missing_packages(row: Cell, registry: Registry) -> str:
    """Which optional packages of a row's feature sets, or of its search's, are not installed; empty if none."""
    used = itertools.chain(*feature_choices(row.tuning, row.features))
    required = {package for entry in used for package in registry.get("features", entry["name"]).requires}
    absent = sorted(package for package in required if not installed(package))
    hint = f"pip install 'serbench[{','.join(absent)}]'"
    return f"not installed: {', '.join(absent)}; {hint}" if absent else ""

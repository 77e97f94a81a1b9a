"""What rows need and may be absent, optional packages and weights: the one place that asks whether they are there."""

from __future__ import annotations

from importlib.util import find_spec

from serbench.features.ssl import REQUIRES as SSL_REQUIRES
from serbench.records import Cell, feature_sets
from serbench.registry import Registry

# The extras of serbench by the package that they hold.
EXTRAS = {"opensmile": "opensmile", "tensorflow": "deep", **dict.fromkeys(SSL_REQUIRES, "encoders")}


def installed(package: str) -> bool:
    """Whether a package can be imported; it is not imported for that."""
    return find_spec(package) is not None


def missing_packages(row: Cell, registry: Registry) -> str:
    """What a row's model, feature sets, or its search's sets lack here: packages, or weights; empty if nothing."""
    specs = [
        registry.model(row.model["name"], row.model["params"]),
        *(registry.features(entry["name"], entry["params"]) for entry in feature_sets(row)),
    ]
    absent = sorted(package for package in {name for spec in specs for name in spec.requires} if not installed(package))
    extras = ",".join(dict.fromkeys(EXTRAS[package] for package in absent if package in EXTRAS))
    wanted = [*([f"'serbench[{extras}]'"] if extras else []), *(package for package in absent if package not in EXTRAS)]
    packages = [f"not installed: {', '.join(absent)}; pip install {' '.join(wanted)}"] if absent else []
    lacking = [spec.unavailable for spec in specs if spec.unavailable]
    return "; ".join([*packages, *dict.fromkeys(lacking)])

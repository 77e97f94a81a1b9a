"""The kinds of figures that there are, collected from their modules."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from serbench.errors import UnknownName
from serbench.reporting import figures
from serbench.reporting.figures.canvas import theme
from serbench.reporting.figures.kind import FigureKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@cache
def kinds() -> Mapping[str, FigureKind]:
    """All kinds by name: every `FigureKind` constant of a module in this package."""
    found = {}
    for module in pkgutil.iter_modules(figures.__path__):
        for value in vars(importlib.import_module(f"{figures.__name__}.{module.name}")).values():
            if isinstance(value, FigureKind):
                found[value.name] = value
    return MappingProxyType(dict(sorted(found.items())))


def kind_named(name: str) -> FigureKind:
    """A kind by its name; an unknown one raises with the nearest."""
    if name not in kinds():
        raise UnknownName.among("kind of figure", name, kinds(), where="plot KIND SUITE")
    return kinds()[name]


def draw(name: str, view: Any) -> Figure:
    """Draw a figure of a kind from its view, in the common theme."""
    kind = kind_named(name)
    with theme():
        return kind.draw(view)

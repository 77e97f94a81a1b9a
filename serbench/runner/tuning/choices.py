"""What a suite's tuning means for a cell; light, since planning needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Inner folds of a suite that names none; left out of a cell's id.
INNER = 3


def feature_choices(tuning: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], ...]]:
    """The cell's own features, then those that its search may choose instead.

    Examples
    --------
    >>> feature_choices({}, [{"name": "mfcc"}])
    [({'name': 'mfcc'},)]
    """
    return [tuple(own), *(tuple(sets) for sets in tuning.get("features", ()))]

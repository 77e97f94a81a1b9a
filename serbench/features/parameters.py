"""The parameters of a feature set: which it has, and what they are when nothing is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serbench.errors import FeatureError, UnknownName
from serbench.specs import FeatureSpec

TRIM = "trim"


def resolve_params(spec: FeatureSpec, params: Mapping[str, Any], *, where: str | None = None) -> dict[str, Any]:
    """All parameters of a set: its defaults, overridden by `params`.

    `trim` (dB below the peak, None for no trimming) is a parameter of every set.

    Raises
    ------
    UnknownName
        For a parameter that the set does not have.
    FeatureError
        For a `trim` that is not a positive number.
    """
    known = {TRIM: None, **spec.params}
    for name in params:
        if name not in known:
            raise UnknownName.among(f"parameter of features '{spec.name}'", name, known, where=where)
    resolved = {**known, **params}
    trim = resolved[TRIM]
    if trim is not None and (isinstance(trim, bool) or not isinstance(trim, (int, float)) or not trim > 0):
        raise FeatureError(
            f"trim is {trim!r}", where=where or spec.name, hint="give dB below the peak, such as 40, or null"
        )
    return resolved

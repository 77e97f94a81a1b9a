"""What the built-in models share: complete parameters, and the number of threads of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from serbench.errors import UnknownName

# A parameter that the runner keeps for models that cannot take any number of rows: it draws the rows that they are
# fitted to, since it knows whose they are.
MAX_TRAIN = "max_train"


def complete(model: str, defaults: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Fill parameters up with their defaults.

    Raises
    ------
    UnknownName
        If a parameter is none of the model's.
    """
    for name in params:
        if name not in defaults:
            raise UnknownName.among(f"parameter of {model}", name, defaults)
    return {**defaults, **params}


def threads() -> int:
    """Return the threads of a cell: ``OMP_NUM_THREADS`` of this process, else 1."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdigit() and int(value) else 1

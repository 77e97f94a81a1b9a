"""Canonical JSON, the ids made from it, and the seeds derived from names."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """Serialise plain data so that equal content gives equal text on every machine.

    Parameters
    ----------
    value : plain data
        Mappings, sequences, strings, finite numbers, booleans, None.

    Raises
    ------
    TypeError
        For anything that is not plain data.
    ValueError
        For NaN or infinity, which JSON cannot hold.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_id(value: Any, length: int = 16) -> str:
    """Return a hexadecimal id of `length` characters for plain data."""
    return digest(canonical_json(value).encode("utf-8"), length)


def digest(data: bytes, length: int = 32) -> str:
    """Return the BLAKE2b digest of `data` as `length` hexadecimal characters."""
    return hashlib.blake2b(data, digest_size=(length + 1) // 2).hexdigest()[:length]


def seed_for(root: int, *names: str) -> int:
    """Derive a seed in [0, 2**31) from a root seed and the names of what it is for.

    Python's own `hash` is salted per process; this is the same everywhere.

    Examples
    --------
    >>> seed_for(0, "emodb", "loso", "03") == seed_for(0, "emodb", "loso", "03")
    True
    """
    return int(content_id([int(root), *map(str, names)]), 16) % (2**31)


def _plain(value: Any) -> Any:
    # By their exact types first: to ask whether something is a mapping takes longer than all the rest of an id.
    if type(value) in (str, int, bool):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        # 1.0 and 1 in a suite mean the same setting, so they must give the same id.
        return int(value) if math.isfinite(value) and value.is_integer() else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"{value!r} of type {type(value).__name__} is not plain data")

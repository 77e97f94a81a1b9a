"""What a worker is handed: plain, picklable descriptions of one extraction or one cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serbench.identity import seed_for
from serbench.records import Cell
from serbench.specs import Circumstances


@dataclass(frozen=True)
class ExtractJob:
    """Files whose features are missing, and the sets to compute from each."""

    circumstances: Circumstances
    sets: tuple[tuple[str, Mapping[str, Any]], ...]
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CellJob:
    """A cell, the rows of its task table on each side, and what its record says besides.

    Attributes
    ----------
    train, test : ndarray of int
        Positions in the task table.
    """

    cell: Cell
    circumstances: Circumstances
    folder: Path
    task_file: Path
    train: np.ndarray
    test: np.ndarray
    independence: frozenset[str]
    audit: Mapping[str, Any]
    corpus: Mapping[str, Any]
    plugin_hash: str
    environment: Mapping[str, Any]
    force: bool = False
    save_model: bool = False

    def seed(self, purpose: str) -> int:
        """A seed for this fold: independent of the tuning, so that a tuned and an untuned cell pair up."""
        cell = self.cell
        return seed_for(cell.seed, cell.corpus, cell.protocol_name, cell.fold, purpose)

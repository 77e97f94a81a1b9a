"""The splits that the cells of a suite were made on: who was on which side of every fold."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from serbench.records.atomic import atomic_path
from serbench.records.derived import read_derived

NAME = "splits.parquet"
SPLIT_KEYS = ("corpus", "protocol", "seed", "fold")
SPLIT_COLUMNS = (*SPLIT_KEYS, "utterance", "speaker", "role")


def splits_path(folder: Path) -> Path:
    """Where a suite's splits lie."""
    return folder / NAME


def read_splits(folder: Path) -> pa.Table | None:
    """The splits of a suite, columns `SPLIT_COLUMNS`; None where there are none, or where they are damaged."""
    return read_derived(splits_path(folder), _read, None)


def add_splits(folder: Path, new: pd.DataFrame) -> None:
    """Write splits; those of the same folds are replaced, the others stay."""
    if (before := read_splits(folder)) is not None:
        old = before.to_pandas()
        keys = list(SPLIT_KEYS)
        replaced = pd.MultiIndex.from_frame(old[keys]).isin(pd.MultiIndex.from_frame(new[keys]))
        new = pd.concat([old[~replaced], new], ignore_index=True)
    with atomic_path(splits_path(folder)) as temporary:
        new.to_parquet(temporary, compression="zstd")


def _read(path: Path) -> pa.Table:
    table = pq.read_table(path, columns=list(SPLIT_COLUMNS))
    # A column that is absent is passed over by pyarrow; seeds are numbers, all else is text.
    return table.cast(pa.schema((name, pa.int64() if name == "seed" else pa.string()) for name in SPLIT_COLUMNS))

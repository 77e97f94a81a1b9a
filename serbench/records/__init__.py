"""The unit of work and what it leaves behind: `Cell`, `Record`, predictions, and the files that hold them."""

from serbench.records.atomic import atomic_path
from serbench.records.cell import (
    INNER_FOLDS,
    ROW_ID_LENGTH,
    Cell,
    feature_choices,
    feature_sets,
    member_cells,
    member_title,
    named_parts,
)
from serbench.records.cell_file import METADATA_KEY, cell_path, read_cell, read_record, write_cell
from serbench.records.record import (
    DEGRADED,
    PREDICTION_COLUMNS,
    PROBABILITY,
    SCHEMA,
    Record,
    empty_predictions,
    make_predictions,
)

__all__ = [
    "DEGRADED",
    "INNER_FOLDS",
    "METADATA_KEY",
    "PREDICTION_COLUMNS",
    "PROBABILITY",
    "ROW_ID_LENGTH",
    "SCHEMA",
    "Cell",
    "Record",
    "atomic_path",
    "cell_path",
    "empty_predictions",
    "feature_choices",
    "feature_sets",
    "make_predictions",
    "member_cells",
    "member_title",
    "named_parts",
    "read_cell",
    "read_record",
    "write_cell",
]

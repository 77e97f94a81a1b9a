"""Predictions as they are read from a file: codes instead of labels, the test part alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from serbench.records import Cell
from serbench.scoring import CodedPredictions, label_codes

COLUMNS = ("corpus", "utterance", "speaker", "role", "truth", "predicted")


def make_tested(cell: Cell, predictions: pa.Table) -> CodedPredictions:
    """Codes of the test rows of a predictions table."""
    labels = cell.labels["labels"]
    columns = {name: _dictionary(predictions.column(name)) for name in COLUMNS}
    keep = _decoded(columns["role"]) == "test"
    corpus, utterance = _decoded(columns["corpus"])[keep], _decoded(columns["utterance"])[keep]
    return CodedPredictions(
        truth=_codes(columns["truth"], labels)[keep],
        predicted=_codes(columns["predicted"], labels)[keep],
        speakers=_decoded(columns["speaker"])[keep],
        utterances=corpus + "/" + utterance,
    )


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.DictionaryArray) else whole.unify_dictionaries().chunk(0)


def _decoded(column: pa.DictionaryArray) -> np.ndarray:
    if not len(column):
        return np.empty(0, dtype=object)
    values = np.asarray(column.dictionary.to_pylist(), dtype=object)
    return values[column.indices.to_numpy(zero_copy_only=False)]


def _codes(column: pa.DictionaryArray, labels: Sequence[str]) -> np.ndarray:
    # A frozen file's dictionary holds the labels of all its corpora: only those that stand in these rows are looked up.
    used, positions = np.unique(column.indices.to_numpy(zero_copy_only=False), return_inverse=True)
    return label_codes(column.dictionary.take(pa.array(used)).to_pylist(), labels)[positions]

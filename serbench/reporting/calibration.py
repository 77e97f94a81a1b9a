"""The probabilities of a row's cells, as they are or at the temperature that their validation rows ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError
from serbench.records import PROBABILITY
from serbench.scoring import CodedProbabilities, at_temperature, fit_temperature, label_codes

if TYPE_CHECKING:
    import pandas as pd


def pooled_probabilities(
    frames: Mapping[str, pd.DataFrame], labels: Sequence[str], *, scaled: bool = False
) -> CodedProbabilities:
    """Pool the test probabilities of a row's cells.

    Parameters
    ----------
    frames : mapping
        Cell id -> predictions, from `load_predictions`.
    labels : sequence of str
    scaled : bool
        Scale each cell by a temperature fitted on its own validation rows.

    Raises
    ------
    ResultsError
        If scaling is asked for and a cell has no validation rows.
    """
    parts, temperatures = [], []
    for cell_id, frame in frames.items():
        test = frame[frame["role"] == "test"]
        probabilities = _probabilities(test, labels)
        if scaled:
            validation = frame[frame["role"] == "validation"]
            if validation.empty:
                hint = "temperature scaling is fitted on them; only models with early stopping have some"
                raise ResultsError("no validation predictions", where=f"cell {cell_id}", hint=hint)
            truth = label_codes(validation["truth"].tolist(), labels)
            temperatures.append(fit_temperature(truth, _probabilities(validation, labels)))
            probabilities = at_temperature(probabilities, temperatures[-1])
        codes = [label_codes(test[name].tolist(), labels) for name in ("truth", "predicted")]
        parts.append((*codes, probabilities, test["speaker"].to_numpy(dtype=object)))
    truth, predicted, probabilities, speakers = (np.concatenate(column) for column in zip(*parts, strict=True))
    return CodedProbabilities(truth, predicted, probabilities, speakers, tuple(temperatures))


def _probabilities(frame: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    return frame[[PROBABILITY + label for label in labels]].to_numpy(dtype=np.float64)

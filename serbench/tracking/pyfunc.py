"""How MLflow loads a saved model of serbench: `mlflow.pyfunc` calls `_load_pyfunc`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from serbench.models.saving import SavedModel, load_model
from serbench.registry import build_registry


class Probabilities:
    """A saved model behind MLflow's `predict`: features in, one column of probabilities per label out."""

    def __init__(self, model: SavedModel):
        self.model = model

    def predict(self, model_input, params=None) -> pd.DataFrame:
        """Return (n, n_labels) probabilities with the labels as columns.

        Parameters
        ----------
        model_input : array of shape (n, d) or (n, frames, d)
            Features as the model was trained on: vectors, or sequences of equal length.
        params : mapping, optional
            Not used; part of MLflow's contract.
        """
        features = np.asarray(model_input, dtype=np.float32)
        given = features if features.ndim == 2 else list(features)
        return pd.DataFrame(self.model.predict_proba(given), columns=list(self.model.classes_))


def _load_pyfunc(path: str) -> Probabilities:
    return Probabilities(load_model(Path(path), build_registry()))

"""The estimator that all sequence models share: preparation, network, training loop, prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from serbench.models.deep.batches import Preparation
from serbench.models.deep.classifier import NetworkClassifier
from serbench.models.deep.defaults import TRAINING
from serbench.models.deep.layers import Trim
from serbench.models.deep.training import Trainer, compile_forward, predict, prepare_backend


class DeepClassifier(NetworkClassifier):
    """A Keras network over feature sequences, with scikit-learn's contract.

    Parameters
    ----------
    network : callable
        ``network(frames, valid, *, n_classes, **architecture) -> logits`` from Keras inputs
        (batch, time, d) and (batch, time).
    params : mapping
        Training parameters (`serbench.models.deep.defaults`) and the network's own.
    n_classes : int
    seed : int

    Attributes
    ----------
    history : dict of str to list of float
        `loss`, `accuracy`, `uar` per epoch (in training mode: with dropout and augmentation), and with a
        validation part `val_loss`, `val_accuracy`, `val_uar`.
    """

    def __init__(self, network: Callable, params: Mapping[str, Any], *, n_classes: int, seed: int):
        super().__init__(params, n_classes=n_classes, seed=seed)
        self.network = network

    def fit(self, X: Sequence[np.ndarray], y, validation=None) -> DeepClassifier:
        """Fit to sequences (frames, d) and codes.

        Parameters
        ----------
        validation : (Xv, yv), optional
            Stops the training early and chooses the epoch; without it all epochs are run.
        """
        prepare_backend(self.seed)
        keras.backend.clear_session()
        training = {name: self.params[name] for name in TRAINING}
        self.preparation = Preparation.fit(X, **{name: training[name] for name in ("max_frames", "crop", "pool")})
        self.model = self._build(X[0].shape[1])
        trainer = Trainer(self.model, self.n_classes, training, self.seed, self.watch)
        if validation is not None:
            validation = (self.preparation.apply(validation[0]), np.asarray(validation[1]))
        trainer.fit(self.preparation.apply(X), np.asarray(y), validation)
        self.history, self.forward = trainer.history, trainer.forward
        return self

    def _probabilities(self, X: Sequence[np.ndarray]) -> np.ndarray:
        return predict(self.forward, self.preparation.apply(X))

    def restore(self, model: keras.Model, preparation: Mapping[str, np.ndarray]) -> None:
        """Take over a fitted network and its preparation, as saved."""
        self.model, self.forward = model, compile_forward(model)
        self.preparation = Preparation.from_arrays(preparation)

    def count_params(self) -> int:
        """Return the number of weights of the fitted network."""
        return int(self.model.count_params())

    def _build(self, dimensions: int) -> keras.Model:
        frames = keras.Input((None, dimensions), name="frames")
        valid = keras.Input((None,), name="valid")
        architecture = {name: value for name, value in self.params.items() if name not in TRAINING}
        logits = self.network(Trim()(frames, valid), valid, n_classes=self.n_classes, **architecture)
        return keras.Model([frames, valid], logits)

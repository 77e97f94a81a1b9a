"""A saved model that answers for speech: from a file or samples to class probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from serbench.errors import FeatureError, ModelError
from serbench.features.api import extract
from serbench.models.saving import SavedModel
from serbench.models.saving import load_model as load_saved
from serbench.registry import Registry, build_registry
from serbench.runner.cell.inputs import stored_spec


@dataclass(frozen=True)
class SpeechModel:
    """A saved model together with the features it was trained on."""

    saved: SavedModel
    registry: Registry = field(repr=False)

    @property
    def classes_(self) -> np.ndarray:
        """The labels, in the order of the probabilities."""
        return self.saved.classes_

    def predict_proba(self, source: str | Path | np.ndarray, *, rate: int | None = None) -> np.ndarray:
        """Class probabilities of one utterance.

        Parameters
        ----------
        source : path, or ndarray of shape (samples,)
            An audio file, or mono samples in [-1, 1] at `rate` Hz (16,000 unless told).

        Returns
        -------
        ndarray of shape (n_labels,)

        Raises
        ------
        FeatureError
            If the model was trained on features that cannot be computed from one utterance alone.
        """
        cell = self.saved.meta["cell"]
        # A search may have chosen other features than the cell's own.
        chosen = self.saved.meta["features"]
        names = [entry["name"] for entry in chosen]
        if cell.get("normalise", "none") != "none":
            raise FeatureError(
                f"the model was trained on {cell['normalise']}-normalised features",
                where="+".join(names),
                hint="these need all utterances of a speaker: use a model trained without",
            )
        parts = [
            extract(source, entry["name"], rate=rate, registry=self.registry, **entry["params"]) for entry in chosen
        ]
        features = parts if parts[0].ndim == 2 else np.concatenate(parts)[None]
        return self.saved.predict_proba(features)[0]

    def predict(self, source: str | Path | np.ndarray, *, rate: int | None = None) -> str:
        """The most probable label of one utterance."""
        return str(self.classes_[self.predict_proba(source, rate=rate).argmax()])


def load_model(folder: str | Path, *, plugins: tuple[str | Path, ...] = ()) -> SpeechModel:
    """Load a model that `serbench run --save-models` wrote.

    Parameters
    ----------
    folder : path
        ``<results>/<suite>/models/<cell id>``.
    plugins : tuple of paths
        Plug-in files that the model or its features come from.

    Raises
    ------
    ModelError
        If there is no model, its files are damaged, or its features are now computed in another way.
    UnknownName
        If there is no such feature set here.

    Examples
    --------
    >>> import tempfile, pathlib, serbench
    >>> results = tempfile.mkdtemp()
    >>> one = {"model": ["svm"], "protocol": ["speaker_kfold"], "fold": ["1"]}
    >>> board = serbench.run("demo", filters=one, results=results, jobs=1, save_models=True)
    >>> folder = next(pathlib.Path(results, "demo", "models").iterdir())
    >>> table = serbench.load_corpus("synthetic")
    >>> serbench.load_model(folder).predict_proba(table["path"].iloc[0]).shape
    (7,)
    """
    registry = build_registry([Path(path) for path in plugins])
    saved = load_saved(Path(folder), registry)
    _refuse_other_features(saved, registry, Path(folder))
    return SpeechModel(saved, registry)


def _refuse_other_features(saved: SavedModel, registry: Registry, folder: Path) -> None:
    # Of models saved before, the cell's own version is known; that of a plug-in said nothing of its source.
    if not saved.meta.get("features"):
        raise ModelError("the saved model names no features", where=str(folder), hint="run its row again")
    trained = {entry["name"]: entry.get("version") for entry in saved.meta["features"]}
    trained |= saved.meta.get("feature_versions", {})
    for name, version in trained.items():
        now = stored_spec(registry, name).version
        if now != version:
            raise ModelError(
                f"the model was trained on '{name}' of version {version}, here it is of version {now}",
                where=str(folder),
                hint="load it with the serbench (and plug-ins) that saved it, or run its row again with --save-models",
            )

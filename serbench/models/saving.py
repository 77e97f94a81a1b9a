"""Fitted models on disk, without pickle: skops for scikit-learn, `.keras` for Keras, XGBoost's own JSON, safetensors.

A folder holds `meta.json` and the files of its format. Loading runs no code from the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import ModelError, SerbenchError
from serbench.identity import digest
from serbench.records.shapes import check_shape
from serbench.registry import Registry

META = "meta.json"
SKOPS, KERAS, XGBOOST, ENCODER = "model.skops", "network.keras", "model.json", "model.safetensors"
PREPARATION = "preparation.npz"
# skops refuses classes that it does not know: the package's own, the trees of scikit-learn's forests, and the
# dictionary in which its votes keep their members.
TRUSTED = (
    "serbench.models.shallow.svc.SoftmaxSVC",
    "serbench.models.shallow.projection.BoundedPCA",
    "serbench.models.shallow.speaker.SpeakerIdentity",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)


@dataclass(frozen=True)
class SavedModel:
    """A fitted model with what is known of it.

    Attributes
    ----------
    estimator : object
        The estimator; its columns are the classes seen in training.
    meta : mapping
        What was saved with it: `cell`, `params`, `labels`, `seen`, `features`, `feature_versions`.
    """

    estimator: Any
    meta: Mapping[str, Any]

    def __repr__(self) -> str:
        cell, kind = self.meta["cell"], type(self.estimator).__name__
        where = f", fold {cell['fold']}" if "fold" in cell else ""
        return f"<SavedModel {cell['model']['name']} ({kind}){where}: {', '.join(self.meta['labels'])}>"

    @property
    def classes_(self) -> np.ndarray:
        """The labels, in the order of the probability columns."""
        return np.array(self.meta["labels"])

    def predict_proba(self, X) -> np.ndarray:
        """Return (n, n_labels) probabilities; a class that training had not seen gets 0.

        Parameters
        ----------
        X : ndarray of shape (n, d), or list of (frames, d) arrays
            Features as the model was trained on.

        Raises
        ------
        ModelError
            If the estimator knows other classes than were saved with it.
        """
        answered = self.estimator.predict_proba(X)
        if answered.shape != (len(X), len(self.meta["seen"])):
            raise ModelError(f"the saved model is damaged: it answers for other classes than {self.meta['seen']}")
        full = np.zeros((len(X), len(self.meta["labels"])))
        full[:, self.meta["seen"]] = answered
        return full

    def predict(self, X) -> np.ndarray:
        """Return the most probable labels."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def is_saved(folder: Path) -> bool:
    """Whether a fitted model lies in a folder."""
    return (folder / META).is_file()


def save_model(estimator: Any, folder: Path, meta: Mapping[str, Any]) -> list[Path]:
    """Write a fitted estimator and its metadata into a folder.

    Parameters
    ----------
    estimator : object
        Of scikit-learn, XGBoost, a `DeepClassifier` or a `FineTunedEncoder`.
    folder : Path
        Made if it is not there.
    meta : mapping
        Plain data; `cell`, `params`, `labels`, `seen` are needed for loading.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ModelError
        If there is no format for the estimator.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = _write(estimator, folder)
    document = {**meta, "format": files[0].name, "hashes": {file.name: _hash(file) for file in files}}
    (folder / META).write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return [*files, folder / META]


def load_model(folder: Path, registry: Registry, *, trusted: Sequence[str] = ()) -> SavedModel:
    """Load what `save_model` wrote.

    Parameters
    ----------
    registry : Registry
        Knows the model's spec, which a network is rebuilt from.
    trusted : sequence of str
        Full names of further classes that a skops file may hold (those of a plug-in).

    Raises
    ------
    ModelError
        If there is no model, a file is damaged, or it holds a class that is not trusted.
    """
    folder = Path(folder)
    meta = _read_meta(folder)
    readers = {SKOPS: _read_skops, KERAS: _read_keras, XGBOOST: _read_xgboost, ENCODER: _read_encoder}
    form = meta["format"]
    if form not in readers:
        raise ModelError(f"unknown format '{form}'", where=str(folder / META), hint=f"known: {', '.join(readers)}")
    refuse_changed(folder)
    try:
        return SavedModel(readers[form](folder, meta, registry, trusted), meta)
    except SerbenchError:
        raise
    except Exception as error:
        # The readers of three libraries, given anything at all, raise anything at all.
        told = f"{type(error).__name__}: {error}"[:300]
        raise ModelError(f"the saved model cannot be read: {told}", where=str(folder / form)) from error


def refuse_changed(folder: Path) -> None:
    """Compare the files of a saved model with their hashes in its `meta.json`; models saved before have none.

    Raises
    ------
    ModelError
        Naming the first file that is not what was saved.
    """
    for name, expected in _read_meta(folder).get("hashes", {}).items():
        if _hash(folder / Path(name).name) != expected:
            raise ModelError(
                "the saved model is damaged: its hash is not that in meta.json",
                where=str(folder / name),
                hint="run its row again with --save-models",
            )


def _read_meta(folder: Path) -> dict[str, Any]:
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelError("no saved model here", where=str(folder), hint="`serbench train` makes one") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"the saved model cannot be read: {type(error).__name__}", where=str(folder / META)) from error
    try:
        check_shape("model", meta)
        if not meta["seen"] or not all(0 <= position < len(meta["labels"]) for position in meta["seen"]):
            raise ValueError("classes that are none of the labels")
    except ValueError as error:
        raise ModelError(f"the saved model is damaged: {error}", where=str(folder / META)) from error
    return meta


def _hash(file: Path) -> str:
    try:
        return digest(file.read_bytes(), 16)
    except OSError as error:
        raise ModelError(f"the saved model is damaged: {error.strerror}", where=str(file)) from error


def _write(estimator: Any, folder: Path) -> list[Path]:
    if hasattr(estimator, "extractor"):
        return estimator.save(folder)
    if hasattr(estimator, "preparation"):
        estimator.model.save(folder / KERAS)
        np.savez(folder / PREPARATION, **estimator.preparation.to_arrays())
        return [folder / KERAS, folder / PREPARATION]
    if hasattr(estimator, "get_booster"):
        estimator.save_model(folder / XGBOOST)
        return [folder / XGBOOST]
    import skops.io

    try:
        skops.io.dump(estimator, folder / SKOPS)
    except Exception as error:
        raise ModelError(
            f"{type(estimator).__name__} cannot be saved: {error}",
            where=str(folder),
            hint="scikit-learn estimators, XGBoost's and the package's networks can",
        ) from error
    return [folder / SKOPS]


def _read_skops(folder: Path, meta: Mapping, registry: Registry, trusted: Sequence[str]) -> Any:
    import skops.io

    # A plug-in's own model says what its files hold.
    spec = registry.specs.get(("model", meta["cell"]["model"]["name"]))
    allowed = {*TRUSTED, *trusted, *(spec.trusted if spec else ())}
    strange = sorted(set(skops.io.get_untrusted_types(file=folder / SKOPS)) - allowed)
    if strange:
        raise ModelError(
            f"the file holds classes that are not trusted: {', '.join(strange)}",
            where=str(folder / SKOPS),
            hint="a plug-in's model declares them (ModelSpec: trusted); load it with the plug-in",
        )
    return skops.io.load(folder / SKOPS, trusted=sorted(allowed))


def _read_keras(folder: Path, meta: Mapping, registry: Registry, trusted: Sequence[str]) -> Any:
    try:
        import keras
    except ImportError as error:
        hint = "pip install 'serbench[deep]'"
        raise ModelError("a network, and TensorFlow is not installed", where=str(folder), hint=hint) from error
    # Importing the layers registers them with Keras; safe mode refuses anything else.
    import serbench.models.deep.fixed
    import serbench.models.deep.recurrent  # noqa: F401

    estimator = _unfitted(folder, meta, registry)
    with np.load(folder / PREPARATION, allow_pickle=False) as arrays:
        estimator.restore(keras.models.load_model(folder / KERAS, compile=False, safe_mode=True), arrays)
    return estimator


def _unfitted(folder: Path, meta: Mapping, registry: Registry) -> Any:
    spec = registry.get("model", meta["cell"]["model"]["name"], where=str(folder / META))
    return spec.build(dict(meta["params"]), n_classes=len(meta["seen"]), seed=0)


def _read_encoder(folder: Path, meta: Mapping, registry: Registry, trusted: Sequence[str]) -> Any:
    estimator = _unfitted(folder, meta, registry)
    estimator.restore(folder)
    return estimator


def _read_xgboost(folder: Path, meta: Mapping, registry: Registry, trusted: Sequence[str]) -> Any:
    from xgboost import XGBClassifier
    from xgboost.core import XGBoostError

    estimator = XGBClassifier()
    # XGBoost's own parser can end the process.
    json.loads((folder / XGBOOST).read_bytes())
    try:
        estimator.load_model(folder / XGBOOST)
    except XGBoostError as error:
        raise ModelError("the saved model is damaged", where=str(folder / XGBOOST)) from error
    return estimator

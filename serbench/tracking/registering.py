"""Put a trained model into MLflow's registry, its error sheet as tags and description."""

from __future__ import annotations

import importlib.metadata
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from serbench.errors import TrackingError
from serbench.inference.describe import sheet_text
from serbench.inference.folder import read_manifest
from serbench.inference.sheet import ErrorSheet
from serbench.tracking.models import put_model
from serbench.tracking.speech_pyfunc import AUDIO, LABEL, PATH
from serbench.tracking.store import artifact_root, open_client

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

LOADER = "serbench.tracking.speech_pyfunc"
EXPERIMENT = "serbench models"


def save_pyfunc(folder: Path, path: Path, mlflow_model=None) -> None:
    """Write a model folder as an MLflow model, which serbench alone is needed to load.

    Parameters
    ----------
    folder : Path
        What `serbench train` made.
    path : Path
        Made; must not be there.
    """
    import mlflow.pyfunc

    packages = ("serbench", "numpy", "pandas", "scikit-learn", "mlflow")
    mlflow.pyfunc.save_model(
        path=str(path),
        loader_module=LOADER,
        data_path=str(folder),
        mlflow_model=mlflow_model,
        signature=_signature(read_manifest(folder).labels),
        pip_requirements=[f"{name}=={importlib.metadata.version(name)}" for name in packages],
    )


def register(uri: str, name: str, folder: Path) -> str:
    """Register a model folder as a new version of `name` and return the version's number.

    Raises
    ------
    TrackingError
        If the store takes no model of this name.
    """
    from mlflow.exceptions import MlflowException

    sheet, client = read_manifest(folder).sheet, open_client(uri)
    try:
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        known = client.get_experiment_by_name(EXPERIMENT)
        experiment = (
            known.experiment_id
            if known
            else client.create_experiment(EXPERIMENT, artifact_location=artifact_root(uri, EXPERIMENT))
        )
        logged = put_model(client, experiment, "serbench", partial(save_pyfunc, folder))
        # Without `model_id`: MLflow would look it up in the store that is global, not in this client's.
        version = client.create_model_version(
            name, logged.artifact_location, tags=sheet_tags(sheet), description=sheet_text(sheet)
        )
    except MlflowException as error:
        raise TrackingError(f"the model cannot be registered as '{name}': {error.message}", where=uri) from error
    return str(version.version)


def sheet_tags(sheet: ErrorSheet) -> dict[str, str]:
    """The error sheet as tags: what is searched and compared by."""
    tags = {
        "serbench.row": sheet.row,
        "serbench.suite": sheet.suite,
        "serbench.verdict": sheet.verdict,
        "serbench.corpora": sheet.heard,
        "serbench.licences": "; ".join(f"{corpus.name}: {corpus.licence}" for corpus in sheet.corpora),
        "serbench.uar": _bounds(sheet.uar.value, sheet.uar.low, sheet.uar.high),
    }
    for item in sheet.classes:
        precision = item.precision
        tags[f"serbench.precision.{item.label}"] = _bounds(precision.value, precision.low, precision.high)
    return tags


def _bounds(*values: float | None) -> str:
    value, low, high = ("–" if item is None else f"{item:.3f}" for item in values)
    return f"{value} [{low}, {high}]"


def _signature(labels: list[str]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec("binary", AUDIO, required=False), ColSpec("string", PATH, required=False)])
    outputs = Schema([ColSpec("string", LABEL), *(ColSpec("double", label) for label in labels)])
    return ModelSignature(inputs=inputs, outputs=outputs)

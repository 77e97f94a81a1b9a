"""Log a saved model with MLflow: signature, input example, and a loader that answers as the cell did."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.models.saving import ENCODER, KERAS, META, SKOPS, TRUSTED, XGBOOST, is_saved
from serbench.registry import build_registry
from serbench.runner.cell.jobs import model_folder
from serbench.tracking.pyfunc import _load_pyfunc

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import Model, ModelSignature

LOADER = "serbench.tracking.pyfunc"
NAME = "model"
EXAMPLES = 2
EXAMPLE_FRAMES = 50
# What reads each form of a saved model, the package that a flavour's version is of first.
PACKAGES = {
    SKOPS: ("scikit-learn", "skops"),
    XGBOOST: ("xgboost",),
    KERAS: ("keras", "tensorflow"),
    ENCODER: ("transformers", "torch", "safetensors"),
}


def saved_model(suite_folder: Path, cell_id: str) -> Path | None:
    """Folder of a cell's model; None where none was kept."""
    folder = model_folder(Path(suite_folder), cell_id)
    return folder if is_saved(folder) else None


def log_model(client: MlflowClient, experiment: str, run_id: str, folder: Path, dimensions: int) -> str:
    """Log a saved model as the output of a run and return its id.

    The whole folder of `save_model` goes along, and `mlflow.pyfunc` loads it through serbench: probabilities over
    the whole label list. The flavour's own loader (scikit-learn through skops, XGBoost, Keras) finds its file too.

    Parameters
    ----------
    folder : Path
        What `serbench.models.saving.save_model` wrote.
    dimensions : int
        Values per vector, or per frame of a sequence.
    """
    from mlflow.entities import LoggedModelOutput

    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    example = input_example(meta, dimensions)
    # A model that cannot be loaded raises here, before anything of it is logged.
    signature = _signature(folder, example)

    def save(path: Path, model: Model) -> None:
        _save(path, folder, meta["format"], model, signature=signature, input_example=example)

    logged = put_model(client, experiment, meta["format"], save, run_id=run_id)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return logged.model_id


def put_model(
    client: MlflowClient, experiment: str, kind: str, save: Callable[[Path, Model], None], run_id: str | None = None
) -> LoggedModel:
    """Create a logged model, let `save` write it into a folder, and send that."""
    from mlflow.entities import LoggedModelStatus
    from mlflow.models import Model

    logged = client.create_logged_model(experiment, name=NAME, source_run_id=run_id, model_type=kind)
    model = Model(
        artifact_path=logged.artifact_location, model_uuid=logged.model_id, run_id=run_id, model_id=logged.model_id
    )
    with tempfile.TemporaryDirectory(prefix="serbench-") as temporary:
        save(Path(temporary) / NAME, model)
        client.log_model_artifacts(logged.model_id, str(Path(temporary) / NAME))
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    return logged


def _save(path: Path, folder: Path, form: str, model: Model, **described: Any) -> None:
    import mlflow.pyfunc

    _add_flavour(model, form, f"data/{folder.name}")
    mlflow.pyfunc.save_model(
        path=str(path),
        loader_module=LOADER,
        data_path=str(folder),
        mlflow_model=model,
        pip_requirements=_requirements(form),
        **described,
    )


def input_example(meta: dict[str, Any], dimensions: int) -> np.ndarray:
    """Features of the right shape, drawn from a standard normal: an example of the form, not of speech."""
    accepts = build_registry().get("model", meta["cell"]["model"]["name"]).accepts
    shape = (EXAMPLES, dimensions) if accepts == "vector" else (EXAMPLES, EXAMPLE_FRAMES, dimensions)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _signature(folder: Path, example: np.ndarray) -> ModelSignature:
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import Schema, TensorSpec

    answer = _load_pyfunc(str(folder)).predict(example)
    # The number of utterances and of frames is free.
    free = (*(-1 for _ in example.shape[:-1]), example.shape[-1])
    inputs = Schema([TensorSpec(np.dtype(np.float32), free)])
    return ModelSignature(inputs=inputs, outputs=infer_signature(example, answer).outputs)


def _add_flavour(model: Model, form: str, data: str) -> None:
    import importlib.metadata

    version = importlib.metadata.version(PACKAGES[form][0])
    if form == SKOPS:
        model.add_flavor(
            "sklearn",
            pickled_model=f"{data}/{SKOPS}",
            serialization_format="skops",
            skops_trusted_types=list(TRUSTED),
            sklearn_version=version,
        )
    elif form == XGBOOST:
        model.add_flavor(
            "xgboost",
            data=f"{data}/{XGBOOST}",
            model_class="xgboost.sklearn.XGBClassifier",
            model_format="json",
            xgb_version=version,
        )
    elif form == KERAS:
        # Keras' own suffix is added by the loader.
        model.add_flavor("keras", data=f"{data}/{Path(KERAS).stem}", keras_version=version, keras_backend="tensorflow")


def _requirements(form: str) -> list[str]:
    import importlib.metadata

    return [f"{name}=={importlib.metadata.version(name)}" for name in ("serbench", "numpy", "pandas", *PACKAGES[form])]

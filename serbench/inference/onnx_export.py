"""A trained model as ONNX, from features on; refused unless it answers as the model itself."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import ModelError
from serbench.inference import onnx_example
from serbench.inference.known import read_examples
from serbench.inference.model import Member, SpeechModel
from serbench.inference.onnx_networks import INPUT, convert_network
from serbench.scoring import at_temperature

TOLERANCE = 1e-4
OUTPUT = "answer"
SHOWN = 5


def export_onnx(model: SpeechModel, source: Path, folder: Path) -> float:
    """Write every member as ONNX with an example that answers from features on.

    Parameters
    ----------
    source : Path
        The model's folder.
    folder : Path
        Made; must not be there, or be empty.

    Returns
    -------
    float
        The largest difference of a probability on the stored utterances, at most 1e-4.

    Raises
    ------
    ModelError
        If a member cannot be converted, or answers otherwise.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError("there is something already", where=str(folder), hint="give a new folder (-o), or remove it")
    if model.sheet is None:
        raise ModelError(
            "a cell's model has no stored utterances to compare on", where=str(source),
            hint="train its row: serbench train",
        )  # fmt: skip
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        staged = Path(temporary) / "onnx"
        staged.mkdir()
        names = [f"member-{number}" for number in range(len(model.members))]
        features = {name: read_examples(source / name) for name in names}
        for name, member in zip(names, model.members, strict=True):
            (staged / f"{name}.onnx").write_bytes(_converted(member, features[name]))
        _describe(model, names, staged)
        difference = _difference(model, features, staged)
        if not difference <= TOLERANCE:
            raise ModelError(
                f"as ONNX it answers otherwise: a probability differs by {difference:.2g} (allowed: {TOLERANCE:g})",
                where=str(source), hint="ONNX computes in 32 bits; another model may agree",
            )  # fmt: skip
        shown = {name: found[:SHOWN] for name, found in features.items()}
        np.savez_compressed(staged / "examples.npz", **_arrays(shown))
        shutil.copy(onnx_example.__file__, staged / "example.py")
        if folder.exists():
            folder.rmdir()
        shutil.move(staged, folder)
    return difference


def _describe(model: SpeechModel, names: list[str], folder: Path) -> None:
    members = [
        {
            "name": name,
            "weight": member.weight,
            "temperature": member.temperature,
            "seen": list(member.saved.meta["seen"]),
            "features": member.sets,
        }
        for name, member in zip(names, model.members, strict=True)
    ]
    content = {
        "labels": [str(label) for label in model.classes_],
        "temperature": model.temperature,
        "log_bias": model.log_bias,
        "members": members,
        "error_sheet": model.sheet.model_dump(mode="json"),
    }
    (folder / "model.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _arrays(features: dict[str, Any]) -> dict[str, np.ndarray]:
    """Features as the example reads them: sequences one after another, with their lengths."""
    found = {}
    for name, utterances in features.items():
        found[name] = utterances if isinstance(utterances, np.ndarray) else np.concatenate(utterances)
        if not isinstance(utterances, np.ndarray):
            found[name + onnx_example.LENGTHS] = np.array([len(item) for item in utterances])
    return found


def _difference(model: SpeechModel, features: dict[str, Any], folder: Path) -> float:
    expected = sum(
        member.weight * at_temperature(member.saved.predict_proba(features[name]), member.temperature)
        for name, member in zip(features, model.members, strict=True)
    )
    found = onnx_example.answer(folder, _arrays(features))
    answered = at_temperature(expected, model.temperature, model.log_bias or 0.0)
    return float(np.abs(found - answered).max())


def _converted(member: Member, examples: Any) -> bytes:
    kind = member.saved.meta["cell"]["model"]["name"]
    estimator = member.saved.estimator
    if member.adaptation is not None:
        raise ModelError(
            f"'{kind}' hears a speaker before it answers, which ONNX cannot", where="--onnx",
            hint="train a row that does not enrol",
        )  # fmt: skip
    if hasattr(estimator, "extractor"):
        raise ModelError(
            f"'{kind}' is a network of transformers, which is not exported here", where="--onnx",
            hint="its folder in the model (config.json, model.safetensors) is what their own exporters take",
        )  # fmt: skip
    convert: Callable = _sklearn
    if hasattr(estimator, "preparation"):
        convert = _network
    elif hasattr(estimator, "get_booster"):
        convert = _xgboost
    try:
        return convert(estimator, examples).SerializeToString()
    except Exception as error:
        # What a converter does not know, it tells in many ways.
        raise ModelError(
            f"'{kind}' cannot be exported: {type(error).__name__}: {str(error).strip().splitlines()[0]}", where="--onnx"
        ) from error


def _network(estimator: Any, examples: Any) -> Any:
    converted = convert_network(estimator, vectors=isinstance(examples, np.ndarray))
    return _only_probabilities(converted, converted.graph.output[0].name)


def _xgboost(estimator: Any, examples: np.ndarray) -> Any:
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    converted = convert_xgboost(estimator, initial_types=[(INPUT, FloatTensorType([None, examples.shape[1]]))])
    return _only_probabilities(converted, converted.graph.output[1].name)


def _sklearn(estimator: Any, examples: np.ndarray) -> Any:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.pipeline import make_pipeline

    steps = [_plain(step) for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    last = steps[-1]
    softmax = type(last).__name__ == "SVC"
    options = {id(last): {"raw_scores": True} if softmax else {"zipmap": False}}
    if softmax:
        options[id(last)]["zipmap"] = False
    converted = convert_sklearn(
        make_pipeline(*steps), initial_types=[(INPUT, FloatTensorType([None, examples.shape[1]]))], options=options
    )
    return _only_probabilities(converted, converted.graph.output[1].name, softmax=softmax)


def _plain(step: Any) -> Any:
    """The scikit-learn estimator inside one of the package's own, which converters do not know."""
    from sklearn.svm import SVC

    from serbench.models.shallow.projection import BoundedPCA
    from serbench.models.shallow.svc import SoftmaxSVC

    if isinstance(step, BoundedPCA):
        return step.pca_
    if isinstance(step, SoftmaxSVC):
        plain = SVC()
        plain.__dict__.update(vars(step))
        return plain
    return step


def _only_probabilities(converted: Any, name: str, *, softmax: bool = False) -> Any:
    """Leave one output, called `answer`."""
    from onnx import helper

    graph = converted.graph
    kept = next(output for output in graph.output if output.name == name)
    node = helper.make_node("Softmax" if softmax else "Identity", [name], [OUTPUT], **({"axis": 1} if softmax else {}))
    graph.node.append(node)
    kind = kept.type.tensor_type.elem_type
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, kind, [None, None]))
    return converted

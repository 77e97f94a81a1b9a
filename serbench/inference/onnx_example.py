"""Answer from features with ONNX Runtime: needs numpy and onnxruntime, and nothing of serbench.

Run it in the folder that `serbench export` made:  python example.py [FEATURES.npz]

FEATURES.npz holds an array (utterances, dimensions) per member, named member-0, member-1, …; of a member on sequences
all frames one after another (frames, dimensions), and in member-0-lengths how many each utterance has. Without it, the
examples that were exported along are answered.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

LENGTHS = "-lengths"


def answer(folder, features):
    """Probabilities (utterances, labels) from the features of each member, by its name."""
    folder = Path(folder)
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    total = 0.0
    for member in model["members"]:
        session = onnxruntime.InferenceSession(folder / f"{member['name']}.onnx", providers=["CPUExecutionProvider"])
        given = np.asarray(features[member["name"]], np.float32)
        if (lengths := member["name"] + LENGTHS) in features:
            parts = [part[None] for part in np.split(given, np.cumsum(features[lengths])[:-1])]
        else:
            parts = [given]
        found = np.concatenate([session.run(["answer"], {"features": part})[0] for part in parts])
        # A label that training had not seen has probability 0.
        full = np.zeros((len(found), len(model["labels"])))
        full[:, member["seen"]] = found
        total = total + member["weight"] * at_temperature(full, member["temperature"])
    return at_temperature(total, model["temperature"], model["log_bias"] or 0.0)


def at_temperature(probabilities, temperature, bias=0.0):
    """softmax(log p / T + b)."""
    logits = np.log(np.maximum(probabilities, 1e-15)) / temperature + bias
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    here = Path(__file__).parent
    labels = json.loads((here / "model.json").read_text(encoding="utf-8"))["labels"]
    with np.load(sys.argv[1] if len(sys.argv) > 1 else here / "examples.npz") as given:
        for row in answer(here, given):
            print(labels[row.argmax()], *(f"{label}={value:.4f}" for label, value in zip(labels, row)))  # noqa: B905

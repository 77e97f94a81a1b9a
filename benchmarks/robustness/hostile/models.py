"""Saved models that are damaged or made to harm."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np

from hostile.cases import NAMED, case
from hostile.place import Place

LOAD = """
import sys
from pathlib import Path
import serbench
from serbench.errors import ModelError

try:
    model = serbench.load_model(sys.argv[1])
    print(model.predict_proba(next(Path("data").rglob("*.wav"))))
except ModelError as error:
    print(f"serbench: {error}", file=sys.stderr)
    sys.exit(2)
"""
FORMS = {"svm": "model.skops", "xgboost": "model.json", "cnn": "network.keras"}


def _saved(place: Place, model: str) -> Path:
    """A model that the program saved, and that loads: else the case would show nothing."""
    words = ("--features", "mfcc_sequence") if model == "cnn" else ()
    if model == "cnn":
        cnn = "[{name: cnn, params: {epochs: 1}}]"
        text = place.suite.read_text().replace("[mfcc]", "[mfcc_sequence]").replace("[majority, lda]", cnn)
        place.suite.write_text(text)
    else:
        words = ("--model", model)
    place.run(*words, "--fold", "1", "--save-models")
    return next((place.results / "models").iterdir())


def _load(place: Place, folder: Path) -> None:
    place.python("-c", LOAD, str(folder))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in np.random.default_rng(0).integers(0, len(content), 20):
        content[at] ^= 0xFF
    path.write_bytes(bytes(content))


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _refilled(path: Path) -> None:
    """An archive whose schema is another, with valid checksums of its own."""
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("schema.json", "[" * 100_000)
        pack.writestr("config.json", "[]")
        pack.writestr("metadata.json", "null")


DAMAGES = {
    "bits are flipped": _flip,
    "it is truncated": _truncate,
    "it is empty": lambda path: path.write_bytes(b""),
    "it is gone": Path.unlink,
    "it is another archive": _refilled,
    "it is deeply nested": lambda path: path.write_bytes(b'{"a":' * 100_000),
}
for model, name in FORMS.items():
    for title, damage in DAMAGES.items():
        if model != "svm" and title == "it is deeply nested" and model == "cnn":
            continue

        @case("models", f"{name}: {title}", NAMED, "model|damaged", limit=120)
        def _(place: Place, model=model, name=name, damage=damage):
            folder = _saved(place, model)
            damage(folder / name)
            _load(place, folder)


def _changed(**changes: object):
    def change(meta: dict) -> str:
        return json.dumps({**meta, **changes})

    return change


METAS = {
    "null": lambda meta: "null",
    "a list": lambda meta: "[]",
    "truncated": lambda meta: json.dumps(meta)[:100],
    "nested 100,000 deep": lambda meta: "[" * 100_000,
    "of another format": _changed(format="pickle"),
    "of a format that is a list": _changed(format=["model.skops"]),
    "without labels": _changed(labels=None),
    "with labels that are a number": _changed(labels=3),
    "with classes out of range": _changed(seen=[0, 1, 99]),
    "with classes that are text": _changed(seen="all"),
    "without features": _changed(features=[]),
    "with features of another shape": _changed(features=[None]),
    "with an unknown feature set": _changed(features=[{"name": "smell", "version": "1", "params": {}}]),
    "without its cell": _changed(cell=None),
}
for title, change in METAS.items():

    @case("models", f"meta.json: {title}", NAMED, "model|meta.json|unknown")
    def _(place: Place, change=change):
        folder = _saved(place, "svm")
        meta = json.loads((folder / "meta.json").read_text())
        (folder / "meta.json").write_text(change(meta))
        _load(place, folder)


@case("models", "the file of another cell's model", NAMED, "hash|damaged|changed")
def _(place: Place):
    place.run("--model", "svm", "--save-models")
    first, second = sorted((place.results / "models").iterdir())[:2]
    shutil.copy(first / "model.skops", second / "model.skops")
    _load(place, second)


@case("models", "a folder that is none", NAMED, "model")
def _(place: Place):
    _load(place, place.folder / "nowhere")

"""Saved models that are damaged or made to harm: one process loads all of a kind, one after the other."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from hostile.cases import NAMED, case
from hostile.place import Answer, Place, copy_of

LOAD = """
import json, signal, sys, time, traceback
from pathlib import Path
import serbench
from serbench.errors import SerbenchError

def stop(*_):
    raise BaseException("endless")

signal.signal(signal.SIGALRM, stop)
for folder in sorted(Path("spoilt").iterdir()):
    begun, status, said = time.perf_counter(), 0, ""
    signal.alarm(200)
    try:
        model = serbench.load_model(folder)
        said = str(model.predict_proba(next(Path("data").rglob("*.wav"))))
    except SerbenchError as error:
        status, said = 2, f"serbench: {error}"
    except Exception:
        status, said = 1, traceback.format_exc()
    except BaseException as error:
        status, said = None, str(error)
    signal.alarm(0)
    print(json.dumps([folder.name, status, said, time.perf_counter() - begun]))
"""
FORMS = {"svm": "model.skops", "xgboost": "model.json", "cnn": "network.keras"}
_ONE_AT_A_TIME = threading.Lock()


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in np.random.default_rng(0).integers(0, len(content), 20):
        content[at] ^= 0xFF
    path.write_bytes(bytes(content))


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _refilled(path: Path) -> None:
    """An archive with valid checksums of its own, whose content is another."""
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("schema.json", "[" * 100_000)
        pack.writestr("config.json", "[]")
        pack.writestr("metadata.json", "null")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "bits are flipped": _flip,
    "it is truncated": _truncate,
    "it is empty": lambda path: path.write_bytes(b""),
    "it is gone": Path.unlink,
    "it is another archive": _refilled,
    "it is deeply nested": lambda path: path.write_bytes(b'{"a":' * 100_000),
}


def _changed(**changes: object) -> Callable[[dict], str]:
    return lambda meta: json.dumps({**meta, **changes})


METAS: dict[str, Callable[[dict], str]] = {
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
    "with classes that the model has not": _changed(seen=[0]),
    "without features": _changed(features=[]),
    "with features of another shape": _changed(features=[None]),
    "with an unknown feature set": _changed(features=[{"name": "smell", "version": "1", "params": {}}]),
    "with hashes that are a number": _changed(hashes=7),
    "with hashes of other files": _changed(hashes={"../../../tiny.yaml": "0"}),
    "without its cell": _changed(cell=None),
}


def _spoil_meta(folder: Path, change: Callable[[dict], str]) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(change(meta))


def _spoilt_models(name: str) -> dict[str, Callable[[Path], object]]:
    """Title -> what is done to a folder; each damage with the hashes, and without, as older models are."""

    def damaged(damage: Callable[[Path], object], *, hashes: bool) -> Callable[[Path], None]:
        def spoil(folder: Path) -> None:
            damage(folder / name)
            if not hashes:
                _spoil_meta(folder, _changed(hashes={}))

        return spoil

    found = {f"{name}: {title}": damaged(damage, hashes=True) for title, damage in DAMAGES.items()}
    found |= {f"{name} without hashes: {title}": damaged(damage, hashes=False) for title, damage in DAMAGES.items()}
    if name == FORMS["svm"]:
        found |= {
            f"meta.json: {title}": lambda folder, change=change: _spoil_meta(folder, change)
            for title, change in METAS.items()
        }
    return found


@cache
def _loaded(base: Path, model: str) -> dict[str, Answer]:
    """Save a model in a copy of the base, spoil copies of it in every way, and load them all in one process."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        place = copy_of(base, Path(folder).resolve(), limit=900)
        if model == "cnn":
            text = place.suite.read_text().replace("[mfcc]", "[mfcc_sequence]")
            place.suite.write_text(text.replace("[majority, lda]", "[{name: cnn, params: {epochs: 1}}]"))
        words = () if model == "cnn" else ("--model", model)
        place.run(*words, "--fold", "1", "--save-models")
        (saved,) = (place.results / "models").iterdir()
        titles = _spoilt_models(FORMS[model])
        for number, spoil in enumerate([lambda folder: None, *titles.values()]):
            spoilt = place.folder / "spoilt" / f"{number:03}"
            shutil.copytree(saved, spoilt)
            spoil(spoilt)
        answer = place.python("-c", LOAD)
        found = [json.loads(line) for line in answer.out.splitlines() if line.startswith('["')]
        answers = [Answer(status, "", said, seconds) for _, status, said, seconds in found]
        if not answers or answers[0].status != 0 or len(answers) <= len(titles):
            raise RuntimeError(f"the loader ended early, or whole models do not load: {answer.said[-600:]}")
        return dict(zip(titles, answers[1:], strict=True))


for model, name in FORMS.items():
    for title in _spoilt_models(name):

        @case("models", title, NAMED, "model|damaged|unknown", limit=120)
        def _(place: Place, model=model, title=title):
            with _ONE_AT_A_TIME:
                place.answers.append(_loaded(place.base, model)[title])

"""What every model must do, checked on small made-up data: for the package's own models and for plug-ins alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from serbench.contracts import Check, NotApplicable, expect, run_checks
from serbench.errors import ModelError
from serbench.registry import Origin, Registry
from serbench.specs import ModelSpec

# Enough to learn three well separated classes, and no more.
QUICK = {"epochs": 20, "n_estimators": 20}
DIMENSIONS = 16
CLASSES = 3
TOLERANCE = 1e-5
# Boosted trees split nothing of fewer than 20 utterances; networks learn frames, and cost more.
PER_CLASS = {"vector": 40, "sequence": 12}
# Between chance, a third, and what any model reaches on classes so far apart.
LEARNT = 0.6


def check_model(spec: ModelSpec, params: Mapping[str, Any] | None = None) -> list[Check]:
    """Check a model against its contract.

    Parameters
    ----------
    spec : ModelSpec
    params : mapping, optional
        Differences from the spec's defaults; epochs and trees are few unless given here.

    Returns
    -------
    list of Check
        One for each promise, in a fixed order; none raises.
    """
    quick = {name: value for name, value in QUICK.items() if name in spec.params}
    trial = Trial(spec, {**spec.params, **quick, **(params or {})})
    return run_checks({name: partial(check, trial) for name, check in CHECKS.items()})


@dataclass(frozen=True)
class Trial:
    """A model with parameters, and how it is fitted here."""

    spec: ModelSpec
    params: Mapping[str, Any]

    def build(self, n_classes: int = CLASSES, **changes: Any) -> Any:
        """Build an unfitted estimator."""
        return self.spec.build({**self.params, **changes}, n_classes=n_classes, seed=7)

    @cached_property
    def fitted(self) -> tuple[Any, Any, np.ndarray]:
        """An estimator fitted to a made-up training part, X and y; checks share it, since fitting costs most."""
        return self.fit()

    def fit(self, n_classes: int = CLASSES, *, validation: bool = True, **changes: Any) -> tuple[Any, Any, np.ndarray]:
        """Fit a new estimator to a made-up training part."""
        X, y = make_data(self.spec.accepts, n_classes, seed=1)
        arguments: dict[str, Any] = {}
        if self.spec.validation and validation:
            arguments["validation"] = make_data(self.spec.accepts, n_classes, seed=2, per_class=4)
        if self.spec.groups:
            arguments["groups"] = np.array([f"speaker {row % 4}" for row in range(len(y))])
        estimator = self.build(n_classes, **changes)
        estimator.fit(X, y, **arguments)
        return estimator, X, y


def make_data(kind: str, n_classes: int, *, seed: int, per_class: int | None = None) -> tuple[Any, np.ndarray]:
    """Make read-only vectors or sequences of classes that lie well apart, as the feature store hands them out."""
    per_class = PER_CLASS[kind] if per_class is None else per_class
    random = np.random.default_rng(seed)
    y = np.tile(np.arange(n_classes), per_class)
    centres = np.random.default_rng(0).normal(0, 2, (n_classes, DIMENSIONS))
    if kind == "vector":
        X: Any = (centres[y] + random.normal(size=(len(y), DIMENSIONS))).astype(np.float32)
        X.setflags(write=False)
        return X, y
    X = []
    for code in y:
        x = (centres[code] + random.normal(size=(random.integers(20, 90), DIMENSIONS))).astype(np.float32)
        x.setflags(write=False)
        X.append(x)
    return X, y


def _builds(trial: Trial) -> str:
    return type(trial.build()).__name__


def _clones(trial: Trial) -> None:
    from sklearn.base import clone

    estimator = trial.build()
    if not hasattr(estimator, "get_params"):
        raise NotApplicable("no get_params")
    expect(str(clone(estimator).get_params()) == str(estimator.get_params()), "the clone has other parameters")


def _probabilities(trial: Trial) -> None:
    estimator, X, _ = trial.fitted
    found = np.asarray(estimator.predict_proba(X))
    expect(found.shape == (len(X), CLASSES), f"predict_proba has shape {found.shape}, not {(len(X), CLASSES)}")
    expect(np.isfinite(found).all(), "probabilities are not all finite")
    expect((found >= 0).all(), "probabilities below zero")
    expect(np.allclose(found.sum(axis=1), 1, atol=1e-4), "probabilities of an utterance do not sum to one")


def _classes(trial: Trial) -> None:
    estimator, _, _ = trial.fitted
    expect(list(estimator.classes_) == list(range(CLASSES)), f"classes_ is {estimator.classes_}, not 0..{CLASSES - 1}")


def _label_order(trial: Trial) -> None:
    estimator, X, y = trial.fitted
    found = estimator.predict_proba(X)
    for code in range(CLASSES):
        own, other = found[y == code, code].mean(), found[y != code, code].mean()
        expect(
            own >= other - TOLERANCE,
            f"column {code} is higher for other classes ({other:.3f}) than its own ({own:.3f})",
        )


def _learns(trial: Trial) -> str:
    estimator, _, _ = trial.fitted
    X, y = make_data(trial.spec.accepts, CLASSES, seed=3, per_class=12)
    right = float((np.asarray(estimator.predict_proba(X)).argmax(axis=1) == y).mean())
    expect(right >= LEARNT, f"{100 * right:.0f} % right on new data of {CLASSES} classes far apart: it learns nothing")
    return f"{100 * right:.0f} % right on new data"


def _same_seed(trial: Trial) -> None:
    first, second = (estimator.predict_proba(X) for estimator, X, _ in (trial.fitted, trial.fit()))
    expect(np.array_equal(first, second), f"two fits differ by up to {np.abs(first - second).max():.2g}")


def _single(trial: Trial) -> None:
    estimator, X, _ = trial.fitted
    apart = np.abs(estimator.predict_proba(X[:1]) - estimator.predict_proba(X)[:1]).max()
    expect(apart < TOLERANCE, f"alone, an utterance gets probabilities that differ by {apart:.2g}")


def _order(trial: Trial) -> None:
    estimator, X, _ = trial.fitted
    apart = np.abs(estimator.predict_proba(X[::-1])[::-1] - estimator.predict_proba(X)).max()
    expect(apart < TOLERANCE, f"the order of utterances changes probabilities by {apart:.2g}")


def _fewer_classes(trial: Trial) -> None:
    # Only the shape is looked at, which one epoch gives as well as all.
    changes = {"epochs": 1} if "epochs" in trial.params else {}
    estimator, X, _ = trial.fit(n_classes=2, validation=False, **changes)
    shape = np.shape(estimator.predict_proba(X))
    expect(shape == (len(X), 2), f"with two classes predict_proba has shape {shape}")


def _input_unchanged(trial: Trial) -> None:
    estimator, X, y = trial.fitted
    estimator.predict_proba(X)
    fresh, codes = make_data(trial.spec.accepts, CLASSES, seed=1)
    expect(all(np.array_equal(a, b) for a, b in zip(X, fresh, strict=True)), "fit or predict_proba changed X")
    expect(np.array_equal(y, codes), "fit changed y")


def _space(trial: Trial) -> str:
    if trial.spec.space is None:
        raise NotApplicable("no search space")
    try:
        import optuna
    except ImportError:
        raise NotApplicable("Optuna is not installed") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(5):
        chosen = trial.spec.space(study.ask())
        expect(isinstance(chosen, dict), f"space returned {type(chosen).__name__}, not a dict")
        trial.build(**chosen)
    if trial.spec.search is not None:
        _search(trial)
    return ", ".join(sorted(chosen))


def _search(trial: Trial) -> None:
    # What trials share must not change what they answer.
    estimator, X, y = trial.fitted
    Xv, yv = make_data(trial.spec.accepts, CLASSES, seed=2, per_class=4)
    evaluate = trial.spec.search(X, y, Xv, yv, n_classes=CLASSES, seed=7)
    answered, found = evaluate(trial.params)
    expect(isinstance(found, dict), f"search found {type(found).__name__}, not a dict")
    same = not found and np.allclose(answered, estimator.predict_proba(Xv), atol=1e-3)
    expect(same, "search answers otherwise than the model built, fitted and asked with the same parameters")


def _round_trip(trial: Trial) -> str:
    from serbench.models.saving import load_model, save_model

    estimator, X, _ = trial.fitted
    registry = Registry()
    registry.add(trial.spec, Origin("check"))
    meta = {
        "cell": {"model": {"name": trial.spec.name}},
        "params": dict(trial.params),
        "labels": [f"label {code}" for code in range(CLASSES)],
        "seen": list(range(CLASSES)),
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            files = save_model(estimator, Path(folder), meta)
            loaded = load_model(Path(folder), registry)
        except ModelError as error:
            raise NotApplicable(f"--save-models does not keep it: {error.what}") from error
        apart = np.abs(loaded.predict_proba(X) - estimator.predict_proba(X)).max()
        expect(apart < TOLERANCE, f"saved and loaded, probabilities differ by {apart:.2g}")
        return ", ".join(file.name for file in files)


CHECKS: Mapping[str, Callable[[Trial], str | None]] = {
    "builds": _builds,
    "clones": _clones,
    "probabilities": _probabilities,
    "classes": _classes,
    "label order": _label_order,
    "learns": _learns,
    "same seed, same output": _same_seed,
    "single utterance": _single,
    "order of utterances": _order,
    "fewer classes": _fewer_classes,
    "input unchanged": _input_unchanged,
    "search space": _space,
    "save and load": _round_trip,
}

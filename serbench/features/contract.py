"""What every feature set must do, checked on made-up signals: for the package's own sets and for plug-ins alike."""

from __future__ import annotations

from functools import partial

import numpy as np

from serbench.contracts import Check, expect, run_checks
from serbench.corpora.audio import RATE
from serbench.specs import FeatureSpec

SECONDS = (0.3, 2.0, 30.0)


def check_features(spec: FeatureSpec) -> list[Check]:
    """Check a feature set against its contract; none of the checks raises."""
    checks = {"hop": _hop, "shape and values": _shapes, "silence": _silence, "repeatable": _repeatable}
    return run_checks({name: partial(check, spec) for name, check in checks.items()})


def _hop(spec: FeatureSpec) -> None:
    expect(spec.kind == "vector" or spec.hop, "a sequence set must declare its hop in seconds")


def _shapes(spec: FeatureSpec) -> str:
    widths = set()
    for seconds in SECONDS:
        found = _extract(spec, _noise(spec, seconds))
        expect(found.ndim == (1 if spec.kind == "vector" else 2), f"{seconds} s give shape {found.shape}")
        expect(found.dtype == np.float32, f"values are {found.dtype}, not float32")
        expect(found.size and np.isfinite(found).all(), f"{seconds} s give no values, or some that are not finite")
        widths.add(found.shape[-1])
    expect(len(widths) == 1, f"the number of dimensions hangs on the length: {sorted(widths)}")
    return f"{widths.pop()} dimensions"


def _silence(spec: FeatureSpec) -> None:
    found = _extract(spec, np.zeros(_rate(spec), dtype=np.float32))
    expect(np.isfinite(found).all(), "digital silence gives values that are not finite")


def _repeatable(spec: FeatureSpec) -> None:
    signal = _noise(spec, 1.0)
    before = signal.copy()
    first, second = _extract(spec, signal), _extract(spec, signal)
    expect(np.array_equal(first, second), "the same signal gives different values")
    expect(np.array_equal(signal, before), "extract changed its input")


def _extract(spec: FeatureSpec, signal: np.ndarray) -> np.ndarray:
    # `trim` is understood by every set before `extract` is called.
    params = {name: value for name, value in spec.params.items() if name != "trim"}
    return np.asarray(spec.extract(signal, _rate(spec), **params))


def _noise(spec: FeatureSpec, seconds: float) -> np.ndarray:
    random = np.random.default_rng(0)
    return (0.1 * random.standard_normal(int(seconds * _rate(spec)))).astype(np.float32)


def _rate(spec: FeatureSpec) -> int:
    return spec.rate or RATE

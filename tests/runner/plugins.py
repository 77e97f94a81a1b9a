"""Plug-ins that misbehave, as source text."""

HEAD = """
import os, time
from serbench import ModelSpec

class Prior:
    def fit(self, X, y):
        import numpy as np
        self.classes_ = np.unique(y)
        self.shares = np.bincount(y) / len(y)
        return self

    def predict_proba(self, X):
        import numpy as np
        return np.tile(self.shares, (len(X), 1))
"""

RAISES = (
    HEAD
    + """
class Raises(Prior):
    def fit(self, X, y):
        raise RuntimeError("no luck today")

RAISES = ModelSpec(name="raises", accepts="vector", build=lambda params, *, n_classes, seed: Raises())
"""
)

DIES = (
    HEAD
    + """
class Dies(Prior):
    def fit(self, X, y):
        os._exit(9)

DIES = ModelSpec(name="dies", accepts="vector", build=lambda params, *, n_classes, seed: Dies())
"""
)

NOT_FINITE = (
    HEAD
    + """
class NotFinite(Prior):
    def predict_proba(self, X):
        return super().predict_proba(X) * float("nan")

NOT_FINITE = ModelSpec(name="not_finite", accepts="vector", build=lambda params, *, n_classes, seed: NotFinite())
"""
)

SLOW = (
    HEAD
    + """
class Slow(Prior):
    def fit(self, X, y):
        time.sleep(SECONDS)
        return super().fit(X, y)

SLOW = ModelSpec(name="slow", accepts="vector", build=lambda params, *, n_classes, seed: Slow())
"""
)

COUNTS = (
    HEAD
    + """
class Counts(Prior):
    def fit(self, X, y):
        with open(r"LOG", "a") as log:
            log.write("fit\\n")
        time.sleep(0.3)
        return super().fit(X, y)

COUNTS = ModelSpec(name="counts", accepts="vector", build=lambda params, *, n_classes, seed: Counts())
"""
)

# Each process that extracts leaves a file of its own.
WHO_EXTRACTS = """
import os
import numpy as np
from pathlib import Path
from serbench import FeatureSpec

def who(signal, rate):
    Path(r"FOLDER", str(os.getpid())).touch()
    return np.array([len(signal), signal.std()], dtype=np.float32)

WHO = FeatureSpec(name="who", version="1", kind="vector", extract=who)
"""

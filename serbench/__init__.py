"""serbench: honest, fast benchmarks for speech emotion recognition.

Importing it imports no heavy package; the functions come with what they need when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from serbench.specs import CorpusSpec, ExecutorSpec, FeatureSpec, ModelSpec, ProtocolSpec, Split

__version__ = "0.1.0"

_FUNCTIONS = ("extract", "leaderboard", "load_corpus", "load_model", "load_records", "plot", "run", "score", "split")

__all__ = ["CorpusSpec", "ExecutorSpec", "FeatureSpec", "ModelSpec", "ProtocolSpec", "Split", *_FUNCTIONS]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module("serbench.api"), name)
    raise AttributeError(f"module 'serbench' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FUNCTIONS])

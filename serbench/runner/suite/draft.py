"""A first suite over a user's own corpus, written with comments that say what to change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# From here on folds of several speakers each; below, one speaker at a time.
MANY_SPEAKERS = 10
_NOT_TEXT = ("true", "false", "null", "yes", "no", "on", "off")


@dataclass(frozen=True)
class Draft:
    """What the file says of the corpus.

    Attributes
    ----------
    source : str
        Folder or manifest, for the comment at the top.
    options : mapping
        Of the adapter.
    labels : mapping of str to int
        Utterances of each label.
    speakers : int
        0: unknown.
    others : sequence of str
        Readings that the user may prefer, as comments.
    """

    name: str
    source: str
    adapter: str
    options: Mapping[str, Any]
    labels: Mapping[str, int]
    speakers: int
    others: Sequence[str] = ()

    def text(self) -> str:
        """The suite as YAML."""
        counted = ", ".join(f"{label} {count}" for label, count in self.labels.items())
        lines = [
            f"# Proposed by `serbench init` for {self.source}: read it, correct it, run it.",
            f"title: {_quoted(self.name if self.adapter == 'manifest' else Path(self.source).name)}",
            "corpora:",
            f"  - name: {_quoted(self.name)}",
            f"    adapter: {self.adapter}",
            *(f"    {name}: {_quoted(value)}" for name, value in self.options.items() if value),
            *(f"    # {line}" for line in self.others),
            f"# Labels found: {counted}.",
            "# Leave some out or unite them: labels: {drop: [calm], merge: {negative: [angry, disgust]}};",
            "# or use those that most corpora share: labels: common6",
            "seeds: [0]",
            "grid:",
            "  - features: [handcrafted]   # or logmel, mfcc_sequence, egemaps, …: `serbench list features`",
            "    models: [majority, svm, lda, random_forest, xgboost]   # `serbench list models`",
            "    protocols:",
            *(f"      - {line}" for line in self._protocols()),
            "  # Networks take minutes instead of seconds:",
            "  # - features: [mfcc_sequence]",
            "  #   models: [cnn, cnn_lstm]",
            f"  #   protocols: [{self._protocols()[0].split(' ')[0]}]",
        ]
        return "\n".join(lines) + "\n"

    def _protocols(self) -> list[str]:
        random = "stratified_kfold   # random folds: the same speakers on both sides, a leak on purpose to compare with"
        if not self.speakers:
            return ["stratified_kfold   # random folds: nothing better is possible while speakers are unknown"]
        if self.speakers < 2:
            return ["stratified_kfold   # random folds: one speaker tells nothing about others"]
        whole = "speaker_kfold   # speakers tested are never heard in training"
        return ["loso   # leave one speaker out" if self.speakers < MANY_SPEAKERS else whole, random]


def _quoted(value: Any) -> str:
    """A value as YAML takes it: text in quotes where it could be taken for something else."""
    if isinstance(value, str) and value.isidentifier() and value.lower() not in _NOT_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)

"""What is no speech, but tells the label of speakers that training did not hear: each fact alone, and all together.

A small forest answers each fold of unseen speakers from one fact. Its UAR is set against a null: the labels of the
tested utterances are permuted, speaker by speaker, while the answers stay. Who speaks can tell nothing of the label of
an unseen speaker, so that the speaker is judged under random folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serbench.circumstances import Circumstances
from serbench.errors import FeatureError, ProtocolError
from serbench.features.extract import extract_into
from serbench.features.shortcuts import FACTS
from serbench.protocols.splitting import split
from serbench.registry import Registry
from serbench.runner.cell.inputs import store_of, stored_spec
from serbench.specs import Split

SET = "shortcuts"
FILE_SIZE, SENTENCE, SPEAKER, TOGETHER = "file size", "sentence", "speaker", "together"
FOLDS = 5
TREES = 40
PERMUTATIONS = 1_000
ALPHA = 0.05


def find_shortcuts(
    table: pd.DataFrame, registry: Registry, circumstances: Circumstances, *, seed: int = 0
) -> dict[str, Any]:
    """Judge what tells the labels of a corpus without its speech.

    Parameters
    ----------
    table : DataFrame
        Task table; its files are read.
    registry : Registry
    circumstances : Circumstances
        Whose cache keeps what was measured.

    Returns
    -------
    dict
        `utterances`, `speakers`, `classes`, `chance`, `folds`, `notes`, and `facts`, the strongest first: ``{"fact",
        "uar", "null" (the 95 % point of the permutations), "p" (corrected after Bonferroni), "tells"}``; of a fact
        that is the same everywhere or unknown, `uar`, `null` and `p` are None and `note` says so.

    Raises
    ------
    FeatureError
        If a file cannot be read.
    ProtocolError
        If there are too few utterances for folds.
    """
    notes: list[str] = []
    apart = _folds(table, seed, notes)
    mixed = split(table, "stratified_kfold", seed, k=FOLDS)
    facts = _facts(table, registry, circumstances)
    judge = _Judge(table, registry, seed)
    found = []
    for name, values in facts.items():
        if values is None or not (values != values[0]).any():
            note = "unknown, or of one speaker each" if values is None else "the same everywhere"
            found.append({"fact": name, "uar": None, "null": None, "p": None, "tells": False, "note": note})
            continue
        found.append({"fact": name, **judge.tell(values, mixed if name == SPEAKER else apart), "note": ""})
    judged = sum(entry["p"] is not None for entry in found)
    for entry in found:
        if entry["p"] is not None:
            entry["p"] = min(1.0, entry["p"] * judged)
            entry["tells"] = entry["p"] < ALPHA
    speakers = set(table["speaker"]) - {""}
    return {
        "utterances": len(table),
        "speakers": len(speakers),
        "classes": judge.n_classes,
        "chance": 1 / judge.n_classes,
        "folds": len(apart),
        "notes": notes,
        "facts": sorted(found, key=lambda entry: -(entry["uar"] or 0)),
    }


def shortcut_lines(name: str, found: Mapping[str, Any]) -> list[str]:
    """What `find_shortcuts` found, in words."""
    lines = [
        f"{name}: what is no speech, and what it tells of the label of unseen speakers",
        f"  {found['utterances']} utterances, {found['speakers'] or 'unknown'} speakers, {found['folds']} folds; "
        f"chance is UAR {100 * found['chance']:.1f} %",
        f"  {'':18s}{'UAR %':>6s}{'null 95 %':>11s}",
    ]
    for entry in found["facts"]:
        if entry["uar"] is None:
            lines.append(f"  {entry['fact']:18s}{entry['note']}")
        else:
            p = "p < 0.05" if entry["tells"] else "no more than chance gives"
            lines.append(f"  {entry['fact']:18s}{100 * entry['uar']:6.1f}{100 * entry['null']:11.1f}  {p}")
    told = next(entry for entry in found["facts"] if entry["fact"] == TOGETHER)
    if told["tells"]:
        lines.append(f"  a row must beat UAR {100 * told['uar']:.1f} % to have heard more than this")
    return lines + [f"  note: {note}" for note in found["notes"]]


def _folds(table: pd.DataFrame, seed: int, notes: list[str]) -> list[Split]:
    speakers = set(table["speaker"])
    if "" in speakers or len(speakers) < 2:
        notes.append(
            "fewer than two known speakers: utterances are split at random, the speakers tested are not unseen"
        )
        return split(table, "stratified_kfold", seed, k=FOLDS)
    try:
        return split(table, "speaker_kfold", seed, k=min(FOLDS, len(speakers)))
    except ProtocolError:
        # Recordings that are filed under two speakers make one of them.
        return split(table, "speaker_kfold", seed, k=2)


def _facts(table: pd.DataFrame, registry: Registry, circumstances: Circumstances) -> dict[str, np.ndarray | None]:
    spec, store = stored_spec(registry, SET, {}), store_of(circumstances)
    paths = dict(zip(table["content"], table["path"], strict=True))
    failed = extract_into(store, [(spec, {})], [(key, paths[key]) for key in store.missing(spec, {}, list(paths))])
    if failed:
        raise FeatureError(f"{len(failed)} files cannot be measured: {failed[0][1]}", where=failed[0][0])
    measured = np.asarray(store.read(spec, {}, table["id"].tolist(), table["content"].tolist()).values)
    facts: dict[str, np.ndarray | None] = {name: measured[:, [at]] for at, name in enumerate(FACTS)}
    facts[FILE_SIZE] = np.array([[Path(path).stat().st_size] for path in table["path"]], dtype=np.float32)
    facts[SENTENCE] = _one_hot(table["text"], table["speaker"])
    facts[TOGETHER] = np.hstack([values for values in facts.values() if values is not None])
    facts[SPEAKER] = _one_hot(table["speaker"])
    return facts


def _one_hot(values: pd.Series, speakers: pd.Series | None = None) -> np.ndarray | None:
    # A sentence of one speaker alone tells nothing of another one's.
    known = values != ""
    if speakers is not None:
        known &= speakers.groupby(values).transform("nunique") > 1
    if values[known].nunique() < 2:
        return None
    return pd.get_dummies(values.where(known, "")).to_numpy(dtype=np.float32)


class _Judge:
    """Scores answers from facts, and what permuted labels would give them."""

    def __init__(self, table: pd.DataFrame, registry: Registry, seed: int):
        self._codes, names = pd.factorize(table["label"], sort=True)
        self.n_classes, self._seed = len(names), seed
        self._model = registry.get("model", SET)
        self._ids = pd.Index(table["id"])
        self._speakers = pd.factorize(table["speaker"])[0]
        self._weights = 1 / (self.n_classes * np.bincount(self._codes))

    def tell(self, values: np.ndarray, folds: list[Split]) -> dict[str, float]:
        """UAR of the answers from `values`, the 95 % point of its null, and p."""
        answers, fold_of = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.int64)
        for number, fold in enumerate(folds):
            train, test = self._ids.get_indexer(fold.train), self._ids.get_indexer(fold.test)
            model = self._model.build({"n_estimators": TREES}, n_classes=self.n_classes, seed=self._seed)
            answers[test] = model.fit(values[train], self._codes[train]).predict(values[test])
            fold_of[test] = number
        # What permutes freely: within each unseen speaker; where speakers are mixed, within a fold.
        mixed = any(len(set(fold_of[self._speakers == who])) > 1 for who in set(self._speakers))
        groups = fold_of if mixed else self._speakers
        observed, null = self._uar(self._codes, answers), self._null(answers, groups)
        p = (1 + np.count_nonzero(null >= observed - 1e-12)) / (1 + PERMUTATIONS)
        return {"uar": observed, "null": float(np.quantile(null, 1 - ALPHA)), "p": float(p)}

    def _uar(self, truth: np.ndarray, answers: np.ndarray) -> float:
        return float(self._weights[truth][truth == answers].sum())

    def _null(self, answers: np.ndarray, groups: np.ndarray) -> np.ndarray:
        random, place = np.random.default_rng(self._seed), np.argsort(groups, kind="stable")
        found = np.empty(PERMUTATIONS)
        permuted = np.empty_like(self._codes)
        for number in range(PERMUTATIONS):
            permuted[place] = self._codes[np.lexsort((random.random(len(groups)), groups))]
            found[number] = self._uar(permuted, answers)
        return found

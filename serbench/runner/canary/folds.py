"""One fold of a row in sealed processes, and what is concluded of it."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.records import PROBABILITY, Record
from serbench.registry import Registry
from serbench.runner.canary.judging import (
    TOLERANCE,
    Check,
    judge_answers,
    judge_permuted,
    judge_weights,
    permutations_needed,
)
from serbench.runner.canary.worlds import SealedFold, World
from serbench.runner.cell.environment import describe_environment
from serbench.runner.cell.inputs import store_of, stored_spec
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.sealed import FITTED, SealedAnswer, run_sealed, stored_digests
from serbench.runner.executors.local import spawning
from serbench.scoring import label_codes

FEATURES, ANSWERS, FIT, LABELS = "features", "answers", "weights", "permuted labels"
LARGEST_READ = 4_000_000
NAMES_THAT_TELL = 3


@dataclass(frozen=True)
class Found:
    """What was found in one fold.

    Attributes
    ----------
    checks : mapping of str to Check
    transductive : bool
        Whether answers depend on which other test utterances are answered with them.
    """

    checks: Mapping[str, Check]
    transductive: bool = False


@dataclass(frozen=True)
class Fold:
    """A fold as it was run, and where else its processes may read.

    Attributes
    ----------
    recorded : DataFrame
        Its predictions.
    folds : int
        How many the row has.
    allowed : sequence of Path
    """

    job: CellJob
    table: pd.DataFrame
    record: Record
    recorded: pd.DataFrame
    registry: Registry
    folds: int
    allowed: Sequence[Path]

    def examine(self) -> Found:
        """Train it in sealed processes and compare."""
        plain = self._sealed([World()])
        if plain.failed:
            return Found({plain.stage: self._cause(plain)})
        checks = {FEATURES: self._features(plain)} if self._plugin_sets else {}
        checks[ANSWERS], transductive = self._answers(plain)
        labels = list(self.job.cell.labels["labels"])
        orders = [World(permutation=number) for number in range(permutations_needed(len(labels)))]
        other = self._sealed([World(noise=1), *orders])
        if other.failed:
            return Found({**checks, other.stage: self._cause(other)}, transductive)
        checks[FIT] = judge_weights(plain.weights[0], other.weights[0])
        if checks[FIT].passed is False and self._sealed([World()]).weights != plain.weights:
            checks[FIT] = Check(None, "differ from fit to fit: not reproducible")
        truth = label_codes(self._truth(plain), labels)
        checks[LABELS] = judge_permuted(truth, other.answers[1:], folds=self.folds)
        return Found(checks, transductive)

    def _sealed(self, worlds: Sequence[World]) -> SealedAnswer:
        with tempfile.TemporaryDirectory(prefix="serbench-canary-") as place:
            sealed = SealedFold(self.job, self.table, self.registry, Path(place), self.allowed)
            answer = _in_fresh_process(sealed, worlds, self.job.circumstances.threads)
            if answer.failed:
                return answer
            return answer.renamed(sealed.named())

    def _truth(self, answer: SealedAnswer) -> list[str]:
        return self.recorded.loc[list(answer.test), "truth"].tolist()

    def _answers(self, sealed: SealedAnswer) -> tuple[Check, bool]:
        labels = [PROBABILITY + label for label in self.job.cell.labels["labels"]]
        recorded = self.recorded.loc[list(sealed.test), labels].to_numpy(dtype=np.float64)
        check = judge_answers(recorded, sealed.answers[0])
        turned = float(np.abs(sealed.answers[0] - sealed.reversed[0]).max())
        if turned > TOLERANCE:
            said = f"depend on the order of the test part (by {turned:.2g})"
            return Check(None, said), True
        if check.passed:
            return check, False
        if _differs(self.record.environment):
            return Check(None, f"{check.detail}; made with other packages or elsewhere: run it again here first"), False
        again = self._sealed([World()])
        if again.failed or np.abs(_in_order(again, sealed) - sealed.answers[0]).max() > TOLERANCE:
            return Check(None, f"{check.detail}, and others each time: not reproducible"), False
        tried = f"; tried to read {', '.join(dict.fromkeys(sealed.tried))}" if sealed.tried else ""
        return Check(False, check.detail + tried), False

    @property
    def _plugin_sets(self) -> list[Mapping]:
        files = self.job.circumstances.features_files
        return [
            entry
            for entry in self.job.cell.features
            if entry["name"] not in files and self.registry.source_hash("features", entry["name"])
        ]

    def _features(self, sealed: SealedAnswer) -> Check:
        """Whether plug-in sets say of every utterance what they said when names and all audio were there."""
        train, tested = self.table.iloc[self.job.train], self.table.set_index("id").loc[list(sealed.test)].reset_index()
        known, found = self._stored(pd.concat([train, tested])), {**sealed.training}
        found |= dict(zip(tested["content"], sealed.test.values(), strict=True))
        if not known:
            return Check(None, "are no longer in the feature store: run the row again first")
        changed = sum(found.get(content) != text for content, text in known.items())
        if not changed:
            return Check(True, "as extracted before")
        tried = f"; tried to read {', '.join(dict.fromkeys(sealed.tried))}" if sealed.tried else ""
        return Check(False, f"of {changed} of {len(known)} utterances change without names and test audio{tried}")

    def _stored(self, rows: pd.DataFrame) -> dict[str, str]:
        around, features = self.job.circumstances, self.job.cell.features
        store, rows = store_of(around), rows.drop_duplicates("content")
        ours = [entry for entry in features if entry["name"] not in around.features_files]
        specs = [(stored_spec(self.registry, entry["name"], entry["params"]), entry["params"]) for entry in ours]
        if any(store.missing(spec, params, list(rows["content"])) for spec, params in specs):
            return {}
        found = stored_digests(around, features, rows["id"], rows["content"])
        return dict(zip(rows["content"], found.values(), strict=True))

    def _cause(self, answer: SealedAnswer) -> Check:
        """Why a sealed process came to nothing; it is a leak to read what tells of the test part."""
        around = self.job.circumstances
        ours = [around.data, around.results, *around.corpus_paths.values(), *around.features_files.values()]
        roots = [Path(place).resolve() for place in ours]
        names = {Path(path).stem for path in self.table["path"].iloc[self.job.test]}
        for path in map(Path, dict.fromkeys(answer.tried)):
            if any(path.is_relative_to(root) for root in roots):
                return Check(False, f"reads {path}, where the test part is")
            if _names_in(path, names) >= min(NAMES_THAT_TELL, len(names)):
                return Check(False, f"reads {path}, which names test utterances")
        if answer.tried:
            return Check(None, f"reads {answer.tried[-1]} (--allow it, if it holds nothing of the test part)")
        return Check(None, f"could not be run sealed: {answer.failed}")


def _in_order(answer: SealedAnswer, like: SealedAnswer) -> np.ndarray:
    place = {name: number for number, name in enumerate(answer.test)}
    return answer.answers[0][[place[name] for name in like.test]]


def _in_fresh_process(sealed: SealedFold, worlds: Sequence[World], threads: int) -> SealedAnswer:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=run_sealed, args=(there, sealed.order(worlds)), daemon=True)
    with spawning(threads):
        process.start()
    there.close()
    try:
        answer = here.recv()
        if answer == FITTED:
            here.send(sealed.test_part())
            answer = here.recv()
    except EOFError:
        answer = SealedAnswer("the sealed process died", "model")
    process.join()
    return answer


def _names_in(path: Path, names: Iterable[str]) -> int:
    try:
        if path.is_dir():
            text = "\n".join(entry.name for entry in path.iterdir())
        elif path.stat().st_size <= LARGEST_READ:
            text = path.read_bytes().decode("utf-8", "ignore")
        else:
            return 0
    except OSError:
        return 0
    return sum(name in text for name in names)


def _differs(environment: Mapping) -> bool:
    now = describe_environment(int(environment.get("threads", 1)))
    return any(environment.get(name) != now[name] for name in ("platform", "processor", "packages"))

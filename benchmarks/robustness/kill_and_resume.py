"""Kill the real program with SIGKILL at random moments, give the same command again, and compare with no kill at all.

    python benchmarks/robustness/kill_and_resume.py --kills 15 [--kind deep] [--table docs/reference/kills.md]

Each kind of work is killed at random moments of its own length, by turns the parent alone (its workers must follow
within seconds), one worker, or the whole process group. A killed worker costs its cell at most. The same command is
then given again until it ends by itself, and what it leaves must equal what an undisturbed run leaves: leaderboard,
predictions, saved models, the frozen file, the rows in the tracking store. Exit status 1 if any differ.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from hostile.place import Place, copy_of, make_base

from serbench.models.saving import refuse_changed

VICTIMS = ("parent", "worker", "group")
ATTEMPTS = 3
VARYING = {"fit_seconds", "predict_seconds", "seconds", "created"}
RUN = ("run", "tiny.yaml", "--jobs", "2", "--no-tracking")
MODELS = "[majority, lda]"  # as the suite has them
STORE = "sqlite:///store.db"


def board(place: Place) -> Any:
    """The leaderboard, but for what differs from run to run, and all predictions."""
    table = pd.read_csv(place.results / "run" / "leaderboard.csv")
    cells = {path.name: pd.read_parquet(path) for path in place.cells}
    return table.drop(columns=[name for name in table if name in VARYING]), cells


def models(place: Place) -> Any:
    """The same, and the names of the saved models, each of which is whole."""
    folders = sorted((place.results / "models").iterdir())
    for folder in folders:
        refuse_changed(folder)
    return *board(place), [folder.name for folder in folders]


def frozen(place: Place) -> Any:
    """The same, and the frozen file's content."""
    return *board(place), pd.read_parquet(place.results / "frozen.parquet")


def tracked(place: Place) -> Any:
    """Names of the finished runs in the tracking store, and how many are not finished."""
    with closing(sqlite3.connect(place.folder / "store.db")) as store:
        rows = store.execute("SELECT name, status FROM runs WHERE lifecycle_stage = 'active'").fetchall()
    return sorted(rows)


@dataclass(frozen=True)
class Kind:
    """A kind of work: the command that is killed and given again, and what is compared.

    Attributes
    ----------
    changes : mapping
        Of the suite's text.
    cold : bool
        Without features, so that the kill can fall into their extraction.
    """

    name: str
    words: Sequence[str]
    outcome: Callable[[Place], Any]
    changes: Mapping[str, str] = field(default_factory=dict)
    cold: bool = False


KINDS = (
    Kind("classical", (*RUN, "--model", "knn", "--model", "svm", "--model", "random_forest"), board),
    Kind("deep", RUN, board, {"[mfcc]": "[mfcc_sequence]", MODELS: "[{name: cnn, params: {epochs: 2}}]"}),
    Kind("--trials", (*RUN, "--model", "svm", "--trials", "6"), board),
    Kind("--save-models", (*RUN, "--model", "svm", "--model", "xgboost", "--save-models"), models),
    Kind("extraction", RUN, board, {"[mfcc]": "[handcrafted]", MODELS: "[knn]"}, cold=True),
    Kind("freeze", ("freeze", "tiny"), frozen),
    Kind("track", ("track", "tiny", "--tracking-uri", STORE), tracked),
)


def fresh(kind: Kind, base: Path, folder: Path) -> Place:
    place = copy_of(base, folder, limit=900)
    for old, new in kind.changes.items():
        place.suite.write_text(place.suite.read_text().replace(old, new))
    if kind.cold:
        shutil.rmtree(place.folder / "cache")
    return place


def workers_of(process: subprocess.Popen) -> list[psutil.Process]:
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def kill(process: subprocess.Popen, victim: str, chance: random.Random, follow: float) -> str:
    """Kill and return what went wrong, if anything."""
    workers = workers_of(process)
    if victim == "worker" and workers:
        chance.choice(workers).kill()
        process.wait()
        return ""
    if victim == "group":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=follow)
    for worker in alive:
        worker.kill()
    return f"{len(alive)} workers outlived the parent by {follow} s" if alive else ""


def difference(found: Any, expected: Any) -> str:
    if isinstance(expected, pd.DataFrame):
        return "" if found.equals(expected) else "a table differs"
    if isinstance(expected, dict):
        if found.keys() != expected.keys():
            return "the cells differ"
        changed = [name for name, frame in expected.items() if not found[name].equals(frame)]
        return f"predictions differ in {changed}" if changed else ""
    if isinstance(expected, tuple):
        return next(filter(None, map(difference, found, expected)), "")
    return "" if found == expected else f"found {found}, expected {expected}"[:300]


def trial(
    kind: Kind, base: Path, victim: str, moment: float, expected: Any, chance: random.Random, follow: float
) -> str:
    """One kill at a moment, and what is wrong after the command was given again."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = fresh(kind, base, Path(folder).resolve())
        process = place.start("-m", "serbench", *kind.words)
        time.sleep(moment)
        if problem := kill(process, victim, chance, follow):
            return problem
        for _ in range(ATTEMPTS):
            answer = place.cli(*kind.words)
            if answer.status == 0:
                return difference(kind.outcome(place), expected)
        return f"given again, the command ends with {answer.status}: {answer.err[-300:]}"


def campaign(kind: Kind, kills: int, base: Path, chance: random.Random, follow: float) -> tuple[list[str], float]:
    """Kill a kind of work at random moments; what went wrong, and how long it takes undisturbed."""
    with tempfile.TemporaryDirectory() as folder:
        place = fresh(kind, base, Path(folder).resolve())
        answer = place.cli(*kind.words)
        if answer.status != 0:
            raise RuntimeError(f"undisturbed, {kind.name} ends with {answer.status}: {answer.said}")
        expected = kind.outcome(place)
    problems = []
    for number in range(kills):
        victim, moment = VICTIMS[number % len(VICTIMS)], chance.uniform(0.1, answer.seconds)
        if problem := trial(kind, base, victim, moment, expected, chance, follow):
            problems.append(f"{victim} after {moment:.1f} s: {problem}")
        print(
            f"{kind.name}: {number + 1} of {kills}, {victim} after {moment:.1f} s: {problem or 'the same'}", flush=True
        )
    return problems, answer.seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=15, help="random moments for each kind of work")
    parser.add_argument("--kind", action="append", choices=[kind.name for kind in KINDS], help="only these; repeatable")
    parser.add_argument("--follow", type=float, default=5.0, help="seconds that workers have to follow their parent")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    arguments = parser.parse_args()
    chance, rows, bad = random.Random(arguments.seed), [], 0
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder).resolve() / "base").folder
        for kind in KINDS:
            if not arguments.kind or kind.name in arguments.kind:
                problems, seconds = campaign(kind, arguments.kills, base, chance, arguments.follow)
                rows.append((kind.name, arguments.kills, arguments.kills - len(problems), f"{seconds:.1f}"))
                bad += len(problems)
    head = [("work", "kills", "resumed to the same", "undisturbed, s"), ("---",) * 4]
    table = "\n".join(f"| {' | '.join(map(str, row))} |" for row in [*head, *rows]) + "\n"
    if arguments.table:
        words = "--table docs/reference/kills.md"
        title = f"# Kills\n\nWritten by `python benchmarks/robustness/kill_and_resume.py {words}`.\n\n"
        arguments.table.write_text(title + table, encoding="utf-8")
    print(table)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())

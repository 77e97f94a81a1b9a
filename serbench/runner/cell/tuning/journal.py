"""The trials of one search on disk: one line of an Optuna journal for each finished trial.

The search itself runs in memory; a trial is written once it has ended. So a kill loses the running trial only, what is
on disk is numbered without gaps, and a search rebuilt from it goes on as if it had never stopped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serbench.errors import ResultsError
from serbench.records.atomic import atomic_path
from serbench.records.derived import make_way, set_aside

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

CONTEXT = "context"
# A study is made, then told its context; every further line is a trial.
LINES_BEFORE_TRIALS = 2


class Journal:
    """Finished trials of one cell's search.

    Parameters
    ----------
    path : Path
        `results/<suite>/studies/<cell id>.log`; readable by Optuna's own tools.
    name : str
        Of the study: the cell's id.
    context : mapping
        What the trials depend on besides the cell (corpus fingerprint, plug-in hash). Trials of another context are
        thrown away.
    anew : bool
        Throw away whatever there is.
    shared : Path, optional
        Where each finished trial is copied to, so that another machine can go on; where it has more trials than
        `path`, the search goes on from it.

    Raises
    ------
    ResultsError
        If it cannot be written.

    Notes
    -----
    A file that is damaged in other ways than a last line cut short is set aside, and the search starts anew.
    """

    def __init__(
        self, path: Path, name: str, context: Mapping[str, Any], *, anew: bool = False, shared: Path | None = None
    ):
        self.path, self._name = path, name
        self._shared = None if shared == path else shared
        try:
            make_way(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            if anew:
                self.discard()
            elif self._shared is not None and count_trials(self._shared) > count_trials(path):
                shutil.copyfile(self._shared, path)
            cut_torn_line(path)
            self._study = self._open_or_set_aside()
            if self._study.user_attrs.get(CONTEXT) != dict(context):
                path.unlink()
                self._study = self._open()
                self._study.set_user_attr(CONTEXT, dict(context))
        except OSError as error:
            raise _unwritable(path, error) from error

    @property
    def trials(self) -> list[FrozenTrial]:
        """Finished trials, numbered from 0."""
        return self._study.get_trials()

    def add(self, trial: FrozenTrial) -> None:
        """Write a finished trial."""
        try:
            self._study.add_trial(trial)
            if self._shared is not None:
                with atomic_path(self._shared) as temporary:
                    shutil.copyfile(self.path, temporary)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def discard(self) -> None:
        """Remove the file: the next search starts anew."""
        for path in filter(None, (self.path, self._shared)):
            path.unlink(missing_ok=True)

    def _open_or_set_aside(self):
        try:
            return self._open()
        except OSError:
            raise
        except Exception as error:
            # Optuna replays the file without checking it: a wrong value can raise anything.
            set_aside(self.path, type(error).__name__)
            return self._open()

    def _open(self):
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        lines = _check_lines(self.path)
        storage = JournalStorage(JournalFileBackend(str(self.path), lock_obj=_HeldByCell()))
        if lines:
            return optuna.load_study(study_name=self._name, storage=storage)
        return optuna.create_study(study_name=self._name, storage=storage, direction="maximize")


def journal_path(folder: Path, cell_id: str) -> Path:
    """Where a cell's search is kept, below a suite's results."""
    return folder / "studies" / f"{cell_id}.log"


def count_trials(path: Path) -> int:
    """Number of finished trials in a journal, 0 where there is none; reads no further than lines."""
    try:
        lines = path.read_bytes().count(b"\n") if path.is_file() else 0
    except OSError:
        return 0
    return max(0, lines - LINES_BEFORE_TRIALS)


def cut_torn_line(path: Path) -> None:
    """Cut what a kill has left behind the last whole line."""
    if not path.exists():
        return
    with path.open("rb+") as stream:
        whole = stream.read().rfind(b"\n") + 1
        stream.truncate(whole)


class _HeldByCell:
    """The journal's own lock: the cell's lock already keeps other processes away, and dies with its holder."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _check_lines(path: Path) -> int:
    lines = path.read_bytes().splitlines() if path.exists() else []
    for line in lines:
        json.loads(line)
    return len(lines)


def _unwritable(path: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(f"cannot write: {reason}", where=str(path), hint="free space or choose another --results")

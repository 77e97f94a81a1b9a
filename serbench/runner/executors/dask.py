"""Workers of a Dask cluster: on other machines, started by a batch system, or on this one.

The scheduler is given the path of a job's file and never an array; a worker reads the job, works where the caller
does, and leaves the answers on the storage that both see. A job whose worker is lost is run again by another one, which
reads the record first; one that has lost several workers has failed. A time limit is kept by the kernel's own alarm, as
a thread of Python could not end a library that does not return.
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serbench.circumstances import Circumstances
from serbench.errors import ExecutorError
from serbench.records.atomic import atomic_path
from serbench.records.derived import warn
from serbench.runner.cell.environment import describe_environment, thread_variables
from serbench.runner.executors.base import TimeLimit, WorkerDied
from serbench.runner.executors.dask_cluster import INSTALL, open_cluster
from serbench.specs import ExecutorSpec

if TYPE_CHECKING:
    from distributed import Client, Future

# Seconds for a scheduler to answer, and for workers of a cluster that is there already.
ANSWER = 10.0
# Workers tell here the keys of jobs that they begin.
BEGUN = "serbench-begun"


@dataclass(frozen=True)
class Expected:
    """What a worker has to share with the caller.

    Attributes
    ----------
    versions : mapping of str to str
        Packages, and Python.
    paths : tuple of str
        Files and folders that the caller sees.
    """

    versions: Mapping[str, str]
    paths: tuple[str, ...]

    @classmethod
    def of(cls, circumstances: Circumstances, work: Path) -> Expected:
        """Versions here, and what is there of the folders that jobs read and write."""
        named = [work, circumstances.cache, circumstances.data, *circumstances.corpus_paths.values()]
        named += [*circumstances.features_files.values(), *circumstances.plugins]
        return cls(_versions(), (str(Path.cwd()), *(str(path.absolute()) for path in named if path.exists())))

    def lacking(self) -> str:
        """What this process has otherwise, in words; empty if nothing."""
        here = _versions()
        other = [
            f"{name} {here.get(name) or 'absent'} instead of {version or 'none'}"
            for name, version in self.versions.items()
            if here.get(name) != version
        ]
        return ", ".join(other + [f"no {path}" for path in self.paths if not Path(path).exists()])


class DaskExecutor:
    """An executor on the workers of a Dask scheduler.

    Parameters
    ----------
    client : Client
    work : Path
        Folder for the jobs' files, seen by all workers.
    expected : Expected
    threads : int
        Of numerical libraries within a job.
    owned : object, optional
        The cluster, if it is to end with the executor.

    Raises
    ------
    ExecutorError
        If a worker has other versions, lacks a folder, or has several threads.
    """

    def __init__(self, client: Client, work: Path, expected: Expected, threads: int = 1, owned: Any = None):
        self._client, self._owned, self._expected, self._threads = client, owned, expected, threads
        self._folder = work / "jobs"
        self._ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._busy: dict[str, _Busy] = {}
        self._begun: set[str] = set()
        self._refuse_unfit()
        # A job may wait at its worker for a device that another one has: that is no time of its own.
        client.subscribe_topic(BEGUN, lambda event: self._begun.add(event[1]))

    @property
    def has_room(self) -> bool:
        """Whether a worker is free."""
        return len(self._busy) < len(self._workers())

    @property
    def running(self) -> int:
        """Number of jobs under way."""
        return len(self._busy)

    def submit(self, function: Callable[[Any], Any], job: Any, *, seconds: float | None = None) -> None:
        """Write a job's file and give its path to the scheduler; it may take `seconds`, else what it says itself."""
        limit = TimeLimit.of(job, seconds)
        resources = getattr(job, "resources", {})
        if any(name not in worker["resources"] for name in resources for worker in self._workers().values()):
            self._refuse_absent(resources)
        key = f"serbench-{uuid.uuid4().hex}"
        file = (self._folder / f"{key}.pickle").absolute()
        with atomic_path(file) as temporary:
            temporary.write_bytes(pickle.dumps((function, job)))
        call = (key, str(file), str(Path.cwd()), self._threads, limit.seconds, self._expected)
        future = self._client.submit(_run_file, *call, key=key, pure=False, resources=resources or None)
        self._busy[key] = _Busy(future, job, file, limit)
        future.add_done_callback(self._ended.put)

    def hurry(self, seconds: float) -> None:
        """End the jobs that have a time limit, `seconds` from now at the latest."""
        limited = {key for key, busy in self._busy.items() if busy.limit.hurry(seconds)}
        places = [worker for worker, keys in self._client.processing().items() if limited.intersection(keys)]
        if places:
            # A little after the caller has given the jobs up, so that they are not started again elsewhere.
            self._client.run(_alarm, seconds + 2 * _MARGIN, workers=places, on_error="ignore")

    def completed(self, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
        """Wait for at least one job and yield (job, result); a result may be an exception or `WorkerDied`.

        Raises
        ------
        ExecutorError
            If the scheduler is gone.
        """
        self._refuse_lost()
        for key, busy in list(self._busy.items()):
            if key in self._begun:
                busy.limit.start()
            if busy.limit.over:
                busy.future.cancel(force=True)
                yield self._forget(key).job, busy.limit.error()
        with suppress(queue.Empty):
            while True:
                future = self._ended.get(timeout=timeout if self._busy else 0)
                timeout = 0
                if future.key in self._busy:
                    result = self._result_of(future)
                    yield self._forget(future.key).job, result

    def close(self, *, kill: bool = False) -> None:
        """Let the cluster go; what was started for this run ends."""
        with suppress(Exception):
            self._client.cancel([busy.future for busy in self._busy.values()], force=True)
        for key in list(self._busy):
            self._forget(key)
        with suppress(Exception):
            self._client.unsubscribe_topic(BEGUN)
        self._client.close()
        if self._owned is not None:
            self._owned.close()
            self._owned = None

    def _result_of(self, future: Future) -> Any:
        from distributed import KilledWorker

        if future.status == "cancelled":
            self._refuse_lost(at_once=True)
        error = future.exception()
        if isinstance(error, KilledWorker):
            return WorkerDied("every worker that ran it died (killed, out of memory, or its wall time was over)")
        return error or future.result()

    def _forget(self, key: str) -> _Busy:
        busy = self._busy.pop(key)
        with suppress(OSError):
            busy.file.unlink(missing_ok=True)
        busy.future.release()
        return busy

    def _workers(self) -> dict[str, Any]:
        self._refuse_lost()
        return self._client.scheduler_info(n_workers=-1)["workers"]

    def _refuse_lost(self, *, at_once: bool = False) -> None:
        if at_once or self._client.status != "running":
            hint = "finished cells are safe: the same command goes on where it ended"
            raise ExecutorError("the connection to the scheduler is lost", where="--executor dask", hint=hint)

    def _refuse_absent(self, resources: Mapping[str, float]) -> None:
        for name in resources:
            if self._workers() and not any(name in worker["resources"] for worker in self._workers().values()):
                hint = f"start workers for it: dask worker … --resources '{name}=1'"
                raise ExecutorError(f"no worker has a {name}", where="--executor dask", hint=hint)

    def _refuse_unfit(self) -> None:
        for address, worker in self._workers().items():
            if worker["nthreads"] != 1:
                hint = "start workers with --nthreads 1, one process for each cell at a time"
                raise ExecutorError(f"found {worker['nthreads']} threads", where=f"worker {address}", hint=hint)
        for address, lacking in self._client.run(self._expected.lacking, on_error="return").items():
            if lacking:
                raise _unfit(address, str(lacking))


@dataclass
class _Busy:
    future: Future
    job: Any
    file: Path
    limit: TimeLimit


# Seconds between the caller's giving a job up and the end of its worker.
_MARGIN = 2.0


def _run_file(key: str, file: str, folder: str, threads: int, seconds: float | None, expected: Expected) -> Any:
    """In a worker: run the job of a file as the caller would, with its folder and these threads."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    # Workers that came late were not there to be asked before.
    if lacking := expected.lacking():
        raise _unfit(f"{os.uname().nodename}, process {os.getpid()}", lacking)
    os.environ.update(thread_variables(threads))
    os.chdir(folder)
    function, job = pickle.loads(Path(file).read_bytes())
    if seconds is not None:
        get_worker().log_event(BEGUN, key)
        _alarm(seconds + _MARGIN)
    try:
        with threadpool_limits(threads):
            return function(job)
    finally:
        _alarm(0)


def _alarm(seconds: float) -> None:
    # Without a handler of Python's, SIGALRM ends the process, whatever it does.
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _unfit(worker: str, lacking: str) -> ExecutorError:
    hint = "all machines need one environment, one file system and one --data; nothing was run there"
    return ExecutorError(lacking, where=f"worker {worker}", hint=hint)


@cache
def _versions() -> dict[str, str]:
    found = describe_environment(1)
    return {"python": found["python"], **found["packages"]}


def _open(circumstances: Circumstances, work: Path) -> DaskExecutor:
    try:
        import distributed
    except ImportError as error:
        raise ExecutorError("needs distributed", where="--executor dask", hint=INSTALL) from error
    # What it says at length of workers that die, and of a scheduler that is gone, is said here in a line.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    for folder in (work, circumstances.cache):
        folder.mkdir(parents=True, exist_ok=True)
    cluster = None if circumstances.scheduler else open_cluster(circumstances)
    address = circumstances.scheduler or cluster
    try:
        client = distributed.Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        hint = "start it (dask scheduler), or leave --scheduler out for workers on this machine"
        raise ExecutorError(f"no scheduler answers: {error}", where=f"--scheduler {address}", hint=hint) from error
    try:
        client.wait_for_workers(1, timeout=ANSWER)
    except TimeoutError:
        warn(f"no worker has come to {client.scheduler.address} yet; waiting")
    try:
        return DaskExecutor(client, work, Expected.of(circumstances, work), circumstances.threads, cluster)
    except BaseException:
        client.close()
        if cluster is not None:
            cluster.close()
        raise


DASK = ExecutorSpec("dask", _open, description="workers of a Dask cluster (extra dask)")

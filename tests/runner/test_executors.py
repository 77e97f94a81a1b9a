import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from types import SimpleNamespace

import psutil

from serbench.runner.executors.base import TimedOut, TimeLimit, WorkerDied
from serbench.runner.executors.local import LocalPool


def results_of(pool: LocalPool) -> dict:
    found = {}
    while pool.running:
        found.update({str(job): result for job, result in pool.completed(timeout=5)})
    return found


def test_threads_are_limited_before_numpy_is_imported():
    with closing(LocalPool(1, threads=3)) as pool:
        pool.submit(os.getenv, "OMP_NUM_THREADS")
        assert results_of(pool) == {"OMP_NUM_THREADS": "3"}
    assert os.environ.get("OMP_NUM_THREADS") != "3"


def test_an_exception_comes_back_and_the_worker_goes_on():
    with closing(LocalPool(1)) as pool:
        pool.submit(int, "x")
        assert isinstance(results_of(pool)["x"], ValueError)
        pool.submit(int, "7")
        assert results_of(pool) == {"7": 7}


def test_a_dead_worker_costs_its_own_job_only():
    with closing(LocalPool(2)) as pool:
        pool.submit(os._exit, 3)
        pool.submit(time.sleep, 0.2)
        found = results_of(pool)
        assert isinstance(found["3"], WorkerDied) and found["0.2"] is None
        pool.submit(int, "1")
        assert results_of(pool) == {"1": 1}


def test_workers_follow_a_killed_parent():
    script = textwrap.dedent("""
        import os, time
        from contextlib import closing
        from serbench.runner.executors.local import LocalPool
        with closing(LocalPool(1)) as pool:
            pool.submit(time.sleep, 60)
            print("ready", flush=True)
            while pool.running:
                list(pool.completed(timeout=1))
        """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline().strip() == "ready"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    time.sleep(1.0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_script_without_a_main_guard_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        print("once", flush=True)
        from contextlib import closing
        from serbench.runner.executors.local import LocalPool
        with closing(LocalPool(1)) as pool:
            pool.submit(int, "5")
            while pool.running:
                print([result for _, result in pool.completed(timeout=5)])
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["once", "[5]"]


def test_a_worker_that_dies_while_idle_costs_nothing():
    with closing(LocalPool(1)) as pool:
        pool.submit(int, "1")
        assert results_of(pool) == {"1": 1}
        for child in psutil.Process().children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
                child.wait()
        time.sleep(0.3)
        pool.submit(int, "2")
        assert results_of(pool) == {"2": 2}


def test_a_job_whose_time_is_up_is_ended_with_what_it_started():
    with closing(LocalPool(1)) as pool:
        pool.submit(subprocess.call, ("sleep", "600"), seconds=3)
        (result,) = results_of(pool).values()
        assert isinstance(result, TimedOut) and "3 s (--cell-timeout)" in str(result)
        left = [process for process in psutil.Process().children(recursive=True) if process.name() == "sleep"]
        # Ended is enough: where nobody collects orphans, an ended process stays in the table.
        assert all(process.status() == psutil.STATUS_ZOMBIE for process in left)
        pool.submit(int, "1", seconds=60)
        assert results_of(pool) == {"1": 1}


def test_hurry_ends_only_jobs_with_a_limit():
    with closing(LocalPool(2)) as pool:
        pool.submit(time.sleep, 600, seconds=3600)
        pool.submit(time.sleep, 1)
        pool.hurry(0.1)
        found = results_of(pool)
        assert isinstance(found["600"], TimedOut) and found["1"] is None


def test_a_time_limit_is_the_caller_s_else_the_job_s_and_only_a_limit_is_hurried():
    job = SimpleNamespace(seconds=40.0)
    assert (TimeLimit.of(job).seconds, TimeLimit.of(job, 2.0).seconds, TimeLimit.of("x").seconds) == (40.0, 2.0, None)
    late, endless, unstarted = TimeLimit(0.0).start(), TimeLimit(None).start(), TimeLimit(0.0)
    time.sleep(0.01)
    assert not unstarted.over and late.over and "took longer than 0 s" in str(late.error())
    assert endless.hurry(0.0) is False and not endless.over
    hurried = TimeLimit(3600.0)
    assert hurried.hurry(0.0)
    time.sleep(0.01)
    assert hurried.over and str(hurried.error()) == "stopped"


def test_a_worker_meets_its_memory_limit():
    with closing(LocalPool(1, memory=2**30)) as pool:
        pool.submit(bytearray, 2**31)
        assert isinstance(results_of(pool)[str(2**31)], MemoryError)


def test_a_dead_worker_is_noticed_though_its_child_lives_on():
    with closing(LocalPool(1)) as pool:
        pool.submit(exec, "import os, time; os.fork() == 0 and time.sleep(600); os._exit(1)")
        (result,) = results_of(pool).values()
        assert isinstance(result, WorkerDied)


def test_a_thread_that_a_job_leaves_behind_does_not_keep_the_pool():
    began = time.monotonic()
    with closing(LocalPool(1)) as pool:
        pool.submit(exec, "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()")
        results_of(pool)
    assert time.monotonic() - began < 60

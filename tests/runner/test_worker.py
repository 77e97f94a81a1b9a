import subprocess
import sys

NOT_FOR_WORKERS = ("pydantic", "typer", "yaml", "serbench.runner.planning", "serbench.runner.suite")


def test_a_worker_imports_neither_planner_nor_schema():
    code = (
        "import sys, serbench.runner.cell.execute, serbench.runner.executors.local\n"
        f"print(*(name for name in {NOT_FOR_WORKERS} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

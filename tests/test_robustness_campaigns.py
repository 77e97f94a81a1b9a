"""A sample of the campaigns under benchmarks/robustness: hostile input, and kills at random moments."""

import subprocess
import sys
from pathlib import Path

CAMPAIGNS = Path(__file__).parents[1] / "benchmarks" / "robustness"
SAMPLE = (
    "state: plan.json holds null",
    "text: a suite in UTF-16",
    "values: an alias bomb within params",
    "plug-ins: a model that forks, and the child goes on",
    "plug-ins: a model that loops in C, under --cell-timeout 2",
    "memory: an NPZ of features that announces 200 GiB",
    "audio: a FLAC whose header announces 2^35 samples",
    "figures: a label that is broken mathtext",
    "models: meta.json: with hashes of other files",
)


def campaign(name: str, *words: str) -> str:
    done = subprocess.run([sys.executable, str(CAMPAIGNS / name), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_at_least_120_cases_of_all_categories():
    lines = campaign("bad_input.py", "--list").splitlines()
    assert len(set(lines)) == len(lines) >= 120
    categories = {line.partition(":")[0] for line in lines}
    assert categories == {"state", "text", "values", "plug-ins", "memory", "audio", "figures", "models"}


def test_a_sample_of_hostile_input():
    # One campaign: the corpus and the finished results that all cases begin with are made once.
    said = campaign("bad_input.py", "--only", *SAMPLE, "--patience", "3")
    assert f"\n{len(SAMPLE)} cases: " in said and all(case in said for case in SAMPLE)


def test_a_sample_of_kills():
    said = campaign("kill_and_resume.py", "--kind", "classical", "--kind", "freeze", "--kills", "1", "--follow", "30")
    assert said.count(": the same") == 2

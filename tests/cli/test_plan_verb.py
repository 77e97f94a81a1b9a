"""`serbench plan`: the shards that have something left, and the script that runs them under a batch system."""

import json
import shlex
import subprocess
import sys

import pytest

PLUGIN = """
from serbench import ModelSpec
from sklearn.naive_bayes import GaussianNB

BAYES = ModelSpec(name="bayes", accepts="vector", build=lambda params, *, n_classes, seed: GaussianNB())
"""


@pytest.fixture
def elsewhere(tmp_path, tiny_data):
    """A suite, a plug-in and a corpus in places whose names a shell would take apart; the options that name them."""
    place = tmp_path / "it's here; $HOME"
    place.mkdir()
    (place / "own plug.py").write_text(PLUGIN)
    (place / "corpus").symlink_to(tiny_data / "tiny")
    suite = place / "my suite.yaml"
    suite.write_text(
        "title: Mine\n"
        'corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]\n'
        "grid:\n"
        "  - features: [mfcc]\n"
        "    models: [majority, bayes]\n"
        "    protocols: [{name: speaker_kfold, params: {k: 3}}]\n"
    )
    where = ["--plugin", place / "own plug.py", "--corpus-path", f"tiny={place / 'corpus'}", "--data", place]
    return suite, [*where, "--cache", place / "cache"]


def test_the_script_of_a_batch_system_runs_each_shard_where_the_plan_looked(serbench, elsewhere, tmp_path):
    suite, options = elsewhere
    whole = serbench("plan", suite, "--shards", "2", "--format", "slurm", *options)
    assert whole.status == 0 and "#SBATCH --array=1-2" in whole.out and "6 cells of suite my suite" in whole.out
    # The shell itself must find the words again: a `srun` that is Python's own stands for the batch system's.
    script = whole.out.replace("srun serbench", f"{shlex.quote(sys.executable)} -m serbench")
    folder = tmp_path / "node"
    folder.mkdir()
    done = subprocess.run(
        ["bash"],
        input=script,
        text=True,
        cwd=folder,
        env={"SLURM_ARRAY_TASK_ID": "2", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0
    left = json.loads(serbench("plan", suite, "--shards", "2", *options).out)
    assert [shard["shard"] for shard in left["shards"]] == ["1/2"] and (tmp_path / "results" / "my suite").is_dir()
    assert "#SBATCH --array=1\n" in serbench("plan", suite, "--shards", "2", "--format", "slurm", *options).out


@pytest.mark.parametrize("words", [("--shards", "0"), ("--shards", "1000000"), ("--format", "pbs")])
def test_what_is_no_plan_is_named_by_its_option(serbench, elsewhere, words):
    suite, options = elsewhere
    answer = serbench("plan", suite, *words, *options)
    assert answer.status == 2 and words[0] in answer.err and "Traceback" not in answer.err

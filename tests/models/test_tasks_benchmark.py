"""Networks with further heads, as `benchmarks/defaults/tasks.py` compares them: who is fitted, which way they learn."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from protocol_tables import make_table

from serbench import split

pytest.importorskip("tensorflow")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "defaults" / "tasks.py"


@pytest.fixture(scope="module")
def script():
    # As when it is run: Python finds its neighbours.
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("compare_tasks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(SCRIPT.parent))
    return module


def test_no_test_speaker_is_fitted_or_judged(script):
    table = make_table()
    folds = {fold.fold: set(table["speaker"][table["id"].isin(fold.test)]) for fold in split(table, "loso")}
    parts = list(script.inner_parts(table, "loso", 2, 3))
    assert len(parts) == 2 * 3
    for fold, fit, judged in parts:
        learnt, asked = (set(table["speaker"].iloc[rows]) for rows in (fit, judged))
        assert learnt and asked and not learnt & asked and not (learnt | asked) & folds[fold]


def test_an_adversary_is_answered_by_the_gradient_turned_round(script):
    import tensorflow as tf

    x = tf.constant([[1.0, -2.0, 3.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = script.Reversal(0.5)(x)
        loss = tf.reduce_sum(found * tf.constant([[1.0, 2.0, 4.0]]))
    np.testing.assert_allclose(found, x, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, x), [[-0.5, -1.0, -2.0]], rtol=1e-6)


def test_the_difference_is_that_of_the_pooled_answers(script):
    table = make_table()
    labels = sorted(set(table["label"]))
    parts = list(script.inner_parts(table, "loso", 2, 1))
    right = np.eye(len(labels))[np.searchsorted(labels, table["label"])]
    wrong = np.roll(right, 1, axis=1)
    recipes = [{}, {"gender": 0.3}]
    found = {
        (script.title(recipe), seed, place): (right if recipe or seed else wrong)[rows]
        for recipe in recipes
        for seed in (0, 1)
        for place, (_, _, rows) in enumerate(parts)
    }
    first, gender, averaged = script.compared("demo", table, parts, recipes, found, 2)
    assert [first[2], gender[2], gender[3]] == ["50.0", "100.0", "+50.0"]
    # Two answers that disagree at full strength: the first label of the two.
    assert averaged[1] == "the first, mean of 2 seeds" and 0 < float(averaged[2]) < 100

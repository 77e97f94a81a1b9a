import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from serbench import scoring
from serbench.errors import LabelError
from serbench.scoring.margins import grouped_confusion

LABELS = ["a", "b", "c", "d"]
pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60)


def test_hand_computed_scores():
    # a: 3 of 4 right, b: 1 of 2 right, c: 0 of 2 right and never predicted.
    truth = ["a", "a", "a", "a", "b", "b", "c", "c"]
    predicted = ["a", "a", "a", "b", "b", "a", "a", "b"]
    result = scoring.score(truth, predicted, ["a", "b", "c"])
    assert result["uar"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert result["accuracy"] == 0.5
    # F1 = 2 hits / (support + calls): a 6/9, b 2/5, c 0.
    assert result["macro_f1"] == pytest.approx((6 / 9 + 2 / 5 + 0) / 3)
    assert result["weighted_f1"] == pytest.approx((4 * 6 / 9 + 2 * 2 / 5 + 0) / 8)
    assert result["confusion"].tolist() == [[3, 1, 0], [1, 1, 0], [1, 1, 0]]
    assert result["per_class"]["a"] == {"precision": 3 / 5, "recall": 3 / 4, "f1": 6 / 9, "support": 4}
    assert np.isnan(result["per_class"]["c"]["precision"])


def test_class_without_support_has_no_recall_and_is_said():
    result = scoring.score(["a", "a", "b"], ["a", "b", "b"], ["a", "b", "c"])
    assert result["uar"] == pytest.approx(0.75)
    assert result["classes"] == "2/3"
    assert np.isnan(result["per_class"]["c"]["recall"])


@given(pairs)
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_scikit_learn(drawn):
    truth, predicted = (list(side) for side in zip(*drawn, strict=True))
    result = scoring.score(truth, predicted, LABELS)
    assert result["uar"] == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert result["macro_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert result["weighted_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="weighted"))
    assert (result["confusion"] == metrics.confusion_matrix(truth, predicted, labels=LABELS)).all()


@given(pairs, st.randoms())
@settings(deadline=None, max_examples=30)
def test_order_of_utterances_does_not_matter(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    first, second = (scoring.score(*zip(*rows, strict=True), LABELS) for rows in (drawn, shuffled))
    assert first["uar"] == second["uar"] and first["macro_f1"] == second["macro_f1"]


def test_grouped_confusions_add_up():
    generator = np.random.default_rng(1)
    truth, predicted = generator.integers(0, 4, (2, 300))
    groups = generator.integers(0, 7, 300)
    by_group = grouped_confusion(truth, predicted, groups, 4, 7)
    assert (by_group.sum(axis=0) == scoring.confusion_matrix(truth, predicted, labels=range(4))).all()
    assert (by_group[3] == scoring.confusion_matrix(truth[groups == 3], predicted[groups == 3], labels=range(4))).all()


def test_a_label_that_is_not_listed_is_named():
    with pytest.raises(LabelError, match="bored"):
        scoring.score(["a", "bored"], ["a", "a"], LABELS)


@pytest.mark.parametrize(("truth", "predicted"), [([], []), (["a"], ["a", "b"])])
def test_nothing_to_score_is_an_error(truth, predicted):
    with pytest.raises(LabelError, match="nothing to score"):
        scoring.score(truth, predicted, LABELS)


def test_each_score_alone_is_that_of_all():
    generator = np.random.default_rng(2)
    truth, predicted = generator.choice(LABELS, (2, 90))
    result = scoring.score(truth, predicted, LABELS)
    for name in ("uar", "accuracy", "macro_f1", "weighted_f1"):
        assert getattr(scoring, name)(truth, predicted, labels=LABELS) == result[name]
    assert (scoring.confusion_matrix(truth, predicted, labels=LABELS) == result["confusion"]).all()


def test_whole_numbers_may_be_labels():
    assert scoring.uar(np.array([0, 0, 2, 2, 2, 2]), np.array([0, 1, 2, 2, 0, 2]), labels=range(3)) == (0.5 + 0.75) / 2


def test_importing_scoring_imports_numpy_alone():
    code = "import sys, serbench.scoring; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert {"scipy", "pandas", "statsmodels", "sklearn", "pyarrow", "pydantic", "yaml"}.isdisjoint(loaded)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from serbench.errors import LabelError
from serbench.reporting import scores

LABELS = ["a", "b", "c", "d"]
pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=60)


def test_hand_computed_scores():
    # a: 3 of 4 right, b: 1 of 2 right, c: 0 of 2 right and never predicted.
    truth = ["a", "a", "a", "a", "b", "b", "c", "c"]
    predicted = ["a", "a", "a", "b", "b", "a", "a", "b"]
    result = scores.score(truth, predicted, ["a", "b", "c"])
    assert result["uar"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert result["accuracy"] == 0.5
    # F1 = 2 hits / (support + calls): a 6/9, b 2/5, c 0.
    assert result["macro_f1"] == pytest.approx((6 / 9 + 2 / 5 + 0) / 3)
    assert result["weighted_f1"] == pytest.approx((4 * 6 / 9 + 2 * 2 / 5 + 0) / 8)
    assert result["confusion"].tolist() == [[3, 1, 0], [1, 1, 0], [1, 1, 0]]
    assert result["per_class"]["a"] == {"precision": 3 / 5, "recall": 3 / 4, "f1": 6 / 9, "support": 4}
    assert np.isnan(result["per_class"]["c"]["precision"])


def test_class_without_support_has_no_recall_and_is_said():
    result = scores.score(["a", "a", "b"], ["a", "b", "b"], ["a", "b", "c"])
    assert result["uar"] == pytest.approx(0.75)
    assert result["classes"] == "2/3"
    assert np.isnan(result["per_class"]["c"]["recall"])


@given(pairs)
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_scikit_learn(drawn):
    truth, predicted = (list(side) for side in zip(*drawn, strict=True))
    result = scores.score(truth, predicted, LABELS)
    assert result["uar"] == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert result["macro_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert result["weighted_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="weighted"))
    assert (result["confusion"] == metrics.confusion_matrix(truth, predicted, labels=LABELS)).all()


def test_probability_scores_agree_with_scikit_learn():
    generator = np.random.default_rng(3)
    chances = generator.dirichlet(np.ones(4), size=80)
    truth = generator.integers(0, 4, 80)
    assert scores.log_losses(truth, chances).mean() == pytest.approx(metrics.log_loss(truth, chances, labels=range(4)))
    brier = metrics.brier_score_loss(truth, chances, labels=range(4), scale_by_half=False)
    assert scores.brier_scores(truth, chances).mean() == pytest.approx(brier)


def test_a_certain_mistake_costs_a_finite_log_loss():
    assert np.isfinite(scores.log_losses(np.array([1]), np.array([[1.0, 0.0]]))).all()


def test_calibration_error_by_hand():
    # Two bins of two: confidences 0.6, 0.7 (one right) and 0.8, 0.9 (both right).
    confidence = np.array([0.6, 0.7, 0.8, 0.9])
    chances = np.column_stack([confidence, 1 - confidence])
    truth, predicted = np.array([0, 1, 0, 0]), np.zeros(4, dtype=int)
    expected = (abs(1 - 1.3) + abs(2 - 1.7)) / 4
    assert scores.expected_calibration_error(truth, predicted, chances, bins=2) == pytest.approx(expected)


def test_calibration_error_against_a_loop():
    generator = np.random.default_rng(5)
    chances = generator.dirichlet(np.ones(3), size=200)
    truth, predicted = generator.integers(0, 3, 200), chances.argmax(axis=1)
    confidence = chances.max(axis=1)
    order = np.argsort(confidence)
    gaps = [abs((truth[part] == predicted[part]).sum() - confidence[part].sum()) for part in np.array_split(order, 10)]
    assert scores.expected_calibration_error(truth, predicted, chances) == pytest.approx(sum(gaps) / 200, abs=1e-9)


def test_equal_confidences_share_a_bin():
    assert len(set(scores.equal_mass_bins(np.full(50, 0.25)))) == 1


@given(pairs, st.randoms())
@settings(deadline=None, max_examples=30)
def test_order_of_utterances_does_not_matter(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    first, second = (scores.score(*zip(*rows, strict=True), LABELS) for rows in (drawn, shuffled))
    assert first["uar"] == second["uar"] and first["macro_f1"] == second["macro_f1"]


def test_grouped_confusions_add_up():
    generator = np.random.default_rng(1)
    truth, predicted = generator.integers(0, 4, (2, 300))
    groups = generator.integers(0, 7, 300)
    by_group = scores.grouped_confusion(truth, predicted, groups, 4, 7)
    assert (by_group.sum(axis=0) == scores.confusion_matrix(truth, predicted, 4)).all()
    assert (by_group[3] == scores.confusion_matrix(truth[groups == 3], predicted[groups == 3], 4)).all()


def test_a_label_that_is_not_listed_is_named():
    with pytest.raises(LabelError, match="bored"):
        scores.score(["a", "bored"], ["a", "a"], LABELS)


@pytest.mark.parametrize(("truth", "predicted"), [([], []), (["a"], ["a", "b"])])
def test_nothing_to_score_is_an_error(truth, predicted):
    with pytest.raises(LabelError, match="nothing to score"):
        scores.score(truth, predicted, LABELS)

import numpy as np
import pytest
from scipy import stats

from serbench.errors import ResultsError
from serbench.scoring import paired_difference, swap_test


def test_drawn_swaps_agree_with_all_swaps():
    contributions = np.random.default_rng(2).normal(0.1, 0.3, size=12)
    exact = swap_test(contributions)
    assert swap_test(contributions, exact_up_to=0) == pytest.approx(exact, abs=0.015)


def test_the_permutation_test_keeps_its_level():
    # Without any difference, p < 0.05 must come up in about one case of twenty.
    generator = np.random.default_rng(0)
    p_values = [swap_test(generator.normal(size=10)) for _ in range(400)]
    assert 0.02 < np.mean(np.asarray(p_values) < 0.05) < 0.085


def test_paired_difference_from_plain_labels():
    truth, speakers = np.tile(["a", "b"], 48), np.repeat(np.arange(12), 8)
    better = np.where(np.arange(96) % 8 == 0, "b", truth)
    worse = np.where(np.arange(96) % 3 == 0, "b", truth)
    found = paired_difference(truth, better, worse, labels=["a", "b"], groups=speakers)
    # "a" is at the even places: 12 of 48 become "b" in the one, 16 of 48 in the other.
    assert found["difference"] == pytest.approx((36 / 48 - 32 / 48) / 2)
    assert found["low"] < found["difference"] < found["high"] and 0 < found["p"] <= 1


@pytest.mark.parametrize(("groups", "message"), [(["s"] * 4, "1 speaker is too few"), (["s", "t", "", ""], "unknown")])
def test_a_difference_needs_two_known_speakers(groups, message):
    truth = ["a", "b", "a", "b"]
    with pytest.raises(ResultsError, match=message):
        paired_difference(truth, truth, truth, labels=["a", "b"], groups=groups)


def test_the_interval_of_a_difference_is_the_textbooks_t_interval():
    # Two utterances of a single class per speaker: the difference is the mean of what the speakers add.
    truth, speakers = ["a"] * 10, np.repeat(np.arange(5), 2)
    found = paired_difference(truth, truth, ["b"] + ["a"] * 9, labels=["a", "b"], groups=speakers)
    per_speaker = np.array([0.5, 0, 0, 0, 0])
    reach = stats.t.ppf(0.975, 4) * per_speaker.std(ddof=1) / np.sqrt(5)
    assert (found["low"], found["high"]) == pytest.approx((0.1 - reach, 0.1 + reach))
    assert (found["unit"], found["method"]) == ("speaker", "jackknife with t")

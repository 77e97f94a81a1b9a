import numpy as np
import pytest
from scipy import stats

from serbench import scoring
from serbench.errors import LabelError, UnknownName
from serbench.scoring import intervals
from serbench.scoring.margins import CONFUSION_SCORES, grouped_confusion, margin_accuracy, margin_uar, margins


def simulate(speakers, per_speaker=30, classes=4, spread=0.2, seed=0):
    """Confusion matrices of speakers who differ in how well they are recognised."""
    generator = np.random.default_rng(seed)
    skill = np.clip(0.5 + spread * generator.normal(size=speakers), 0, 1)
    groups = np.repeat(np.arange(speakers), per_speaker)
    truth = np.tile(np.arange(per_speaker) % classes, speakers)
    right = generator.random(len(truth)) < skill[groups]
    predicted = np.where(right, truth, generator.integers(0, classes, len(truth)))
    return grouped_confusion(truth, predicted, groups, classes, speakers)


def test_bootstrap_agrees_with_a_naive_loop():
    confusion = simulate(20)
    found = intervals.intervals(margins(confusion)[None], {"uar": margin_uar}, "utterance")["uar"]
    generator = np.random.default_rng(99)
    values = []
    for _ in range(4000):
        total = sum(confusion[speaker] for speaker in generator.integers(0, 20, 20))
        values.append(np.mean([total[k, k] / total[k].sum() for k in range(4)]))
    assert (found.low, found.high) == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.006)
    assert (found.unit, found.method) == ("utterance", "bootstrap")


def test_draws_are_those_of_sampling_with_replacement():
    draws = intervals.unit_draws(12)
    assert draws.shape == (10_000, 12) and (draws.sum(axis=1) == 12).all()
    # Counts of one speaker are binomial(12, 1/12): mean 1, variance 11/12.
    assert draws[:, 5].mean() == pytest.approx(1, abs=0.03)
    assert draws[:, 5].var() == pytest.approx(11 / 12, abs=0.05)


def test_same_numbers_every_time():
    statistics = margins(simulate(15))[None]
    assert intervals.intervals(statistics, CONFUSION_SCORES, "speaker") == intervals.intervals(
        statistics, CONFUSION_SCORES, "speaker"
    )


def test_jackknife_by_hand():
    # Three speakers with accuracies 0.2, 0.5, 0.8 on ten utterances each: a mean, so the textbook t interval.
    confusion = np.array([[[hits, 10 - hits], [0, 0]] for hits in (2, 5, 8)])
    found = intervals.intervals(margins(confusion)[None], {"accuracy": margin_accuracy}, "speaker", upper=None)[
        "accuracy"
    ]
    error = np.std([0.2, 0.5, 0.8], ddof=1) / np.sqrt(3)
    reach = stats.t.ppf(0.975, 2) * error
    assert found.method == "jackknife with t"
    assert (found.low, found.high) == pytest.approx((0.5 - reach, 0.5 + reach))


def test_bounds_are_clipped():
    confusion = np.array([[[hits, 10 - hits], [0, 0]] for hits in (2, 5, 8)])
    found = intervals.intervals(margins(confusion)[None], {"accuracy": margin_accuracy}, "speaker")["accuracy"]
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize("speakers", [2, 10, 91])
def test_any_number_of_speakers_has_t_quantiles(speakers):
    # Accuracies of speakers with as many utterances each: a mean, so again the textbook's interval.
    confusion = simulate(speakers)
    own = margin_accuracy(margins(confusion))
    found = intervals.intervals(margins(confusion)[None], {"a": margin_accuracy}, "speaker", upper=None)["a"]
    reach = stats.t.ppf(0.975, speakers - 1) * own.std(ddof=1) / np.sqrt(speakers)
    assert (found.low, found.high) == pytest.approx((own.mean() - reach, own.mean() + reach))


def test_one_unit_has_no_interval():
    found = intervals.intervals(margins(simulate(1))[None], {"uar": margin_uar}, "speaker")["uar"]
    assert np.isnan(found.low) and np.isnan(found.high)


def test_speakers_that_differ_widen_the_interval():
    alike, unlike = (margins(simulate(24, spread=spread, seed=4))[None] for spread in (0.0, 0.35))
    width = {
        name: np.diff([found.low, found.high])
        for name, statistics in (("alike", alike), ("unlike", unlike))
        for found in [intervals.intervals(statistics, {"uar": margin_uar}, "speaker")["uar"]]
    }
    assert width["unlike"] > 1.5 * width["alike"]


def test_utterance_bootstrap_agrees_with_the_binomial():
    # Accuracy of n independent utterances: standard error sqrt(p (1 - p) / n).
    truth = np.zeros(400, dtype=int)
    predicted = (np.arange(400) % 4 == 0).astype(int)
    statistics = margins(grouped_confusion(truth, predicted, np.arange(400), 2, 400))[None]
    found = intervals.intervals(statistics, {"accuracy": margin_accuracy}, "utterance")["accuracy"]
    reach = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (found.low, found.high) == pytest.approx((0.75 - reach, 0.75 + reach), abs=0.006)


def test_a_class_that_a_resample_lacks_is_left_out_of_its_mean():
    # One speaker of twelve alone has class 1; resamples without that speaker score class 0 only.
    confusion = np.zeros((12, 2, 2), dtype=int)
    confusion[:, 0, 0] = 5
    confusion[0, 1] = (5, 0)
    totals = intervals.resampled_totals(margins(confusion)[None])
    values = margin_uar(totals)[:, 0]
    has_class = totals[:, 0, 1, 1] > 0
    assert np.isfinite(values).all()
    assert set(values[~has_class]) == {1.0} and set(values[has_class]) == {0.5}


def test_seeds_widen_the_bootstrap_by_their_spread():
    # Two seeds that are constant 0.4 and 0.6 for every utterance: only the seeds vary.
    confusion = np.array([[[[hits, 10 - hits], [0, 0]]] * 12 for hits in (4, 6)])
    both = intervals.intervals(margins(confusion), {"accuracy": margin_accuracy}, "utterance")["accuracy"]
    # Seed draws are (0.4, 0.4), (0.4, 0.6), (0.6, 0.6); deviations of ±0.1 are widened by sqrt(2).
    assert (both.low, both.high) == pytest.approx((0.5 - 0.1 * np.sqrt(2), 0.5 + 0.1 * np.sqrt(2)))
    assert both.method == "bootstrap over utterances and 2 seeds"


def test_seeds_add_their_variance_and_its_degrees_of_freedom():
    # Speakers do not differ, seeds do: the textbook's interval of three seeds' mean.
    confusion = np.array([[[[hits, 10 - hits], [0, 0]]] * 6 for hits in (4, 5, 6)])
    found = intervals.intervals(margins(confusion), {"accuracy": margin_accuracy}, "speaker", upper=None)["accuracy"]
    reach = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert (found.low, found.high) == pytest.approx((0.5 - reach, 0.5 + reach))
    assert found.method == "jackknife with t over speakers and 3 seeds"


def test_both_sources_follow_satterthwaite():
    speakers = np.array([2, 4, 5, 9])
    confusion = np.array([[[[hits + up, 10 - hits - up], [0, 0]] for hits in speakers] for up in (0, 1)])
    found = intervals.intervals(margins(confusion), {"accuracy": margin_accuracy}, "speaker", upper=None)["accuracy"]
    one, two = (speakers / 10).var(ddof=1) / 4, 0.1**2 / 2 / 2
    freedom = min(3, (one + two) ** 2 / (one**2 / 3 + two**2 / 1))
    assert found.high - 0.55 == pytest.approx(stats.t.ppf(0.975, freedom) * np.sqrt(one + two))


def test_a_constant_score_has_an_interval_of_no_width():
    confusion = np.tile([[5, 0], [5, 0]], (6, 1, 1))
    found = intervals.intervals(margins(confusion)[None], {"uar": margin_uar}, "speaker")["uar"]
    assert (found.low, found.high) == (0.5, 0.5)


def test_coverage_is_near_nominal():
    # Speakers are drawn anew each time; the true UAR is 0.5 and a quarter of the rest by chance.
    truth = 0.5 + 0.5 / 4
    held = 0
    for seed in range(120):
        confusion = simulate(24, spread=0.1, seed=1000 + seed)
        found = intervals.intervals(margins(confusion)[None], {"uar": margin_uar}, "speaker")["uar"]
        held += found.low <= truth <= found.high
    assert 0.9 <= held / 120 <= 0.995


def spoken(speakers=12, per_speaker=20, seed=5):
    """Truth, predictions and speakers, as names."""
    generator = np.random.default_rng(seed)
    truth, guess = generator.choice(["a", "b", "c"], (2, speakers * per_speaker))
    predicted = np.where(generator.random(len(truth)) < 0.4, truth, guess)
    return truth, predicted, np.repeat([f"s/{number}" for number in range(speakers)], per_speaker)


def test_interval_from_plain_labels_is_that_of_the_margins():
    truth, predicted, speakers = spoken()
    codes = [np.unique(column, return_inverse=True)[1] for column in (truth, predicted, speakers)]
    expected = intervals.intervals(margins(grouped_confusion(*codes, 3, 12))[None], CONFUSION_SCORES, "speaker")
    for name in CONFUSION_SCORES:
        assert scoring.interval(truth, predicted, labels="abc", groups=speakers, score=name) == expected[name]


@pytest.mark.parametrize("groups", [None, [""] * 240, ["one"] * 240])
def test_without_speakers_the_interval_is_over_utterances(groups):
    truth, predicted, _ = spoken()
    assert scoring.interval(truth, predicted, labels="abc", groups=groups).unit == "utterance"


def test_mistakes_in_the_arguments_are_named():
    truth, predicted, speakers = spoken()
    with pytest.raises(LabelError, match="240 true labels against 3 groups"):
        scoring.interval(truth, predicted, labels="abc", groups=speakers[:3])
    with pytest.raises(UnknownName, match="accuracy"):
        scoring.interval(truth, predicted, labels="abc", score="acuracy")

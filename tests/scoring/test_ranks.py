"""Many systems together: which differ, on which ranks each may stand, what the best owes to being chosen."""

import itertools

import numpy as np
import pytest

from serbench.scoring import optimism_of_best, pairwise_p
from serbench.scoring.coding import CodedPredictions
from serbench.scoring.paired import pooled_predictions, swap_test
from serbench.scoring.ranks import ALPHA, ranking, uar_contributions


def contributions_of(systems, speakers, seed=0, gaps=0.0):
    generator = np.random.default_rng(seed)
    common = generator.normal(0, 0.02, speakers)
    return common + generator.normal(0, 0.01, (systems, speakers)) - gaps * np.arange(systems)[:, None]


def test_two_systems_are_the_swap_test():
    one, two = contributions_of(2, 9, seed=3, gaps=0.005)
    assert pairwise_p(np.stack([one, two]))[0, 1] == pytest.approx(swap_test(one - two))


def test_step_down_by_every_swap_by_hand():
    systems = contributions_of(4, 6, seed=2, gaps=0.008)
    pairs = list(itertools.combinations(range(4), 2))
    gaps = {pair: systems[pair[0]] - systems[pair[1]] for pair in pairs}
    furthest = sorted(pairs, key=lambda pair: -abs(gaps[pair].sum()))
    expected, before = {}, 0.0
    for place, pair in enumerate(furthest):
        counted = [
            max(abs((np.array(signs) * gaps[other]).sum()) for other in furthest[place:])
            >= abs(gaps[pair].sum()) - 1e-9
            for signs in itertools.product([1, -1], repeat=6)
        ]
        before = expected[pair] = max(before, np.mean(counted))
    found = pairwise_p(systems)
    assert {pair: found[pair] for pair in pairs} == pytest.approx(expected)
    assert (found == found.T).all() and (np.diag(found) == 1).all()
    assert min(expected.values()) < ALPHA < max(expected.values())


def test_drawn_swaps_agree_with_all_swaps(monkeypatch):
    systems = contributions_of(5, 12, seed=4, gaps=0.003)
    exact = pairwise_p(systems)
    monkeypatch.setattr("serbench.scoring.ranks.EXACT_UP_TO", 0)
    assert pairwise_p(systems) == pytest.approx(exact, abs=0.02)


def test_equal_systems_are_told_apart_on_few_boards():
    # `benchmarks/statistics/board.py` shows it for 44 rows of real boards; here 12, and 200 boards.
    marked = [(pairwise_p(contributions_of(12, 8, seed=seed)) < ALPHA).any() for seed in range(200)]
    assert np.mean(marked) <= 0.08


def answers_of(hits, speakers, labels=("a", "b")):
    """A system that is right on the first `hits[s]` of ten utterances of speaker s."""
    right = np.concatenate([np.arange(10) < count for count in hits])
    truth = np.tile([0, 1], 5 * len(hits))
    names = np.repeat([f"s/{number}" if speakers else "" for number in range(len(hits))], 10).astype(object)
    coded = CodedPredictions(truth, np.where(right, truth, 1 - truth), names, np.arange(len(truth)))
    return pooled_predictions([coded], labels)


def board(*rows, speakers=True):
    return ranking([answers_of(row, speakers) for row in rows])


def test_rank_intervals_and_marks_agree():
    found = board(
        [9, 9, 8, 9, 9, 9, 8, 9], [9, 8, 9, 9, 8, 9, 9, 9], [5, 4, 5, 5, 4, 5, 5, 5], [5, 5, 5, 4, 4, 5, 5, 4]
    )
    assert (found.rank_low, found.rank_high) == ([1, 1, 3, 3], [2, 2, 4, 4])
    assert [p >= ALPHA for p in found.p] == [low == 1 for low in found.rank_low] == [True, True, False, False]
    assert found.p[0] == 1


@pytest.mark.parametrize(("count", "speakers"), [(5, True), (8, False)])
def test_too_few_or_unknown_speakers_are_not_testable(count, speakers):
    found = board([9] * count, [1] * count, speakers=speakers)
    assert found.p == found.rank_low == found.rank_high == [None, None]


def test_a_row_over_other_utterances_is_left_out():
    found = ranking([answers_of([9] * 8, True), answers_of([5] * 7, True), answers_of([4] * 8, True)])
    assert found.rank_low == [1, None, 2] and found.rank_high == [1, None, 2] and found.p[1] is None


def test_optimism_is_that_of_equal_systems_and_none_of_one_far_ahead():
    # Independent equal systems: the expected maximum of normal scores, from many draws.
    generator = np.random.default_rng(1)
    trials = np.full((24, 1), 400.0)
    skills = np.clip(0.5 + 0.1 * generator.normal(size=(60, 12, 24, 1)), 0, 1)
    scores = skills.mean(axis=2)[..., 0]
    found = [optimism_of_best(skill * trials, trials) for skill in skills]
    assert np.mean(found) == pytest.approx((scores.max(axis=1) - 0.5).mean(), rel=0.15)
    ahead = np.concatenate([np.full((1, 24, 1), 400.0), skills[0] * trials])
    assert optimism_of_best(ahead, trials) == 0
    assert np.isnan(optimism_of_best(ahead[:1], trials))


def test_contributions_sum_to_the_uar():
    hits, trials = np.array([[[3, 1], [2, 0]]], float), np.array([[4, 2], [2, 0]], float)
    assert uar_contributions(hits, trials).sum() == pytest.approx((5 / 6 + 1 / 2) / 2)

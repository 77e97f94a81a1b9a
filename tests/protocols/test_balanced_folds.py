import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serbench.protocols.balanced_folds import assign_groups, assign_stratified, draw_stratified, shuffled


def unit_table(sizes, genders="fm"):
    """Units of given sizes; labels alternate within each."""
    rows = [
        {"unit": f"u{unit}", "label": "ab"[i % 2], "gender": genders[unit % 2]}
        for unit, n in enumerate(sizes)
        for i in range(n)
    ]
    return pd.DataFrame(rows)


def imbalance(table, folds, shares):
    """Squared distance from the due shares in labels, gender and units: the naive definition."""
    units = table.drop_duplicates("unit")
    total = 0.0
    for column, rows in (("label", table), ("gender", table), ("unit", units)):
        values = rows[column] if column != "unit" else pd.Series("unit", index=rows.index)
        for value in set(values):
            held = rows.index[values == value]
            counts = np.bincount(folds[held], minlength=len(shares)) / len(held)
            total += ((counts - shares) ** 2).sum() / values.nunique()
    return total


@given(sizes=st.lists(st.integers(2, 12), min_size=3, max_size=7), seed=st.integers(0, 3))
@settings(max_examples=12, deadline=None)
def test_dealing_comes_near_the_best_of_all_assignments(sizes, seed):
    table, shares = unit_table(sizes), np.array([0.5, 0.5])
    folds = assign_groups(table, table["unit"].to_numpy(), shares, seed)
    codes = table["unit"].str[1:].astype(int).to_numpy()
    options = [np.array(choice)[codes] for choice in itertools.product((0, 1), repeat=len(sizes))]
    values = sorted(imbalance(table, option, shares) for option in options if 0 < option.mean() < 1)
    reached = imbalance(table, folds, shares)
    # A local optimum: no worse than the best quarter of all assignments.
    assert reached <= values[len(values) // 4] + 1e-6


@given(sizes=st.lists(st.integers(1, 40), min_size=2, max_size=12), k=st.integers(2, 6), seed=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_units_stay_whole_and_no_fold_is_empty(sizes, k, seed):
    k = min(k, len(sizes))
    table = unit_table(sizes)
    folds = assign_groups(table, table["unit"].to_numpy(), np.full(k, 1 / k), seed)
    assert set(folds) == set(range(k))
    assert (pd.Series(folds).groupby(table["unit"]).nunique() == 1).all()


def test_one_huge_unit_leaves_no_fold_empty():
    table = unit_table([500, 1, 1])
    assert set(assign_groups(table, table["unit"].to_numpy(), [1 / 3] * 3, 0)) == {0, 1, 2}


@given(counts=st.lists(st.integers(1, 30), min_size=2, max_size=4), k=st.integers(2, 6), seed=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_stratified_folds_differ_by_one_at_most(counts, k, seed):
    labels = np.repeat([f"l{i}" for i in range(len(counts))], counts)
    folds = assign_stratified(pd.DataFrame({"id": [f"id{i}" for i in range(len(labels))], "label": labels}), k, seed)
    for members in [np.ones(len(labels), bool), *[labels == label for label in set(labels)]]:
        sizes = np.bincount(folds[members], minlength=k)
        assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(("fraction", "expected"), [(0.2, [2, 4]), (0.01, [1, 1]), (0.99, [9, 19])])
def test_a_draw_leaves_and_takes_one_of_each_class(fraction, expected):
    labels = np.repeat(["a", "b"], [10, 20])
    drawn = draw_stratified(pd.DataFrame({"id": map(str, range(30)), "label": labels}), fraction, 0)
    assert [int(drawn[labels == label].sum()) for label in "ab"] == expected


def test_a_new_name_leaves_the_order_of_the_others():
    names = [f"utterance {i}" for i in range(50)]
    before = [names[i] for i in shuffled(names, 3)]
    longer = [*names, "new"]
    after = [longer[i] for i in shuffled(longer, 3)]
    after.remove("new")
    assert after == before
    assert before != names


def test_the_order_is_the_same_on_every_machine():
    # Pinned: a change would silently change every published split.
    assert shuffled(["a", "b", "c", "d", "e", "f"], 0).tolist() == [5, 3, 0, 4, 1, 2]

import json
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serbench.identity import canonical_json, content_id, seed_for

FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=6))
def test_order_of_keys_does_not_matter(data):
    reversed_order = dict(reversed(list(data.items())))
    assert canonical_json(data) == canonical_json(reversed_order)
    assert content_id(data) == content_id(reversed_order)


@given(PLAIN)
def test_canonical_json_is_json_of_the_same_value(data):
    assert json.loads(canonical_json(data)) == data


def test_whole_floats_and_integers_are_the_same_setting():
    assert content_id({"C": 1.0}) == content_id({"C": 1})
    assert content_id({"C": 1.5}) != content_id({"C": 1})
    assert content_id({"flag": True}) != content_id({"flag": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_cannot_hold_raise(value):
    with pytest.raises(ValueError):
        canonical_json({"x": value})


def test_objects_raise():
    with pytest.raises(TypeError, match="not plain data"):
        canonical_json({"x": object()})


def test_ids_and_seeds_are_the_same_in_another_process():
    code = "from serbench.identity import *; print(content_id({'a': [1, 'ü']}), seed_for(3, 'emodb', 'loso'))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert printed == [content_id({"a": [1, "ü"]}), str(seed_for(3, "emodb", "loso"))]


@given(st.integers(0, 2**31), st.lists(st.text(), max_size=3))
def test_seeds_fit_every_library(root, names):
    assert 0 <= seed_for(root, *names) < 2**31
    assert seed_for(root, *names) != seed_for(root, *names, "more")

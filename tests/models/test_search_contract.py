"""What the trials of a search share is held to what building and fitting anew would give."""

import dataclasses

import pytest

from serbench.models.contract import check_model
from serbench.registry import build_registry


def space_check(spec):
    return next(check for check in check_model(spec) if check.name == "search space")


SEARCHED = [spec for spec in build_registry().all("model") if spec.search]


@pytest.mark.parametrize("spec", SEARCHED, ids=lambda spec: spec.name)
def test_shared_work_keeps_the_contract(spec):
    assert space_check(spec).ok is True


def test_a_search_that_answers_otherwise_is_found():
    spec = build_registry().get("model", "lda")

    def backwards(*data, **settings):
        evaluate = spec.search(*data, **settings)
        return lambda params: (evaluate(params)[0][:, ::-1], {})

    check = space_check(dataclasses.replace(spec, search=backwards))
    assert check.ok is False and "search answers otherwise" in check.detail
    check = space_check(dataclasses.replace(spec, search=lambda *data, **settings: lambda params: (None, None)))
    assert check.ok is False and "not a dict" in check.detail

"""Work that the trials of a search share, and that answers otherwise than building and fitting anew, is found.

That the package's own models share theirs rightly is among the checks of `test_contract`.
"""

import dataclasses

from serbench.models.contract import check_model
from serbench.registry import build_registry


def space_check(spec):
    return next(check for check in check_model(spec) if check.name == "search space")


def test_a_search_that_answers_otherwise_is_found():
    spec = build_registry().get("model", "lda")

    def backwards(*data, **settings):
        evaluate = spec.search(*data, **settings)
        return lambda params: (evaluate(params)[0][:, ::-1], {})

    check = space_check(dataclasses.replace(spec, search=backwards))
    assert check.ok is False and "search answers otherwise" in check.detail
    check = space_check(dataclasses.replace(spec, search=lambda *data, **settings: lambda params: (None, None)))
    assert check.ok is False and "not a dict" in check.detail

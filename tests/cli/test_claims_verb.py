"""`serbench claims` in the package's own suites, and with suites that have no claims."""

import json

import pytest

from serbench.cli.claims import claims
from serbench.errors import SuiteError
from serbench.runner.suite.file import load_suite, suite_names


def test_every_claim_is_listed_even_where_nothing_was_run(tmp_path, capsys):
    claims(style="json", results=tmp_path)
    rows = json.loads(capsys.readouterr().out)
    reported = {(row["claim"], row["model"], row["metric"]): row["reported"] for row in rows}
    assert reported["P1", "CNN", "accuracy"] == 0.947
    p4 = {"KNN": 0.56, "SVM": 0.30, "Random Forest": 0.71, "LSTM": 0.62, "CNN + LSTM": 0.72, "CNN": 0.76}
    assert {model: reported["P4", model, "accuracy"] for model in p4} == p4
    assert reported["P4", "refined CNN", "macro_f1"] == 0.83 and reported["P5", "Conv1D", "accuracy"] == 0.70
    assert all(row["own"] is None and row["gap"] is None for row in rows)


def test_a_suite_without_claims_is_named(tmp_path):
    with pytest.raises(SuiteError, match=r"demo: there are no `published:` numbers"):
        claims(["demo"], style="json", results=tmp_path)


@pytest.mark.parametrize("name", suite_names("published"))
def test_claims_point_at_rows_and_protocols_of_their_suite(name):
    suite = load_suite(name)
    told = suite.published.claims if suite.published else []
    rows = {
        (f"{_title(model)}@{'+'.join(item.name for item in features.sets)}", _title(protocol))
        for block in suite.grid
        for model in block.models
        for features in block.features
        for protocol in block.protocols
    }
    for claim in told:
        if claim.needs:
            continue
        for protocol in (claim.own, claim.speaker_independent):
            assert (claim.row, protocol) in rows
        if claim.mistake:
            assert (claim.mistake_row or claim.row, claim.mistake) in rows


def _title(entry) -> str:
    # As the leaderboard names them: parameters at their default are left out (five folds).
    shown = ", ".join(f"{key}={value}" for key, value in sorted(entry.params.items()) if (key, value) != ("k", 5))
    return f"{entry.name}({shown})" if shown else entry.name

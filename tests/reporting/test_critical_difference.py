"""The critical-difference diagram: ranks over speakers, refused where too few rows or speakers."""

import pytest
from made_suites import write_suite

from serbench.errors import ResultsError
from serbench.reporting.figures.catalogue import draw
from serbench.reporting.figures.views import suite_view
from serbench.reporting.loading import load_records


def texts(figure) -> str:
    from matplotlib.text import Text

    return "\n".join(item.get_text() for item in figure.findobj(Text))


def test_rows_are_shown_with_their_mean_ranks(tmp_path):
    write_suite(tmp_path / "s", models={"best": 9.0, "middle": 1.0, "worst": -9.0})
    shown = texts(draw("critical_difference", suite_view(load_records(tmp_path, "s"))))
    # Every speaker ranks the three rows alike.
    for name, rank in (("best", "1"), ("middle", "2"), ("worst", "3")):
        assert any(name in line and f"({rank})" in line for line in shown.splitlines()), shown
    assert "12 speakers" in shown and "official" in shown and "stratified" not in shown


@pytest.mark.parametrize(
    "made", [{"models": {"a": 1.0, "b": 2.0}}, {"models": {"a": 1.0, "b": 2.0, "c": 0.0}, "speakers": 5}]
)
def test_two_rows_or_five_speakers_are_not_ranked(tmp_path, made):
    write_suite(tmp_path / "s", **made)
    with pytest.raises(ResultsError, match="no group of 3 complete rows"):
        draw("critical_difference", suite_view(load_records(tmp_path, "s")))

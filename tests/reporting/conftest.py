"""The report's suite, written once a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_suites import write_report_suite


@pytest.fixture(scope="session")
def report_results(tmp_path_factory) -> Path:
    """A results folder with the suite `toy`."""
    root = tmp_path_factory.mktemp("report-results")
    (root / "toy").mkdir()
    write_report_suite(root / "toy")
    return root


@pytest.fixture(scope="session")
def report_records(report_results):
    from serbench.reporting.loading import load_records

    return load_records(report_results, "toy")


@pytest.fixture(scope="session")
def report_board(report_records):
    from serbench.reporting.leaderboard import leaderboard

    return leaderboard(report_records)

"""The published numbers that suites name, for the tables that set them beside our own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from serbench.runner.suite.file import PUBLISHED, load_suite, suite_names
from serbench.runner.suite.schema import Suite


def published_suites() -> list[Suite]:
    """The suites among the package's and the user's that name published numbers."""
    loaded = [load_suite(name) for name in [*suite_names(), *suite_names(PUBLISHED)]]
    return [suite for suite in loaded if suite.published is not None]


def published_claims(suites: Iterable[Suite]) -> list[dict[str, Any]]:
    """Their claims as mappings, each with its `suite` and `source`."""
    return [
        {**claim.model_dump(), "suite": suite.name, "source": suite.published.source}
        for suite in suites
        if suite.published is not None
        for claim in suite.published.claims
    ]

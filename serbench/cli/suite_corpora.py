"""The corpora that suite files make of a user's own folders, for the figures that open them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serbench.errors import SerbenchError

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.specs import CorpusSpec


def suite_corpora(suite: str, around: Circumstances) -> tuple[str, dict[str, CorpusSpec]]:
    """Name under which a suite's results lie, and the cards of the corpora that suite files describe.

    Parameters
    ----------
    suite : str
        Name or file of a suite; one without a file (any more) has those of the working folder's suites.
    """
    from serbench.registry import build_registry
    from serbench.runner.planning.own_corpora import corpora_of, registry_with_own
    from serbench.runner.suite.file import load_suite

    own = {spec.name: spec for spec in registry_with_own(around.plugins).all("corpus") if spec.user_named}
    given = suite.endswith((".yaml", ".yml"))
    try:
        loaded = load_suite(suite)
    except SerbenchError:
        if given:
            raise
        return suite, own
    return loaded.name if given else suite, {**own, **corpora_of(loaded, build_registry(around.plugins))}

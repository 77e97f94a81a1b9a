"""The corpora that a suite file makes of a user's own folders, for the figures that open them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from serbench.errors import UnknownName

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.specs import CorpusSpec


def suite_corpora(suite: str, around: Circumstances) -> tuple[str, dict[str, CorpusSpec]]:
    """Name under which a suite's results lie, and the cards of the corpora that only its file describes.

    Parameters
    ----------
    suite : str
        Name or file of a suite; one without a file (any more) describes no corpus.
    """
    from serbench.registry import build_registry
    from serbench.runner.planning.task import corpus_spec
    from serbench.runner.suite.file import load_suite

    beside = f"{suite}.yaml"
    try:
        loaded = load_suite(beside if Path(beside).is_file() else suite)
    except UnknownName:
        return suite, {}
    registry = build_registry(around.plugins)
    entries = [item for entry in loaded.corpora for item in entry if item.adapter is not None]
    name = loaded.name if suite.endswith((".yaml", ".yml")) else suite
    return name, {item.name: corpus_spec(item, registry) for item in entries}

"""`serbench audit --shortcuts`: what tells the labels of a corpus, or of a suite's corpora, without their speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serbench.errors import CorpusError

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances


def shortcuts_of(target: str, circumstances: Circumstances) -> dict[str, dict[str, Any]]:
    """What `find_shortcuts` finds in a corpus, or in each of a suite's corpora under the suite's labels.

    Parameters
    ----------
    target : str
        Name of a corpus, else of a suite or its file.
    """
    from serbench.runner.cell.inputs import open_registry
    from serbench.runner.planning.task import build_task, present_entries
    from serbench.runner.shortcuts import find_shortcuts
    from serbench.runner.suite.file import load_suite

    registry = open_registry(circumstances)
    if target in registry.names("corpus"):
        from serbench.corpora.loading import open_corpus

        tables = {target: open_corpus(registry.get("corpus", target), circumstances).table}
    else:
        suite = load_suite(target)
        entries = present_entries(suite, registry, circumstances)
        if not entries:
            hint = "`serbench corpora` lists what is there"
            raise CorpusError("none of the suite's corpora is here", where=target, hint=hint)
        tasks = [build_task(suite, entry, registry, circumstances) for entry in entries]
        tables = {f"{target} · {task.name}": task.table for task in tasks}
    return {name: find_shortcuts(table, registry, circumstances) for name, table in tables.items()}

"""Leave one recording project out: train on the others, test on unseen people, rooms and recorders."""

from __future__ import annotations

import pandas as pd

from serbench.protocols.tables import need_groups, need_known, prepare, splits_by_fold
from serbench.specs import ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int) -> list[Split]:
    """Test each recording project on a training part of all others; the seed changes nothing.

    A project is what comes before the slash in a speaker's name: corpora recorded with the same people
    (speech and song of RAVDESS) are one project and are held out together.

    Raises
    ------
    ProtocolError
        If a speaker is unknown, or there is only one project.
    """
    name = "cross_corpus"
    table = prepare(table, name)
    need_known(table, "speaker", name, "give every utterance its speaker: the people tested must be new")
    projects = table["speaker"].str.partition("/")[0]
    corpora = ", ".join(sorted(set(table["corpus"])))
    need_groups(
        projects.nunique(), 2, "recording project", name, f"merge corpora of other people with {corpora} in the suite"
    )
    return splits_by_fold(table, projects)


CROSS_CORPUS = ProtocolSpec(
    name="cross_corpus",
    version="1",
    split=split,
    independence=frozenset({"corpus", "speaker"}),
    description="leave one recording project (its corpora and people) out",
)

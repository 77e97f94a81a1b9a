"""Leave one speaker out: one fold per speaker."""

from __future__ import annotations

import pandas as pd

from serbench.protocols.tables import need_groups, need_known, prepare, splits_by_fold
from serbench.specs import EPOCH_ON_TEST, ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int) -> list[Split]:
    """Test each speaker on a training part of all others; the seed changes nothing.

    A fold is named by its speaker, with the recording project only where there are several.

    Raises
    ------
    ProtocolError
        If a speaker is unknown, or there is only one.
    """
    table = prepare(table, "loso")
    need_known(table, "speaker", "loso", "give every utterance its speaker, or use a protocol that promises none")
    speakers = table["speaker"]
    need_groups(speakers.nunique(), 2, "speaker", "loso", "only random protocols are possible")
    projects = speakers.str.rpartition("/")[0]
    return splits_by_fold(table, speakers.str.rpartition("/")[2] if projects.nunique() == 1 else speakers)


LOSO = ProtocolSpec(
    name="loso",
    version="1",
    split=split,
    independence=frozenset({"speaker"}),
    description="leave one speaker out: one fold per speaker",
)

LEAKY_SELECT_ON_TEST_LOSO = ProtocolSpec(
    name="leaky_select_on_test_loso",
    version="1",
    split=split,
    mistake=EPOCH_ON_TEST,
    description="WRONG on purpose: the folds of loso, the epoch of each chosen on the speaker that is tested",
)

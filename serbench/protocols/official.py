"""The folds that a corpus' authors or its literature prescribe; the speakers tested are unseen in training."""

from __future__ import annotations

import pandas as pd

from serbench.errors import ProtocolError
from serbench.protocols.prescribed import prescribed_splits
from serbench.protocols.tables import enumerate_some, need_known, prepare
from serbench.specs import ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int) -> list[Split]:
    """One split per value of the column `official_fold`; the seed changes nothing.

    Folds of a user's own manifest that share speakers belong to the protocol `fixed`, which promises
    nothing: here they are a broken promise.

    Raises
    ------
    ProtocolError
        If there are no official folds, an utterance has none, or a fold has an empty part.
    """
    table = prepare(table, "official")
    folds = table["official_fold"].astype(str)
    if (folds == "").all():
        raise ProtocolError(
            f"{enumerate_some(sorted(set(table['corpus'])))} has no official folds",
            where="official",
            hint="use speaker_kfold or loso, or give folds with the protocol fixed",
        )
    need_known(table, "official_fold", "official", "give every utterance a fold, or leave these out of the suite")
    return prescribed_splits(table, folds, "official")


OFFICIAL = ProtocolSpec(
    name="official",
    version="1",
    split=split,
    independence=frozenset({"speaker"}),
    description="the folds prescribed for the corpus; whole speakers",
)

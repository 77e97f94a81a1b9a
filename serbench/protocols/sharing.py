"""What two parts of a table share, counted on codes: fast enough for ninety folds of thousands of utterances."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pandas as pd

from serbench.errors import ProtocolError
from serbench.protocols.tables import enumerate_some, equal_audio

# Between the id of an utterance and the number of its copy.
COPY_MARK = "#"
PROJECT, REPETITION, PARENT, PERSON = "recording project", "repetition", "parent", "person"
RECORDING = "recording"
# How tables write the speaker 3: "3", "03", "spk03", "Speaker_3", "S003".
NUMBERED = re.compile(r"(?:speaker|spkr|spk|spe|sp|actor|subject|subj|sub|id|s)?[\s_.-]*0*(\d+)")


class SharingTable:
    """A task table whose columns are looked up by codes; one serves all folds of a split.

    Besides the table's own columns there are `PROJECT`, what comes before the slash in a speaker's name, and
    `REPETITION`, speaker, text and label of an utterance: another take of one performance has the same. `PARENT` is the
    utterance that an augmented copy was made from; an original is its own. `PERSON` is a speaker by what the spellings
    "3", "03", "spk03" and "SPK03" have in common. `RECORDING` names those that sound alike, where the table does (see
    `with_recordings`). A value is "" where it is unknown.
    """

    def __init__(self, table: pd.DataFrame):
        self._table = table
        self._index = pd.Index(table["id"])
        self._coded: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    @classmethod
    def of(cls, table: pd.DataFrame | SharingTable) -> SharingTable:
        """The table itself, if it is one already."""
        return table if isinstance(table, SharingTable) else cls(table)

    def positions(self, ids: Iterable[str]) -> np.ndarray:
        """Position of each id.

        Raises
        ------
        ProtocolError
            If the table has no such utterance.
        """
        ids = list(ids)
        if absent := self.absent(ids):
            raise ProtocolError(
                f"the corpus has no such utterances: {enumerate_some(absent)}",
                where="audit",
                hint="write an id as corpus/utterance, and audit a split with the table that it was made from",
            )
        return self._index.get_indexer(np.array(ids, dtype=object))

    def absent(self, ids: Iterable[str]) -> list[str]:
        """Those ids that the table does not have, sorted."""
        ids = np.array(list(ids), dtype=object)
        return sorted(set(ids[self._index.get_indexer(ids) < 0]))

    def ids(self, positions: np.ndarray) -> np.ndarray:
        """Ids at these positions."""
        return self._index.to_numpy()[positions]

    def values(self, column: str, positions: np.ndarray) -> set[str]:
        """Known values of a column at these positions."""
        codes, names = self._codes(column)
        return set(names[np.unique(codes[positions])]) - {""}

    def shared(self, column: str, train: np.ndarray, test: np.ndarray) -> list[str]:
        """Known values of a column that occur on both sides, sorted."""
        codes, names = self._codes(column)
        both = np.zeros((2, len(names)), dtype=bool)
        both[0, codes[train]] = True
        both[1, codes[test]] = True
        return sorted(set(names[both.all(axis=0)]) - {""})

    def unknown(self, column: str, positions: np.ndarray) -> int:
        """How many of these utterances have no known value."""
        codes, names = self._codes(column)
        return int((names[codes[positions]] == "").sum())

    def having(self, column: str, values: Iterable[str], positions: np.ndarray) -> np.ndarray:
        """Those positions whose value is one of `values`."""
        codes, names = self._codes(column)
        has_value = np.isin(names.astype(str), np.array(list(values), dtype=str))
        return positions[has_value[codes[positions]]]

    def shares(self, row: str, column: str, positions: np.ndarray) -> pd.DataFrame:
        """Of each value of `column`, the share that falls on each value of `row`; columns sum to one."""
        rows, columns = (self._codes(name)[1][self._codes(name)[0][positions]] for name in (row, column))
        return pd.crosstab(rows, columns, normalize="columns")

    @cached_property
    def conflicting_audio(self) -> list[list[str]]:
        """Ids of recordings that are there twice with equal audio and different labels."""
        labels = self._table["label"]
        groups = equal_audio(self._table)
        return [sorted(self.ids(group)) for group in groups if labels.iloc[group].nunique() > 1]

    def _codes(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        if column not in self._coded:
            codes, names = pd.factorize(self._column(column).to_numpy(dtype=object))
            self._coded[column] = codes, names.astype(object)
        return self._coded[column]

    def _column(self, column: str) -> pd.Series:
        if column == PROJECT:
            return self._table["speaker"].str.partition("/")[0]
        if column == PERSON:
            return self._table["speaker"].map({name: _person(name) for name in self._table["speaker"].unique()})
        if column == REPETITION:
            parts = [self._table[name].astype(str) for name in ("speaker", "text", "label")]
            known = np.logical_and.reduce([part != "" for part in parts])
            return (parts[0] + " · " + parts[1] + " · " + parts[2]).where(known, "")
        if column == PARENT and PARENT not in self._table:
            return self._table["id"]
        if column == RECORDING and RECORDING not in self._table:
            return pd.Series("", index=self._table.index)
        return self._table[column]


def _person(speaker: str) -> str:
    project, slash, name = str(speaker).rpartition("/")
    plain = name.strip().casefold()
    numbered = NUMBERED.fullmatch(plain)
    bare = numbered[1] if numbered else re.sub(r"[\s_.-]+", "", plain)
    return f"{project}{slash}{bare}"

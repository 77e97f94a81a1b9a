"""A task with the augmented copies that its rows ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from serbench.protocols.sharing import COPY_MARK, PARENT
from serbench.runner.cell.copies import alterations
from serbench.runner.planning.task import Task


def with_copies(task: Task, augment: Mapping[str, Any]) -> Task:
    """The task with its copies behind its originals.

    Copy k of `corpus/utterance` is called `corpus/utterance#k`; its `content` is that under which the feature store
    keeps the altered audio, and `parent` is the id of its original (an original is its own).
    """
    originals = task.table.assign(**{PARENT: task.table["id"]})
    parts = [originals]
    for alteration in alterations(augment):
        mark = f"{COPY_MARK}{alteration.copy}"
        parts.append(
            originals.assign(
                id=originals["id"] + mark,
                utterance=originals["utterance"] + mark,
                content=[alteration.key(content) for content in originals["content"]],
            )
        )
    return replace(task, table=pd.concat(parts, ignore_index=True), augment=augment)


def with_copy_ids(ids: Sequence[str], augment: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of some originals and of all their copies."""
    marks = [f"{COPY_MARK}{alteration.copy}" for alteration in alterations(augment)]
    return (*ids, *(f"{name}{mark}" for mark in marks for name in ids))

"""A plan cut into shards: the same parts on every machine, without a word between them."""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping
from dataclasses import replace

from serbench.errors import UsageError
from serbench.identity import canonical_json, content_id
from serbench.records import Cell, member_cells
from serbench.registry import Registry
from serbench.runner.planning.cells import Plan, PlannedCell
from serbench.runner.planning.estimates import fits_of_search

# What a fit costs against that of a vector model on as many utterances. Estimates from records would be closer, but
# would differ from machine to machine, and a cell could fall between two shards.
SEQUENCE_FIT = 40.0
LOADING = 200.0  # a cell's fixed cost, in utterances of a vector model


def parse_shard(text: str) -> tuple[int, int]:
    """Read ``3/40`` as (3, 40).

    Raises
    ------
    UsageError
        If it is no such pair, or its first number is not within 1 and the second.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
    hint = "write K/N with 1 <= K <= N, such as --shard 3/40"
    if match is None:
        raise UsageError(f"'{text}' is no shard", where="--shard", hint=hint)
    index, count = int(match[1]), int(match[2])
    if not 1 <= index <= count:
        raise UsageError(f"there is no shard {index} of {count}", where="--shard", hint=hint)
    return index, count


def take_shard(plan: Plan, registry: Registry, index: int, count: int) -> Plan:
    """The plan with its `index`-th of `count` shards to run; all of its cells stay in it.

    An ensemble belongs to the shard of its first member and runs there once all its members are done.
    """
    assigned = assign_shards(plan, registry, count)
    return replace(plan, shard=frozenset(key for key, number in assigned.items() if number == index))


def assign_shards(plan: Plan, registry: Registry, count: int) -> Mapping[str, int]:
    """Shard (from 1 to `count`) of each cell by its id, whatever its state.

    Cells on the same features of the same fold stay together; the groups go, dearest first, to the shard that has
    least (longest processing time first: at most 4/3 of the best balance, Graham 1969).
    """
    groups: dict[str, list[PlannedCell]] = {}
    for item in plan.cells:
        if not item.cell.members:
            groups.setdefault(_group(item.cell), []).append(item)
    costs = {key: sum(relative_cost(item, registry) for item in items) for key, items in groups.items()}
    loads = [(0.0, number) for number in range(1, count + 1)]
    assigned: dict[str, int] = {}
    # Equal costs go by a hash, so that neighbours in the plan do not end up in one shard.
    for key in sorted(groups, key=lambda key: (-costs[key], content_id(key))):
        load, number = heapq.heappop(loads)
        heapq.heappush(loads, (load + costs[key], number))
        assigned.update({item.cell.id: number for item in groups[key]})
    for item in plan.cells:
        if item.cell.members:
            assigned[item.cell.id] = assigned.get(member_cells(item.cell)[0].id, 1)
    return assigned


def relative_cost(item: PlannedCell, registry: Registry) -> float:
    """Cost of a cell in training utterances of a vector model; nothing of it depends on the machine."""
    cell = item.cell
    if cell.members:
        return 0.0
    sequence = registry.get("model", cell.model["name"]).accepts == "sequence"
    return LOADING + (1 + fits_of_search(cell)) * len(item.split.train) * (SEQUENCE_FIT if sequence else 1.0)


def _group(cell: Cell) -> str:
    return canonical_json([cell.corpus, list(cell.features), cell.protocol, cell.fold, cell.seed, cell.augment])

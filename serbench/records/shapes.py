"""The shape that the JSON of cells, records and saved models must have; a file of another shape is damaged."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Options = dict[str, Any]


class _Named(TypedDict):
    name: str
    params: NotRequired[Options]


class _Labels(TypedDict):
    name: str
    labels: list[str]


class _Cell(TypedDict):
    corpus: str
    labels: _Labels
    features: NotRequired[list[_Named]]
    model: _Named
    protocol: _Named
    fold: str
    seed: NotRequired[int]
    normalise: NotRequired[str]
    corpus_options: NotRequired[Options]
    excluded: NotRequired[list[str]]
    tuning: NotRequired[Options]
    augment: NotRequired[Options]
    members: NotRequired[list[Options]]
    permute_labels: NotRequired[bool]
    enrol: NotRequired[Options]


class _Record(TypedDict):
    cell: _Cell
    status: Literal["ok", "failed", "skipped"]
    reason: NotRequired[str]
    traceback: NotRequired[str]
    params: NotRequired[Options]
    seconds: NotRequired[dict[str, float]]
    sizes: NotRequired[dict[str, int]]
    audit: NotRequired[Options]
    environment: NotRequired[Options]
    corpus: NotRequired[Options]
    plugin_hash: NotRequired[str]
    validation: NotRequired[str]
    history: NotRequired[dict[str, list[Any]]]
    tuning: NotRequired[Options]
    degradations: NotRequired[list[str]]
    enrolment: NotRequired[Options]
    created: NotRequired[str]
    schema: NotRequired[int]


class _Planned(TypedDict):
    id: str
    cell: Options


class _Model(TypedDict):
    format: str
    cell: Options
    params: Options
    labels: list[str]
    seen: list[int]
    features: NotRequired[list[_Named]]
    feature_versions: NotRequired[dict[str, str]]
    hashes: NotRequired[dict[str, str]]
    enrolment: NotRequired[Options]


_SHAPES = {"cell": _Cell, "record": _Record, "plan": list[_Planned], "model": _Model}


def check_shape(kind: Literal["cell", "record", "plan", "model"], data: Any) -> None:
    """Refuse JSON data of another shape.

    Raises
    ------
    ValueError
        Naming the first key that is wrong.
    """
    _adapter(kind).validate_python(data)


@cache
def _adapter(kind: str) -> TypeAdapter:
    from pydantic import TypeAdapter  # Here, since a worker that only writes records starts without it.

    return TypeAdapter(_SHAPES[kind])

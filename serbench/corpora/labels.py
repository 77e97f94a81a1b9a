"""Label maps: from each corpus' own labels to those of a suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.errors import LabelError, UnknownName
from serbench.specs import CorpusSpec

NATIVE = "native"
ON_THE_CARDS = "on the cards"
_PACKAGE = Path(__file__).parents[1]
# In a wheel the maps lie inside the package; in a checkout beside it.
_FOLDERS = (Path("configs/labels"), _PACKAGE / "configs/labels", _PACKAGE.parent / "configs/labels")


def resolve_labels(
    map_name: str,
    specs: Sequence[CorpusSpec],
    *,
    drop: Sequence[str] = (),
    merge: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Spell out where every own label of some corpora goes.

    Parameters
    ----------
    map_name : str
        ``native`` (own labels), the name of a map in `configs/labels`, or the path of a YAML file.
    specs : sequence of CorpusSpec
        Cards with their labels (`open_corpus` fills them in where a card leaves them open).
    drop : sequence of str
        Target labels to leave out.
    merge : mapping of str to sequence of str, optional
        New label -> the target labels that it takes in; applied after `drop`.

    Returns
    -------
    dict
        ``{"name": str, "labels": [...], "map": {corpus: {own label: label or None}}}``; `labels` holds, in the
        map's order, those that at least one of the corpora can have.

    Raises
    ------
    LabelError
        For own labels without a place in the map (all are listed), `drop` or `merge` of what is not there,
        or fewer than two labels left.
    """
    order, table = _native(specs) if map_name == NATIVE else _from_file(map_name, specs)
    change = _changes(order, drop, merge or {}, map_name)
    order = list(dict.fromkeys(change[label] for label in order if change[label] is not None))
    table = {
        corpus: {own: None if target is None else change[target] for own, target in labels.items()}
        for corpus, labels in table.items()
    }
    reached = {target for labels in table.values() for target in labels.values()}
    labels = [label for label in order if label in reached]
    if len(labels) < 2:
        raise LabelError(
            f"label map '{map_name}' leaves {'only ' + labels[0] if labels else 'no label'}",
            where=", ".join(spec.name for spec in specs),
            hint="a classifier needs at least two classes",
        )
    return {"name": _display(map_name, drop, merge or {}), "labels": labels, "map": table}


def apply_labels(table: pd.DataFrame, resolved: Mapping[str, Any]) -> pd.DataFrame:
    """Relabel a task table; utterances whose label is dropped are removed.

    Raises
    ------
    LabelError
        For labels or corpora without a place in the map (all are listed), or if a single class is left.
    """
    pairs = list(zip(table["corpus"], table["label"], strict=True))
    maps = resolved["map"]
    if unmapped := sorted({(corpus, own) for corpus, own in pairs if own not in maps.get(corpus, {})}):
        raise _unmapped(resolved["name"], unmapped)
    targets = [maps[corpus][own] for corpus, own in pairs]
    kept = [target is not None for target in targets]
    if len(classes := sorted(set(targets) - {None})) < 2:
        raise LabelError(
            f"the utterances have {'the single class ' + classes[0] if classes else 'no class'}",
            where=", ".join(sorted(set(table["corpus"]))),
            hint=f"a classifier needs at least two classes (label map: {resolved['name']})",
        )
    return table[kept].assign(label=[target for target in targets if target is not None]).reset_index(drop=True)


def label_maps() -> list[str]:
    """Names of the label maps there are, `native` first."""
    return [NATIVE, *sorted({path.stem for folder in _FOLDERS for path in folder.glob("*.yaml")})]


def _native(specs: Sequence[CorpusSpec]) -> tuple[list[str], dict[str, dict[str, str | None]]]:
    order = list(dict.fromkeys(label for spec in specs for label in spec.labels))
    return order, {spec.name: {label: label for label in spec.labels} for spec in specs}


def _from_file(map_name: str, specs: Sequence[CorpusSpec]) -> tuple[list[str], dict[str, dict[str, str | None]]]:
    path = _find(map_name)
    order, maps = _read(path)
    table = {}
    unmapped = []
    for spec in specs:
        given = _from_card(spec, order) if maps == ON_THE_CARDS else maps.get(spec.name, _identity(order))
        unmapped += [(spec.name, label) for label in spec.labels if label not in given]
        table[spec.name] = {label: given[label] for label in spec.labels if label in given}
    if unmapped:
        raise _unmapped(map_name, unmapped, where=str(path))
    return order, table


def _from_card(spec: CorpusSpec, order: Sequence[str]) -> dict[str, str | None]:
    known = {own: emotion if emotion in order else None for own, emotion in spec.emotions.items()}
    return {**_identity(order), **known}


def _identity(order: Sequence[str]) -> dict[str, str | None]:
    # A corpus that a map does not know may still use the map's labels.
    return {label: label for label in order}


def _find(map_name: str) -> Path:
    if map_name.endswith((".yaml", ".yml")):
        path = Path(map_name)
        if not path.is_file():
            raise LabelError("no such label map", where=map_name, hint=f"known: {', '.join(label_maps())}")
        return path
    for folder in _FOLDERS:
        if (path := folder / f"{map_name}.yaml").is_file():
            return path
    raise UnknownName.among("label map", map_name, label_maps())


def _read(path: Path) -> tuple[list[str], dict[str, dict[str, str | None]] | str]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LabelError(f"cannot be read: {error}", where=str(path), hint="mend the YAML") from error
    if not isinstance(content, dict) or not set(content) <= {"description", "labels", "map"}:
        raise LabelError("a label map holds labels and map", where=str(path), hint="allowed: description, labels, map")
    order, maps = content.get("labels"), content.get("map", {})
    if not isinstance(order, list) or not all(isinstance(label, str) for label in order):
        raise LabelError(f"labels is {order!r}", where=str(path), hint="give a list of names")
    if maps == ON_THE_CARDS:
        return order, maps
    if not isinstance(maps, dict) or not all(isinstance(labels, dict) for labels in maps.values()):
        advice = f"write map: {{corpus: {{own label: label or null}}}}, or map: {ON_THE_CARDS} (those of the corpora)"
        raise LabelError("map is no mapping", where=str(path), hint=advice)
    for corpus, labels in maps.items():
        if strange := sorted({str(target) for target in labels.values() if target is not None} - set(order)):
            raise LabelError(
                f"map.{corpus} leads to {', '.join(strange)}", where=str(path), hint=f"labels are {', '.join(order)}"
            )
    return order, maps


def _changes(
    order: Sequence[str], drop: Sequence[str], merge: Mapping[str, Sequence[str]], map_name: str
) -> dict[str, str | None]:
    change: dict[str, str | None] = {label: label for label in order}
    named = [*drop, *(label for group in merge.values() for label in group)]
    if unknown := sorted(set(named) - set(order)):
        raise LabelError(
            f"drop or merge name what label map '{map_name}' lacks: {', '.join(unknown)}",
            hint=f"its labels: {', '.join(order)}",
        )
    if twice := sorted({label for label in named if named.count(label) > 1}):
        raise LabelError(f"dropped or merged twice: {', '.join(twice)}", where=f"label map '{map_name}'")
    change.update(dict.fromkeys(drop))
    for target, group in merge.items():
        if target in change and target not in group:
            raise LabelError(
                f"merge would put {', '.join(group)} into the existing '{target}'",
                where=f"label map '{map_name}'",
                hint=f"list '{target}' in its group too",
            )
        change.update(dict.fromkeys(group, target))
    return change


def _display(map_name: str, drop: Sequence[str], merge: Mapping[str, Sequence[str]]) -> str:
    name = Path(map_name).stem if map_name.endswith((".yaml", ".yml")) else map_name
    changes = [f"without {label}" for label in sorted(drop)]
    changes += [f"{target} = {' + '.join(sorted(group))}" for target, group in sorted(merge.items())]
    return f"{name} ({', '.join(changes)})" if changes else name


def _unmapped(map_name: str, pairs: Sequence[tuple[str, str]], where: str | None = None) -> LabelError:
    listed = ", ".join(f"{corpus}: {own}" for corpus, own in pairs)
    return LabelError(
        f"labels without a place in label map '{map_name}': {listed}",
        where=where,
        hint="map each to a label, or to null to leave it out",
    )

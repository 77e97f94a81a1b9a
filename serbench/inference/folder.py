"""A model folder: what is in it, the hash of every file, and the error sheet, in one `serbench.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import serbench
from serbench.errors import ModelError
from serbench.inference.sheet import ErrorSheet
from serbench.records import atomic_path

MANIFEST = "serbench.json"
SCHEMA = 2


class MemberEntry(BaseModel):
    """Where a member lies, and its share in the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    folder: Annotated[str, Field(pattern=r"^member-\d+$")]
    weight: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Manifest(BaseModel):
    """Content of `serbench.json`.

    Attributes
    ----------
    files : mapping
        SHA-256 of every other file of the folder, by its path in it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["serbench model"] = "serbench model"
    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    serbench: str
    labels: Annotated[list[str], Field(min_length=2)]
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    members: Annotated[list[MemberEntry], Field(min_length=1)]
    files: dict[str, str]
    sheet: ErrorSheet


def write_manifest(
    folder: Path, members: Sequence[MemberEntry], labels: Sequence[str], temperature: float, sheet: ErrorSheet
) -> Path:
    """Hash the files of a folder and write its manifest, which makes it a model."""
    manifest = Manifest(
        schema=SCHEMA,
        serbench=serbench.__version__,
        labels=list(labels),
        temperature=temperature,
        members=list(members),
        files={path: _sha256(folder / path) for path in _files(folder)},
        sheet=sheet,
    )
    with atomic_path(folder / MANIFEST) as temporary:
        temporary.write_text(manifest.model_dump_json(indent=1, by_alias=True), encoding="utf-8")
    return folder / MANIFEST


def read_manifest(folder: Path) -> Manifest:
    """Read a manifest and compare every file with its hash.

    Raises
    ------
    ModelError
        If it is none, of a newer serbench, or a file is missing, changed or added.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_model(path) from error
    if not isinstance(data, dict) or data.get("kind") != "serbench model":
        raise _no_model(path)
    if data.get("schema") != SCHEMA:
        raise ModelError(
            f"a model folder of schema {data.get('schema')}, made by serbench {data.get('serbench')}; "
            f"this serbench ({serbench.__version__}) reads {SCHEMA}",
            where=str(path), hint="load it with the serbench that trained it, or train its row again",
        )  # fmt: skip
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"the model's description is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=str(path), hint="train the row again",
        ) from error  # fmt: skip
    _refuse_changed(folder, manifest)
    return manifest


def _no_model(path: Path) -> ModelError:
    return ModelError("not a model of serbench", where=str(path), hint="`serbench train` makes one")


def _refuse_changed(folder: Path, manifest: Manifest) -> None:
    found = set(_files(folder))
    wrong = [f"{name} is missing" for name in sorted(set(manifest.files) - found)]
    wrong += [f"{name} does not belong to it" for name in sorted(found - set(manifest.files))]
    wrong += [
        f"{name} has changed"
        for name in sorted(found & set(manifest.files))
        if _sha256(folder / name) != manifest.files[name]
    ]
    if wrong:
        raise ModelError(
            f"the model folder is not as it was trained: {'; '.join(wrong[:5])}", where=str(folder),
            hint="take a fresh copy of it, or train the row again",
        )  # fmt: skip


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if (path.is_file() or path.is_symlink()) and path.name != MANIFEST
        and not path.name.startswith(f".{MANIFEST}")
    )  # fmt: skip


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error

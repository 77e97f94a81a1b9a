"""Features in one file: from the store of the machine that computed them into that of another."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from serbench.errors import FeatureError
from serbench.features.encoders.place import NOTES, EncoderNote
from serbench.features.shards import SUFFIX, open_shard
from serbench.records import atomic_path

SHARD = re.compile(rf"[^/\\.][^/\\]{{0,200}}/[0-9a-f]{{16}}{re.escape(SUFFIX)}")
NOTE = re.compile(rf"{NOTES}/[0-9a-f]{{16}}\.json")


def pack(store: Path, folders: Iterable[Path], target: Path) -> tuple[int, int]:
    """Write folders of a store, and its notes of encoders, into a tar file.

    Parameters
    ----------
    store : Path
        Folder of the feature store.
    folders : iterable of Path
        Of the sets; one that is not there is passed over.

    Returns
    -------
    tuple of int
        Files and bytes.

    Raises
    ------
    FeatureError
        If there is nothing to pack.
    """
    shards = sorted(path for folder in set(folders) for path in folder.glob(f"*{SUFFIX}"))
    if not shards:
        raise FeatureError(
            "no features to export", where=str(store), hint="extract them first: `serbench features SUITE`"
        )
    files = [*shards, *sorted((store / NOTES).glob("*.json"))]
    with atomic_path(target) as temporary, tarfile.open(temporary, "w") as archive:
        for file in files:
            # Names alone: neither users nor times travel.
            member = tarfile.TarInfo(file.relative_to(store).as_posix())
            member.size = file.stat().st_size
            with file.open("rb") as stream:
                archive.addfile(member, stream)
    return len(files), sum(file.stat().st_size for file in files)


def unpack(source: Path, store: Path) -> tuple[int, int]:
    """Add what `pack` wrote to a store; what is there already stays.

    Returns
    -------
    tuple of int
        Files added, and files of the archive.

    Raises
    ------
    FeatureError
        For a file that is no such archive, is cut short, or holds anything else; what was whole before that is kept.
    """
    added = total = 0
    try:
        with tarfile.open(source, "r:") as archive:
            for member in archive:
                if not member.isreg() or not (SHARD.fullmatch(member.name) or NOTE.fullmatch(member.name)):
                    raise FeatureError(f"holds '{member.name}', which is no features", where=str(source))
                total += 1
                added += _place(archive, member, store / member.name, source)
    except FileNotFoundError as error:
        raise FeatureError("no such file", where=str(source), hint="`serbench features export` writes one") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise FeatureError(f"no archive of features: {error}", where=str(source), hint="copy it again") from error
    if not total:
        raise FeatureError("the archive is empty", where=str(source), hint="copy it again")
    return added, total


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path, source: Path) -> bool:
    if place.exists():
        return False
    with atomic_path(place) as temporary:
        with temporary.open("wb") as stream:
            shutil.copyfileobj(archive.extractfile(member), stream)
        if temporary.stat().st_size != member.size or not _whole(temporary, note=bool(NOTE.fullmatch(member.name))):
            raise FeatureError(f"'{member.name}' is damaged or cut short", where=str(source), hint="copy it again")
    return True


def _whole(file: Path, *, note: bool) -> bool:
    if not note:
        return open_shard(file) is not None
    try:
        EncoderNote(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return False
    return True

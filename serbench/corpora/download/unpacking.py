"""Unpacking archives: audio and what a card names besides, and nothing that could land outside the folder."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from typing import IO

from serbench.corpora.audio import SUFFIXES
from serbench.corpora.download.space import require_space
from serbench.corpora.download.transfer import disk_error
from serbench.errors import ArchiveError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
DEPTH = 2  # an archive within the archive is opened too, no deeper
CHUNK = 1 << 20
# BadGzipFile is an OSError, which elsewhere is one of the disk.
DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, BadGzipFile, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, RuntimeError),
)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    handle: zipfile.ZipInfo | tarfile.TarInfo


def unpack(archive: Path, target: Path, *, folder: str = "", keep: Sequence[str] = ()) -> list[Path]:
    """Unpack the audio of an archive.

    Links are passed over; so is everything that is neither audio nor matches `keep`.

    Parameters
    ----------
    archive : Path
        ZIP or TAR, compressed or not; archives within it are opened too.
    target : Path
        Folder, made if needed; folders of the archive are kept below it.
    folder : str
        Only what lies in a folder of this name.
    keep : sequence of str
        Patterns of further paths.

    Returns
    -------
    list of Path
        The files written, audio and others.

    Raises
    ------
    ArchiveError
        For a file that is no archive or damaged, a name that leads out of the folder, or no audio in it.
    DownloadError
        For a full disk.
    """
    written, seen = _unpack(archive, target, folder, tuple(keep), DEPTH)
    if not any(path.suffix.lower() in SUFFIXES for path in written):
        examples = f": it has {', '.join(seen[:3])}" if seen else ": it is empty"
        place = f" in its folder '{folder}'" if folder else ""
        raise ArchiveError(
            f"the archive holds no audio{place}{examples}", where=str(archive), hint="give the archive with the audio"
        )
    return written


def is_archive(path: Path) -> bool:
    """Whether a file can be unpacked."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def _unpack(
    archive: Path, target: Path, folder: str, keep: tuple[str, ...], depth: int
) -> tuple[list[Path], list[str]]:
    written: list[Path] = []
    try:
        with _opened(archive) as (members, read):
            for member in members:
                _refuse_escape(member.name, archive)
            kept = [member for member in members if _is_kept(member.name, folder, keep)]
            nested = [member for member in members if depth and member.name.lower().endswith(ARCHIVES)]
            require_space(sum(member.size for member in (*kept, *nested)), target)
            for member in kept:
                path = target / PurePosixPath(member.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with read(member) as source, path.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                written.append(path)
            for member in nested:
                with tempfile.TemporaryDirectory(dir=target.parent) as aside:
                    inner = Path(aside, PurePosixPath(member.name).name)
                    with read(member) as source, inner.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
                    place = target / PurePosixPath(member.name).with_suffix("")
                    written += _unpack(inner, place, folder, keep, depth - 1)[0]
            return written, [member.name for member in members]
    except DAMAGED as error:
        raise ArchiveError(
            f"the archive is damaged or protected: {error}", where=str(archive), hint="fetch it again"
        ) from error
    except OSError as error:
        raise disk_error(error, target) from error


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[list[_Member], object]]:
    # Files alone: a link is no member at all.
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            files = [
                _Member(item.filename.replace("\\", "/"), item.file_size, item)
                for item in pack.infolist()
                if not item.is_dir() and (item.external_attr >> 16) & 0o170000 != 0o120000
            ]
            yield files, lambda member: pack.open(member.handle)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as pack:

            def read(member: _Member) -> IO[bytes]:
                return pack.extractfile(member.handle)

            members = [_Member(item.name, item.size, item) for item in pack.getmembers() if item.isfile()]
            _refuse_rest(pack)
            yield members, read
    else:
        raise ArchiveError(
            "no archive that can be unpacked",
            where=str(archive),
            hint=f"known are {', '.join(ARCHIVES)}; unpack others",
        )


def _refuse_rest(pack: tarfile.TarFile) -> None:
    """Read on to the end: `tarfile` takes a broken head for the last, and leaves gzip's checksum unread."""
    while rest := pack.fileobj.read(CHUNK):
        if rest.strip(b"\0"):
            raise tarfile.ReadError("something follows its last member")


def _refuse_escape(name: str, archive: Path) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise ArchiveError(
            f"the archive would write outside its folder: {name}",
            where=str(archive),
            hint="nothing was unpacked; do not trust this archive",
        )


def _is_kept(name: str, folder: str, keep: tuple[str, ...]) -> bool:
    path = PurePosixPath(name)
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return False
    if any(fnmatch(f"/{name}", pattern) for pattern in keep):
        return True
    return path.suffix.lower() in SUFFIXES and (not folder or folder in path.parts[:-1])

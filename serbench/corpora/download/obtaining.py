"""Getting a corpus: what would be downloaded, and doing it so that its folder is whole or not there at all."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from serbench.corpora.audio import has_content
from serbench.corpora.download.listings import dataverse_files, fetch_all, lfs_files
from serbench.corpora.download.record import PUBLISHED, is_whole, write_record
from serbench.corpora.download.space import require_space
from serbench.corpora.download.status import work_folder
from serbench.corpora.download.transfer import Progress, Remote, checksum, disk_error, fetch
from serbench.corpora.download.unpacking import is_archive, unpack
from serbench.corpora.identification import identify_corpus
from serbench.errors import ArchiveError, DownloadError, SerbenchError
from serbench.specs import CorpusSpec, Source

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What getting a corpus means.

    Attributes
    ----------
    target : Path
        Folder of the corpus.
    sources : tuple of Source
    given : str
        The user's own copy (file or address) instead of them.
    size : int or None
        Bytes to download; None where that is not published.
    files : mapping of str to tuple of Remote
        By the address of a source that is a list: its files.
    """

    spec: CorpusSpec
    target: Path
    sources: tuple[Source, ...] = ()
    given: str = ""
    size: int | None = None
    files: dict[str, tuple[Remote, ...]] = field(default_factory=dict)


def make_plan(spec: CorpusSpec, target: Path, given: str = "") -> Plan:
    """Find out what is to be downloaded; a published list of files is asked for.

    Raises
    ------
    DownloadError
        If the user's own file is not there or no archive, a list cannot be had, or the disk is too small.
    """
    target = target.expanduser().absolute()
    if given:
        return Plan(spec, target, given=given, size=None if _is_url(given) else _own_size(given))
    files = {source.url: tuple(dataverse_files(source.url)) for source in spec.sources if source.kind == "dataverse"}
    sizes = [source.size for source in spec.sources if source.kind == "archive" and not source.lfs]
    sizes += [remote.size for remotes in files.values() for remote in remotes]
    known = sizes and all(sizes) and not any(source.lfs for source in spec.sources)
    size = sum(sizes) if known else None
    if size:
        # Archives and what comes out of them are on the disk together for a while.
        require_space(size * (1 if files else 2), target)
    return Plan(spec, target, spec.sources, size=size, files=files)


def obtain(plan: Plan, progress: Progress = lambda done, total: None, say: Say = lambda text: None) -> None:
    """Download, check, unpack and move in.

    Parameters
    ----------
    progress : callable
        ``progress(bytes so far, bytes in all or None)`` of what is being downloaded.
    say : callable
        Told what is being done and which checksums were seen.

    Raises
    ------
    DownloadError
        As `fetch` and `unpack`; if another corpus was given. What was downloaded is kept for the next try.
    """
    work = work_folder(plan.target)
    try:
        with _alone(work, plan.spec.name, say):
            if is_whole(plan.spec, plan.target, plan.given):
                say("got by another process meanwhile")
                return
            work.mkdir(parents=True, exist_ok=True)
            if plan.given:
                origin, unpacked, seen = _own_copy(plan, work, progress, say)
            else:
                origin, unpacked, seen = PUBLISHED, _place(work, PUBLISHED), []
                for source in plan.sources:
                    seen += _published(plan, source, work, unpacked, progress, say)
            _refuse_other_corpus(plan.spec, unpacked, work)
            _move_in(unpacked, plan.target)
            write_record(plan.spec, plan.target, origin, seen)
            shutil.rmtree(work)
    except OSError as error:
        raise disk_error(error, plan.target) from error


def _place(work: Path, origin: str) -> Path:
    # Of each origin its own: what one that failed left behind would hide what another brings.
    unpacked = work / origin.rpartition(":")[2][:16] / "unpacked"
    unpacked.mkdir(parents=True, exist_ok=True)
    return unpacked


def _published(plan: Plan, source: Source, work: Path, unpacked: Path, progress: Progress, say: Say) -> list[dict]:
    if source.kind == "dataverse":
        remotes = plan.files[source.url]
        say(f"{len(remotes)} files, each with its own checksum")
        fetch_all(remotes, unpacked, progress)
        return [{"url": remote.url, "checksum": remote.checksum} for remote in remotes]
    remote = Remote(source.url, _file_name(source.url), source.size, source.checksum)
    archive = fetch(remote, work, progress)
    digits = checksum(archive, source.checksum)
    say(f"{archive.name}: {digits} ({'as published' if source.checksum else 'no published checksum; recorded'})")
    seen = [{"url": source.url, "checksum": digits, "published": bool(source.checksum)}]
    _unpack_once(archive, unpacked, source.folder, plan.spec.keep, vouched=bool(source.checksum))
    return seen + _pointers(unpacked, source.lfs, progress, say)


def _own_copy(plan: Plan, work: Path, progress: Progress, say: Say) -> tuple[str, Path, list[dict]]:
    if _is_url(plan.given):
        archive = fetch(Remote(plan.given, _file_name(plan.given)), work, progress)
    else:
        archive = Path(plan.given).expanduser()
    published = [source.checksum for source in plan.spec.sources if source.checksum]
    digits = checksum(archive, published[0] if published else "")
    same = "as published" if digits in published else "not the published file" if published else "no published checksum"
    say(f"{archive.name}: {digits} ({same})")
    unpacked = _place(work, digits)
    # The user vouches for an own copy; its folders may be others than those of the published archive.
    _unpack_once(archive, unpacked, "", plan.spec.keep, vouched=not _is_url(plan.given))
    address = next((source.lfs for source in plan.spec.sources if source.lfs), "")
    return digits, unpacked, [{"url": plan.given, "checksum": digits}, *_pointers(unpacked, address, progress, say)]


def _unpack_once(archive: Path, unpacked: Path, folder: str, keep: tuple[str, ...], *, vouched: bool) -> None:
    done = unpacked.parent / f"{archive.name}.unpacked"
    if done.exists():
        return
    with tempfile.TemporaryDirectory(dir=unpacked.parent) as aside:
        try:
            unpack(archive, Path(aside), folder=folder, keep=keep)
        except ArchiveError:
            if not vouched:
                archive.unlink()  # no checksum tells that it is what it should be: the next try fetches it again
            raise
        _move_in(Path(aside), unpacked)
    done.touch()


def _pointers(unpacked: Path, address: str, progress: Progress, say: Say) -> list[dict]:
    remotes = lfs_files(unpacked, address) if address else []
    if remotes:
        size = sum(remote.size for remote in remotes)
        require_space(size, unpacked)
        say(f"{len(remotes)} Git LFS objects, each with its own checksum")
        fetch_all(remotes, unpacked, progress)
    return [{"url": remote.url, "checksum": remote.checksum} for remote in remotes]


def _refuse_other_corpus(spec: CorpusSpec, unpacked: Path, work: Path) -> None:
    problem = None
    try:
        if len(spec.load(unpacked, **spec.options)):
            return
    except SerbenchError as error:
        problem = error
    other = identify_corpus(unpacked, spec.name)
    shutil.rmtree(work)
    if problem and not other:
        raise problem
    raise DownloadError(
        f"holds no file of corpus '{spec.name}'" + (f"; it looks like {other}" if other else ""),
        where=spec.name,
        hint=f"serbench corpora get {other} --from FILE" if other else "give the corpus' own archive",
    )


def _move_in(unpacked: Path, target: Path) -> None:
    if not target.exists():
        unpacked.replace(target)
        return
    # A folder that has a part already: what is there stays, unless it is empty or a pointer.
    for path in sorted(path for path in unpacked.rglob("*") if path.is_file()):
        place = target / path.relative_to(unpacked)
        if not (place.exists() and has_content(place)):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place)


@contextmanager
def _alone(work: Path, name: str, say: Say) -> Iterator[None]:
    work.parent.mkdir(parents=True, exist_ok=True)
    with work.with_name(f"{work.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is getting {name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _own_size(given: str) -> int:
    path = Path(given).expanduser()
    if path.is_dir():
        raise DownloadError(
            "a folder, not an archive", where=given, hint=f"a folder is used where it is: --corpus-path NAME={given}"
        )
    if not path.is_file():
        raise DownloadError("no such file", where=given, hint="give an archive (--from FILE) or an address")
    if not is_archive(path):
        raise DownloadError("no archive that can be unpacked", where=given, hint="give a ZIP or TAR archive")
    return path.stat().st_size


def _is_url(given: str) -> bool:
    return given.startswith(("http://", "https://"))


def _file_name(url: str) -> str:
    return Path(unquote(urlsplit(url).path)).name or "archive"

"""Corpora that are published file by file: which files, and the checksum of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import requests

from serbench.corpora.audio import SUFFIXES
from serbench.corpora.download.transfer import TIMEOUT, Remote, fetch, plain_reason, refuse
from serbench.errors import DownloadError

AT_ONCE = 4
_POINTER = re.compile(rb"version https://git-lfs\S*\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_LONGEST_POINTER = 1024


def dataverse_files(url: str) -> list[Remote]:
    """Audio files of a Dataverse data set, from its description in the native API.

    Raises
    ------
    DownloadError
        If the server does not answer with such a description, or it has no audio.
    """
    try:
        answer = requests.get(url, timeout=TIMEOUT)
        refuse(answer)
        files = answer.json()["data"]["latestVersion"]["files"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        broke = isinstance(error, (requests.ConnectionError, requests.Timeout))
        reason = plain_reason(error) if broke else "the answer describes no data set"
        hint = "try again later, or get the corpus by hand, then use --from FILE"
        raise DownloadError(f"the list of files cannot be had: {reason}", where=url, hint=hint) from error
    base = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    found = [_dataverse_file(item, base) for item in files]
    audio = [remote for remote in found if PurePosixPath(remote.name).suffix.lower() in SUFFIXES]
    if not audio:
        raise DownloadError(f"none of its {len(files)} files is audio", where=url, hint="get the corpus by hand")
    return audio


def lfs_files(root: Path, address: str) -> list[Remote]:
    """What the Git LFS pointers below a folder stand for; an archive of a repository has one folder at its top."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        if path.stat().st_size > _LONGEST_POINTER or not (match := _POINTER.match(path.read_bytes())):
            continue
        name = path.relative_to(root)
        inside = PurePosixPath(*name.parts[1:]) if len(name.parts) > 1 else PurePosixPath(name)
        url = address + quote(inside.as_posix())
        found.append(Remote(url, name.as_posix(), int(match[2]), f"sha256:{match[1].decode()}"))
    return found


def fetch_all(remotes: Sequence[Remote], folder: Path, progress: Callable[[int, int | None], None]) -> None:
    """Fetch many small files, some at once; those that are whole already are passed over.

    Raises
    ------
    DownloadError
        The first failure; files that are whole stay.
    """
    total = sum(remote.size or 0 for remote in remotes) or None
    done = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(fetch, remote, folder) for remote in remotes]
        try:
            for remote, result in zip(remotes, waiting, strict=True):
                path = result.result()
                done += remote.size or path.stat().st_size
                progress(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _dataverse_file(item: dict, base: str) -> Remote:
    try:
        file = item["dataFile"]
        name = PurePosixPath(item.get("directoryLabel", "")) / PurePosixPath(file["filename"]).name
        checksum = f"md5:{file['md5']}" if "md5" in file else ""
        url = f"{base}/api/access/datafile/{int(file['id'])}"
    except (KeyError, TypeError, ValueError) as error:
        raise DownloadError(
            f"the list of files has an entry without {error}: {json.dumps(item)[:80]}", where=base
        ) from error
    if name.is_absolute() or ".." in name.parts:
        raise DownloadError(f"the list of files would write outside its folder: {name}", where=base)
    return Remote(url, name.as_posix(), file.get("filesize"), checksum)

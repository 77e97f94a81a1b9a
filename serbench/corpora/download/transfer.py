"""One file over HTTP: resumed where it broke off, and held to its checksum before anything else touches it."""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from urllib3.exceptions import MaxRetryError

from serbench.corpora.download.space import require_space
from serbench.errors import DownloadError

TIMEOUT = 30.0  # seconds without a byte
TRIES = 5  # in a row without a byte gained
PAUSE = 1.0  # seconds before the second try; doubled with every further one
BLOCK = 2**16
ALGORITHM = "sha256"  # recorded where no checksum is published

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Remote:
    """A file to fetch.

    Attributes
    ----------
    url : str
    name : str
        Relative path that it gets.
    size : int or None
        Bytes, where they are published.
    checksum : str
        ``md5:...`` or ``sha256:...``; empty: none is published.
    """

    url: str
    name: str
    size: int | None = None
    checksum: str = ""


def fetch(remote: Remote, folder: Path, progress: Progress = lambda done, total: None) -> Path:
    """Bring a file into a folder.

    What is there already and has the right checksum is not fetched again; what broke off goes on where it stopped.

    Returns
    -------
    Path
        The file; its checksum is the published one, where one is published.

    Raises
    ------
    DownloadError
        If the server refuses or breaks off for good, the disk is full, or the checksum is wrong (the file is removed).
    """
    target = folder / remote.name
    pooch.get_logger().setLevel("WARNING")  # it would tell every file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve(
            remote.url,
            known_hash=remote.checksum or None,
            fname=target.name,
            path=target.parent,
            downloader=_Resuming(target.with_name(f"{target.name}.part"), remote.size, progress),
        )
    except ValueError as error:
        # Pooch removes what does not have the checksum; nothing of it was used.
        raise DownloadError(
            f"the checksum of {target.name} is not the published one ({remote.checksum})",
            where=remote.url,
            hint="nothing was unpacked; try again; if it stays so, get the file by hand and use --from FILE",
        ) from error
    except OSError as error:
        raise disk_error(error, target) from error
    return target


def checksum(path: Path, like: str = "") -> str:
    """Checksum of a file as ``algorithm:digits``, by the algorithm of `like`."""
    algorithm = like.partition(":")[0] or ALGORITHM
    return f"{algorithm}:{pooch.file_hash(path, alg=algorithm)}"


def disk_error(error: OSError, path: Path) -> DownloadError:
    """Say what the file system refused."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "free space or choose another folder (--data), then run the same command: it goes on where it stopped"
    return DownloadError("the disk is full" if full else f"cannot be written: {error}", where=str(path), hint=hint)


class _Resuming:
    """A downloader for pooch: ``downloader(url, output_file, pooch)``."""

    def __init__(self, part: Path, size: int | None, progress: Progress):
        self.part, self.size, self.progress = part, size, progress
        self.state = part.with_name(f"{part.name}.json")  # what the server said about the file that was begun

    def __call__(self, url: str, output_file: str, pooch_object: object) -> None:
        idle = 0
        while True:
            before = self._done()
            try:
                if self._pull(url):
                    break
                reason = "the server closed the connection"
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                reason = plain_reason(error)
            except requests.RequestException as error:
                raise DownloadError(f"cannot be asked for: {error}", where=url, hint="check the address") from error
            idle = 0 if self._done() > before else idle + 1
            if idle >= TRIES:
                raise DownloadError(
                    f"broke off after {self._done()} bytes: {reason}",
                    where=url,
                    hint="run the same command again: it goes on where it stopped",
                )
            time.sleep(PAUSE * 2 ** max(0, idle - 1))
        self.part.replace(output_file)
        self.state.unlink(missing_ok=True)

    def _pull(self, url: str) -> bool:
        # Whether the file is whole afterwards.
        done, begun = self._done(), self._begun()
        headers = {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
            if begun.get("tag"):
                headers["If-Range"] = begun["tag"]  # a file that changed meanwhile comes whole
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == 416:
                if done == begun.get("total"):
                    return True
                self.part.unlink()
                return False
            refuse(answer)
            resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
            total = _total(answer, done if resumed else 0) or self.size
            self.state.write_text(json.dumps({"tag": _tag(answer), "total": total}))
            done = done if resumed else 0
            require_space((total or 0) - done, self.part.parent)
            with self.part.open("ab" if resumed else "wb") as stream:
                for block in answer.iter_content(BLOCK):
                    stream.write(block)
                    done += len(block)
                    self.progress(done, total)
        return total is None or done >= total

    def _done(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _begun(self) -> dict:
        try:
            return json.loads(self.state.read_text())
        except (OSError, ValueError):
            return {}


def refuse(answer: requests.Response) -> None:
    """Raise what a status of 400 and above means for the user; a busy server raises what is tried again."""
    status = answer.status_code
    if status < 400:
        return
    if status in (429, 500, 502, 503, 504):
        raise requests.ConnectionError(f"the server is busy ({status})")
    what = {
        401: "the server wants a password (401)",
        403: "the server refuses (403)",
        404: "there is no such file (404)",
        410: "the file was withdrawn (410)",
    }.get(status, f"the server answers {status}")
    raise DownloadError(
        what,
        where=answer.url,
        hint="get it from the corpus' home page by hand, then: serbench corpora get NAME --from FILE",
    )


def _total(answer: requests.Response, start: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _tag(answer: requests.Response) -> str:
    tag = answer.headers.get("ETag", "")
    return "" if tag.startswith("W/") else tag or answer.headers.get("Last-Modified", "")


def plain_reason(error: Exception) -> str:
    """Why a connection broke, or never was, in words for a user."""
    if isinstance(error, requests.Timeout):
        return f"no byte for {TIMEOUT:g} s"
    if error.args and isinstance(error.args[0], MaxRetryError):
        return "no connection to the server"
    return str(error) if str(error).startswith("the server is busy") else "the connection broke"

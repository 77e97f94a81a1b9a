"""A real HTTP server on loopback that can be as unreliable as those outside."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from serbench.corpora.download.obtaining import make_plan, obtain
from serbench.corpora.emodb import EMODB
from serbench.specs import Source

STEMS = ("03a01Fa", "03a01Wa", "08a01Na")


@dataclass
class Resource:
    """What a path answers.

    `cut`: bytes after which the connection is closed, one entry an answer; `stall`: seconds of silence after half of
    it, the first time; `status` other than 200; `location` of a redirect; `ranges`: whether Range is understood;
    `tag`: its ETag.
    """

    content: bytes = b""
    cut: list[int] = field(default_factory=list)
    stall: float = 0.0
    status: int = 200
    location: str = ""
    ranges: bool = True
    tag: str = '"1"'

    @property
    def md5(self) -> str:
        return f"md5:{hashlib.md5(self.content).hexdigest()}"


class Site(dict):
    """Resources by path; `asked` lists (path, Range header)."""

    address: str = ""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str | None]] = []


@contextmanager
def serve():
    """A site, while it is served."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.asked.append((path, self.headers.get("Range")))
            _answer(self, site.get(path, Resource(status=404)))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, resource: Resource) -> None:
    start = 0
    asked = handler.headers.get("Range")
    if resource.ranges and asked and handler.headers.get("If-Range", resource.tag) == resource.tag:
        start = int(asked.removeprefix("bytes=").rstrip("-"))
    body = resource.content[start:]
    handler.send_response(206 if start and resource.status == 200 else resource.status)
    if resource.location:
        handler.send_header("Location", resource.location)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(resource.content) - 1}/{len(resource.content)}")
    handler.send_header("ETag", resource.tag)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if resource.stall:
        seconds, resource.stall = resource.stall, 0.0
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        time.sleep(seconds)
        body = body[len(body) // 2 :]
    if resource.cut:
        body = body[: resource.cut.pop(0)]
    handler.wfile.write(body)
    handler.close_connection = True


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return buffer.getvalue()


def emodb(site, path="/emodb.zip", **source):
    source = {"checksum": site[path].md5 if path in site else "", "stated": "the test", **source}
    return dataclasses.replace(EMODB, utterances=3, sources=(Source(url=site.address + path, **source),))


def get(spec, circumstances, given="", say=lambda text: None):
    obtain(make_plan(spec, circumstances.corpus_root(spec.name), given), say=say)

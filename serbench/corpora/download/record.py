"""What is written beside a corpus that was got, and whether it is whole."""

from __future__ import annotations

import json
from pathlib import Path

from serbench.corpora.audio import has_content
from serbench.corpora.download.transfer import checksum
from serbench.errors import SerbenchError
from serbench.specs import CorpusSpec

PUBLISHED = "published"
RECORD = ".serbench-get.json"


def is_whole(spec: CorpusSpec, target: Path, given: str = "") -> bool:
    """Whether getting a corpus would bring nothing new.

    It has all utterances of its design, or all that came from the same place before: what its owners publish, or the
    own copy `given` (file or address). Files that are empty or Git LFS pointers do not count.
    """
    there = _count(spec, target)
    if spec.utterances is not None and there >= spec.utterances:
        return True
    try:
        record = json.loads((target / RECORD).read_text())
    except (OSError, ValueError):
        return False
    if not there or there < record.get("utterances", 0):
        return False
    path = Path(given).expanduser()
    origin = record.get("origin", "")
    if given and path.is_file():
        return checksum(path, origin) == origin
    return given in [file["url"] for file in record["files"]] if given else origin == PUBLISHED


def write_record(spec: CorpusSpec, target: Path, origin: str, files: list[dict]) -> None:
    """Write down what was got: `origin` is `PUBLISHED`, or the checksum of an own copy."""
    record = {"corpus": spec.name, "origin": origin, "utterances": _count(spec, target), "files": files}
    (target / RECORD).write_text(json.dumps(record, indent=2))


def _count(spec: CorpusSpec, target: Path) -> int:
    try:
        return sum(has_content(Path(path)) for path in spec.load(target, **spec.options)["path"])
    except SerbenchError:
        return 0

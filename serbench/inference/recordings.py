"""The recordings that a user names: files, folders of them, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from serbench.corpora.audio import SUFFIXES
from serbench.corpora.files import find_audio
from serbench.errors import AudioError, SerbenchError
from serbench.inference.answers import LONGEST
from serbench.inference.clips import Clip, read_clip

STANDARD_INPUT = "-"
MOST_BYTES = 1 << 30


def find_recordings(named: Sequence[str]) -> list[str]:
    """Files as they are named, the audio files below folders, and `-`.

    Raises
    ------
    AudioError
        For what is not there, and a folder without audio.
    """
    found: list[str] = []
    for name in named:
        path = Path(name)
        if name == STANDARD_INPUT or path.is_file():
            found.append(name)
        elif path.is_dir():
            inside = find_audio(path)
            if not inside:
                kinds = ", ".join(sorted(SUFFIXES))
                raise AudioError(
                    "no audio in this folder", where=name, hint=f"files that end in {kinds} are looked for"
                )
            found += map(str, inside)
        else:
            raise AudioError("there is no such file or folder", where=name, hint="give audio files, folders, or -")
    return found


def read_source(name: str) -> str | bytes:
    """A path as it is; of `-`, all of standard input.

    Raises
    ------
    AudioError
        If standard input holds more than a gibibyte.
    """
    if name != STANDARD_INPUT:
        return name
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise AudioError("more than 1 GiB", where="standard input", hint="write it to a file")
    return content


def read_clips(names: Sequence[str]) -> Iterator[Clip | SerbenchError]:
    """Decode recordings of up to two minutes one after another; one that cannot be read is an error in its place."""
    for name in names:
        try:
            shown = "standard input" if name == STANDARD_INPUT else name
            yield read_clip(read_source(name), shown, longest=LONGEST)
        except SerbenchError as error:
            yield error

"""The recordings that a user names: files, folders of them, or standard input."""

from __future__ import annotations

import os
import sys
from collections import Counter
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


def output_names(names: Sequence[str]) -> dict[str, str]:
    """What the files made of each recording are called: as its file, where that tells all of them apart.

    Else as its path below the folder that all share, and as a last resort with its suffix.

    Examples
    --------
    >>> output_names(["a/01.wav", "-"])
    {'a/01.wav': '01', '-': 'standard-input'}
    >>> output_names(["in/ann/01.wav", "in/ben/01.wav"])
    {'in/ann/01.wav': 'ann/01', 'in/ben/01.wav': 'ben/01'}
    """
    paths = {name: Path(os.path.normpath(Path(name).absolute())) for name in names if name != STANDARD_INPUT}
    shared = os.path.commonpath([path.parent for path in paths.values()] or [os.sep])
    below = {name: path.relative_to(shared) for name, path in paths.items()}
    spellings = (lambda path: path.stem, lambda path: str(path.with_suffix("")), str)
    for spelling in spellings:
        found = {name: spelling(path) for name, path in below.items()}
        # Case tells no files apart on some disks.
        if max(Counter(text.casefold() for text in found.values()).values(), default=1) == 1:
            break
    return {name: found.get(name, "standard-input") for name in names}


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

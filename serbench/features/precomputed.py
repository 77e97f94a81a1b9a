"""Features that another tool computed, read from a Parquet or NPZ file keyed by utterance.

Parquet: a column `utterance` (or `id`) and either one numeric column per dimension or one list column (a list of
numbers, or a list of frames, each a list), which is called `features` unless it is the only one. NPZ: one array per
utterance, (d,) or (frames, d). Keys are `corpus/utterance` or the bare utterance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import FeatureError
from serbench.features.matrix import FeatureMatrix, check_array
from serbench.identity import digest
from serbench.specs import FeatureSpec

if TYPE_CHECKING:
    import zipfile

# No stream of zlib's inflates to more than this many times its size.
DEFLATE_RATIO = 1032
KEY_COLUMNS = ("utterance", "id")
LIST_COLUMN = "features"
# What the version of such a set starts with.
FILE_VERSION = "file-"
FORMATS = (".npz", ".parquet")


def precomputed_spec(name: str, file: Path) -> FeatureSpec:
    """The spec of a features file: its kind, and a version that is the hash of its content.

    Parameters
    ----------
    name : str
        How suites and tables call it.
    file : Path
        Parquet or NPZ.

    Raises
    ------
    FeatureError
        If the file is absent, of another format, empty, or damaged.
    """
    arrays = _load(Path(file))
    first = next(iter(arrays.values()))
    return FeatureSpec(
        name=name,
        version=f"{FILE_VERSION}{digest(Path(file).read_bytes(), 16)}",
        kind="vector" if first.ndim == 1 else "sequence",
        extract=_refuse,
        description=f"precomputed, {first.shape[-1]} values, from {Path(file).name}",
    )


def read_precomputed(file: Path, ids: Sequence[str]) -> FeatureMatrix:
    """Features of the utterances `ids` (`corpus/utterance`) from a file.

    Raises
    ------
    FeatureError
        If utterances are missing (some are named), a value is not finite, or the shapes differ.
    """
    file = Path(file)
    arrays = _load(file)
    kind = "vector" if next(iter(arrays.values())).ndim == 1 else "sequence"
    keys = [name if name in arrays else name.partition("/")[2] for name in ids]
    absent = [name for name, key in zip(ids, keys, strict=True) if key not in arrays]
    if absent:
        shown = ", ".join(absent[:5]) + (", …" if len(absent) > 5 else "")
        raise FeatureError(
            f"no features for {len(absent)} of {len(ids)} utterances: {shown}",
            where=str(file),
            hint=f"keys are `corpus/utterance` or the utterance alone; the file's first is '{next(iter(arrays))}'",
        )
    checked = [
        check_array(arrays[key], kind, name=file.name, utterance=name) for name, key in zip(ids, keys, strict=True)
    ]
    return FeatureMatrix.from_arrays(ids, checked)


def _load(file: Path) -> Mapping[str, np.ndarray]:
    if not file.is_file():
        raise FeatureError("no such features file", where=str(file), hint="--features-file NAME=FILE")
    if file.suffix.lower() not in FORMATS:
        raise FeatureError(f"unknown format '{file.suffix}'", where=str(file), hint=f"allowed: {', '.join(FORMATS)}")
    try:
        arrays = _load_npz(file) if file.suffix.lower() == ".npz" else _load_parquet(file)
    except FeatureError:
        raise
    except Exception as error:
        # Readers of foreign files raise whatever their content leads them to.
        raise FeatureError(f"cannot be read: {type(error).__name__}: {error}"[:400], where=str(file)) from error
    if not arrays:
        raise FeatureError("the features file is empty", where=str(file))
    if strange := [name for name, array in arrays.items() if array.dtype.kind not in "fiub"]:
        raise FeatureError(f"'{strange[0]}' holds no numbers but {arrays[strange[0]].dtype}", where=str(file))
    if any(array.ndim not in (1, 2) for array in arrays.values()):
        raise FeatureError("features must be (d,) or (frames, d) for each utterance", where=str(file))
    return arrays


def _load_npz(file: Path) -> dict[str, np.ndarray]:
    import zipfile

    with zipfile.ZipFile(file) as pack:
        for member in pack.infolist():
            _refuse_more_than_is_there(pack, member)
    with np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _refuse_more_than_is_there(pack: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Compare what headers announce with what is in the file, before anything is allocated."""
    if member.file_size > DEFLATE_RATIO * (member.compress_size + 1):
        raise ValueError(f"'{member.filename}' announces {member.file_size} bytes, more than its archive can hold")
    with pack.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise ValueError(f"'{member.filename}' is of NPY version {version}")
        shape, _, dtype = readers[version](stream)
        room = member.file_size - stream.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > room:
        raise ValueError(f"'{member.filename}' announces an array of shape {shape}, more than it holds")


def _load_parquet(file: Path) -> dict[str, np.ndarray]:
    import pandas as pd

    frame = pd.read_parquet(file)
    key = next((name for name in KEY_COLUMNS if name in frame.columns), None)
    if key is None:
        raise FeatureError(
            f"no column 'utterance' or 'id' among: {', '.join(map(str, frame.columns[:8]))}", where=str(file)
        )
    keys = frame[key].astype(str)
    if keys.duplicated().any():
        raise FeatureError(f"utterance '{keys[keys.duplicated()].iloc[0]}' comes twice", where=str(file))
    numbers = frame.drop(columns=[key])
    lists = [name for name in numbers if numbers[name].map(lambda value: isinstance(value, np.ndarray)).any()]
    if LIST_COLUMN in frame.columns or (len(lists) == 1 and len(numbers.columns) == 1):
        column = LIST_COLUMN if LIST_COLUMN in frame.columns else lists[0]
        return {name: _from_lists(value) for name, value in zip(keys, frame[column], strict=True)}
    if lists:
        raise FeatureError(
            f"columns that hold lists: {', '.join(map(str, lists[:5]))}, beside {len(numbers.columns) - len(lists)} of "
            "numbers",
            where=str(file),
            hint=f"keep '{key}' and one list column, or call the one to use '{LIST_COLUMN}'",
        )
    if numbers.columns.empty:
        raise FeatureError(f"no feature columns beside '{key}'", where=str(file))
    wrong = [str(name) for name, dtype in numbers.dtypes.items() if dtype.kind not in "fiub"]
    if wrong:
        raise FeatureError(f"columns that hold no numbers: {', '.join(wrong[:5])}", where=str(file))
    return dict(zip(keys, numbers.to_numpy(dtype=np.float64), strict=True))


def _from_lists(value: object) -> np.ndarray:
    if value is None:
        return np.array([np.nan])
    array = np.asarray(value)
    # Parquet gives a list of frames back as an array of arrays.
    return np.stack([np.asarray(frame, dtype=np.float64) for frame in array]) if array.dtype == object else array


def _refuse(signal: np.ndarray, rate: int) -> np.ndarray:
    raise FeatureError("precomputed features cannot be extracted from audio", hint="add the utterance to the file")

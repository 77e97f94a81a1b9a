"""Weights on disk: where a model's folder is, whether it can be used, and what identifies it.

A folder is in the layout of the Hugging Face hub: `config.json`, `preprocessor_config.json`, and the weights as
safetensors. Nothing here imports torch or transformers: a plan knows what is there without them.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serbench.errors import FeatureError
from serbench.features.encoders.cards import find_card, unsupported
from serbench.identity import content_id
from serbench.records import atomic_path

RATE = 16_000
# Samples between two frames of every architecture here: 20 ms.
HOP = 320
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
# What transformers calls the model of an architecture.
ARCHITECTURES = {
    "wav2vec2": "Wav2Vec2Model",
    "hubert": "HubertModel",
    "wavlm": "WavLMModel",
    "data2vec-audio": "Data2VecAudioModel",
    "whisper": "WhisperModel",
}
# What a new version of transformers writes anew into a configuration without changing the model.
_PASSING = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures"})
HASHES = Path("encoders", "hashes.json")


@dataclass(frozen=True)
class Weights:
    """A usable folder.

    Attributes
    ----------
    model : str
        As it was asked for.
    layers, hidden : int
        Blocks, and values of a frame.
    identity : str
        Hash of weights, configuration and preprocessor.
    revision : str
        Commit on the hub, where the folder's place tells it.
    bytes : int
        Of the weights.
    """

    model: str
    folder: Path
    architecture: str
    layers: int
    hidden: int
    identity: str
    revision: str
    bytes: int


def default_folder() -> Path:
    """Where the hub's own client keeps what it has downloaded."""
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return Path(os.environ.get("HF_HUB_CACHE", f"{home}/hub")).expanduser()


def find_weights(model: str, root: Path, cache: Path | None, revision: str | None = None) -> Weights:
    """The weights of a model: a folder itself, or below `root` by its name on the hub or its short name.

    Parameters
    ----------
    root : Path
        `--weights`.
    cache : Path, optional
        Where hashes of large files are remembered.
    revision : str, optional
        Commit on the hub; only a folder in the layout of the hub's cache can answer to one.

    Raises
    ------
    FeatureError
        Naming what is absent or wrong, and which files go where.
    """
    if why := unsupported(model):
        raise FeatureError(f"'{model}' is not supported: {why}", where="ssl", hint="`serbench weights` lists what is")
    folder = next(_folders(model, root, revision), None)
    if folder is None:
        raise FeatureError(_absent(model, root, revision), where="ssl")
    return check_folder(folder, model, cache)


def check_folder(folder: Path, model: str, cache: Path | None = None) -> Weights:
    """Read the small files of a folder and hash the large ones.

    Raises
    ------
    FeatureError
        For a folder without configuration, of an unknown architecture, with pickled weights only, with weights that are
        cut short, or with a preprocessor of another sampling rate.
    """
    config = _json(folder / CONFIG)
    preprocessor = _json(folder / PREPROCESSOR)
    architecture = config.get("model_type")
    if architecture not in ARCHITECTURES:
        raise FeatureError(
            f"unknown architecture {architecture!r}",
            where=str(folder / CONFIG),
            hint=f"known: {', '.join(ARCHITECTURES)}",
        )
    if (rate := preprocessor.get("sampling_rate")) != RATE:
        raise FeatureError(
            f"a sampling rate of {rate!r}, expected {RATE}",
            where=str(folder / PREPROCESSOR),
            hint="take the file that came with these weights",
        )
    names = ("encoder_layers", "d_model") if architecture == "whisper" else ("num_hidden_layers", "hidden_size")
    layers, hidden = (config.get(name) for name in names)
    strides = config.get("conv_stride", [HOP])
    if not all(isinstance(size, int) and size > 0 for size in (layers, hidden)) or math.prod(strides) != HOP:
        raise FeatureError(
            f"{names[0]} {layers!r}, {names[1]} {hidden!r}, a frame every {math.prod(strides)} samples",
            where=str(folder / CONFIG),
            hint=f"expected whole numbers, and a frame every {HOP} samples",
        )
    files = _weight_files(folder)
    known = {name: value for name, value in config.items() if name not in _PASSING}
    identity = content_id([known, preprocessor, _hashes(files, cache)])
    revision = folder.name if folder.parent.name == "snapshots" else ""
    size = sum(file.stat().st_size for file in files)
    return Weights(model, folder, architecture, layers, hidden, identity, revision, size)


def folders_below(root: Path) -> list[tuple[str, Path]]:
    """Name and folder of everything below `root` that looks like a model, usable or not."""
    found = []
    for path in sorted({file.parent for pattern in _LOOKS for file in root.glob(pattern)}):
        parts = path.relative_to(root).parts
        cached = re.fullmatch(r"models--(.+)--(.+)", parts[0])
        found.append(("/".join(cached.groups() if cached else parts), path))
    return found


_LOOKS = tuple(
    f"{depth}/{name}" for depth in ("*", "*/*", "models--*/snapshots/*") for name in (CONFIG, "*.safetensors", "*.bin")
)


def _folders(model: str, root: Path, revision: str | None) -> Iterator[Path]:
    card = find_card(model)
    name = card.model if card else model
    snapshots = root / f"models--{name.replace('/', '--')}" / "snapshots"
    if revision is None:
        yield from (
            path for path in (Path(model).expanduser(), root / name, root / name.rpartition("/")[2]) if path.is_dir()
        )
        reference = snapshots.parent / "refs" / "main"
        revision = reference.read_text().strip() if reference.is_file() else None
        revision = revision or (card.revision if card else None) or None
    here = sorted(path for path in snapshots.glob("*") if revision in (None, path.name) and path.is_dir())
    if len(here) > 1:
        raise FeatureError(
            f"{len(here)} revisions of '{model}'", where=str(snapshots), hint="name one: ssl(model=…, revision=COMMIT)"
        )
    yield from here


def _absent(model: str, root: Path, revision: str | None) -> str:
    card = find_card(model)
    name = card.model if card else model
    cached = f"models--{name.replace('/', '--')}/snapshots/{revision}"
    place = root / (cached if revision else name)
    files = f"{CONFIG}, {PREPROCESSOR} and {WHOLE} (or {INDEX} with its parts)"
    commit = "" if card and card.revision else " --revision COMMIT"
    download = f", or where there is a network: serbench weights get {name}{commit}" if "/" in name else ""
    return f"no weights of '{model}': put {files} into {place} (--weights, SERBENCH_WEIGHTS){download}"


def _json(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FeatureError(
            f"no {file.name}",
            where=str(file.parent),
            hint=f"a model's folder holds {CONFIG}, {PREPROCESSOR} and {WHOLE}",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise FeatureError(f"cannot be read: {error}", where=str(file), hint="download it again") from error
    if not isinstance(values, dict):
        raise FeatureError("holds no mapping", where=str(file), hint="download it again")
    return values


def _weight_files(folder: Path) -> list[Path]:
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    if (folder / INDEX).is_file():
        parts = _json(folder / INDEX).get("weight_map", {})
        files = [folder / Path(str(name)).name for name in sorted(set(parts.values()))]
        for file in files:
            if not file.is_file():
                raise FeatureError(f"no {file.name}, which {INDEX} names", where=str(folder), hint="download it too")
        return files
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
    if pickled:
        raise FeatureError(
            f"only pickled weights ({', '.join(pickled[:3])}): refused, since reading a pickle runs the code in it",
            where=str(folder),
            hint=f"take a revision with {WHOLE}, or convert them where you trust them",
        )
    raise FeatureError(f"no {WHOLE}", where=str(folder), hint="put the weights there")


def _hashes(files: list[Path], cache: Path | None) -> dict[str, str]:
    """SHA-256 of each file, as the hub shows it; a file is read once as long as it does not change."""
    known = _known_hashes(cache)
    stamps = {file: f"{file.absolute()} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files}
    fresh = {}
    for file, stamp in stamps.items():
        if stamp not in known:
            _refuse_cut_short(file)
            with file.open("rb") as stream:
                fresh[stamp] = hashlib.file_digest(stream, "sha256").hexdigest()
    if fresh and cache is not None:
        with atomic_path(cache / HASHES) as temporary:
            temporary.write_text(json.dumps({**known, **fresh}))
    found = {**known, **fresh}
    return {file.name: found[stamp] for file, stamp in stamps.items()}


def _known_hashes(cache: Path | None) -> Mapping[str, str]:
    try:
        found = json.loads((cache / HASHES).read_text()) if cache is not None else {}
    except (OSError, ValueError, RecursionError):
        # Only a cache.
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_cut_short(file: Path) -> None:
    """Compare a file's length with what its header announces."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, size)))
        announced = 8 + length + max(entry["data_offsets"][1] for name, entry in header.items() if name[:2] != "__")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise FeatureError(
            "no whole safetensors file: its header cannot be read", where=str(file), hint=_AGAIN
        ) from error
    if size != announced:
        raise FeatureError(f"cut short: {size} of {announced} bytes", where=str(file), hint=_AGAIN)


_AGAIN = "download it again"

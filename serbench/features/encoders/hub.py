"""Weights from the hub, at a pinned revision: where the machine has a network."""

from __future__ import annotations

import re
from pathlib import Path

from serbench.errors import DownloadError, UsageError
from serbench.features.encoders.cards import find_card
from serbench.features.encoders.weights import CONFIG, INDEX, PREPROCESSOR, Weights, check_folder

REVISION = re.compile(r"[0-9a-f]{40}")
# Never pickles, nor code.
WANTED = (CONFIG, PREPROCESSOR, "*.safetensors", INDEX)


def download(model: str, root: Path, revision: str | None = None, cache: Path | None = None) -> Weights:
    """Download a model below `root`, in the layout of the hub's cache, and check it.

    Parameters
    ----------
    model : str
        Name on the hub or short name.
    revision : str, optional
        Commit of 40 digits; else the card's.

    Raises
    ------
    UsageError
        If no commit is given and the card has none.
    DownloadError
        If the hub cannot be reached, or has no such model or commit.
    FeatureError
        If what came is not usable; see `check_folder`.
    """
    card = find_card(model)
    name, revision = (card.model if card else model), revision or (card.revision if card else "")
    if not REVISION.fullmatch(revision or ""):
        raise UsageError(
            f"no revision of '{name}'" if not revision else f"'{revision}' is no commit",
            where="--revision",
            hint="give the 40 digits of a commit that holds model.safetensors: the weights must stay what they are",
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise DownloadError(
            "the hub's client is not installed", where=name, hint="pip install 'serbench[encoders]'"
        ) from error
    try:
        folder = snapshot_download(name, revision=revision, cache_dir=root, allow_patterns=list(WANTED))
    except Exception as error:
        # The client raises what its own libraries do: of the network, of HTTP, of the disk.
        reason = str(error).strip().partition("\n")[0]
        raise DownloadError(
            f"{type(error).__name__}: {reason}"[:300],
            where=f"{name} at {revision}",
            hint=f"without a network, copy the model's folder to {root}: `serbench weights` says which files",
        ) from error
    return check_folder(Path(folder), name, cache)

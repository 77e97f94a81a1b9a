"""What the canary has found of a suite's rows: `results/<suite>/canary/<row>.json`, beside unchanged records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serbench.records.atomic import atomic_path

FOLDER = "canary"


def write_canary(folder: Path, row: str, found: Mapping[str, Any]) -> Path:
    """Keep what was found of a row in the folder of its suite."""
    path = folder / FOLDER / f"{row}.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path


def read_canaries(folder: Path) -> dict[str, dict[str, Any]]:
    """By row id what was found; a file that cannot be read says nothing."""
    found = {}
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and isinstance(content.get("layers"), dict):
            found[path.stem] = content
    return found


def canary_made_of(found: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Fingerprint of the audio and hash of the plug-in files that it looked at; a record of others is not spoken of."""
    return found.get("fingerprint"), found.get("plugin_hash")

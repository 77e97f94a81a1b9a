"""Where encoders find their weights and compute, and what is known of those whose features came from elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from serbench.circumstances import Circumstances
from serbench.errors import FeatureError
from serbench.features.encoders.cards import find_card
from serbench.features.encoders.weights import Weights, default_folder, find_weights
from serbench.identity import content_id
from serbench.records import atomic_path

NOTES = "encoders"


@dataclass(frozen=True)
class Place:
    """What this machine has for encoders.

    Attributes
    ----------
    weights : Path
        Folder of models.
    device : str
        ``auto``, or a device of torch.
    cache : Path, optional
        The program's cache: hashes, and the feature store with a note of each encoder in it.
    """

    weights: Path
    device: str = "auto"
    cache: Path | None = None

    @classmethod
    def of(cls, around: Circumstances) -> Place:
        """The place that circumstances describe."""
        return cls((around.weights or default_folder()).absolute(), around.device, around.cache)

    def find(self, model: str, revision: str | None) -> Weights:
        """The weights of a model here; see `find_weights`."""
        return find_weights(model, self.weights, self.cache, revision)

    def note(self, model: str, revision: str | None) -> EncoderNote | None:
        """What was noted of an encoder when features were extracted with it, here or where they were imported from."""
        if self.cache is None:
            return None
        try:
            return EncoderNote(**json.loads(self._note_path(model, revision).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write_note(self, weights: Weights, revision: str | None) -> None:
        """Note an encoder beside the features that are extracted with it."""
        if self.cache is None:
            return
        note = EncoderNote(weights.model, weights.identity, weights.layers, weights.hidden)
        if self.note(weights.model, revision) != note:
            with atomic_path(self._note_path(weights.model, revision)) as temporary:
                temporary.write_text(json.dumps(asdict(note)))

    def _note_path(self, model: str, revision: str | None) -> Path:
        return note_folder(self.cache) / note_name(model, revision)


@dataclass(frozen=True)
class EncoderNote:
    """What identifies an encoder's features without its weights; see `Weights`. `absent`: why these are not here."""

    model: str
    identity: str
    layers: int
    hidden: int
    absent: str = ""


def note_folder(cache: Path) -> Path:
    """Where notes lie, within the feature store."""
    return cache / "features" / NOTES


def note_name(model: str, revision: str | None) -> str:
    """File of the note on a model."""
    card = find_card(model)
    return f"{content_id([card.model if card else model, revision])}.json"


def refused(error: FeatureError) -> str:
    """An error as the reason of a skipped row."""
    hint = f"; {error.hint}" if error.hint else ""
    return f"{error.where}: {error.what}{hint}" if error.where != "ssl" else f"{error.what}{hint}"

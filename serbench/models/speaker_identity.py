"""A floor: hear who speaks, and answer with what this speaker's training utterances mostly were."""

from __future__ import annotations

from serbench.models.params import complete
from serbench.specs import ModelSpec

PARAMS = {"C": 0.1}


def build(params, *, n_classes, seed):
    """Build the recogniser of speakers; nothing in it is random."""
    from serbench.models.shallow.speaker import SpeakerIdentity

    return SpeakerIdentity(**complete("speaker_identity", PARAMS, params))


SPEAKER_IDENTITY = ModelSpec(
    name="speaker_identity",
    accepts="vector",
    build=build,
    params=PARAMS,
    groups=True,
    description="floor: recognises the speaker and answers with that speaker's most frequent labels",
)

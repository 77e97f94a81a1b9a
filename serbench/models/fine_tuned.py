"""A pre-trained encoder, fine-tuned: its transformer is trained on together with a classification head.

Baevski et al. (2020), wav2vec 2.0, NeurIPS; for emotion as in claim P8 (`benchmarks/published/p8.yaml`), whose settings
are the defaults here: nothing was tried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from serbench.circumstances import circumstances
from serbench.errors import FeatureError, ModelError
from serbench.features.encoders.place import Place, refused
from serbench.features.ssl import REQUIRES
from serbench.models.params import complete
from serbench.specs import ModelSpec, Params

NAME = "fine_tuned"
TRAINABLE = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")
# `validate_every`: batches between two looks at the validation part; None: an epoch.
PARAMS = {
    **{"model": None, "revision": None, "max_seconds": 15.0},
    **{"epochs": 10, "batch_size": 8, "learning_rate": 1e-4, "weight_decay": 0.0, "clip_norm": 1.0},
    "validate_every": None,
}


def fine_tuned_spec(place: Place | None = None) -> ModelSpec:
    """The model with the weights of a place; else with those that environment and `configs/local.yaml` tell."""
    return ModelSpec(
        name=NAME,
        accepts="sequence",
        build=partial(_build, place),
        params=PARAMS,
        features=("waveform",),
        validation=True,
        requires=REQUIRES,
        choose=partial(_choose, place),
        description=(
            "a pre-trained encoder (`model`: a name on the hub, a short name or a folder) that is trained further with "
            "a classification head (extra `encoders`; a GPU for anything but the smallest)"
        ),
    )


def _build(place: Place | None, params: Mapping[str, Any], *, n_classes: int, seed: int) -> Any:
    from serbench.models.deep.fine_tuning import FineTunedEncoder

    place = place or Place.of(circumstances())
    return FineTunedEncoder(place, complete(NAME, PARAMS, params), n_classes=n_classes, seed=seed)


def _choose(place: Place | None, params: Params) -> ModelSpec:
    # Other weights are another model: their hash is part of the version.
    place = place or Place.of(circumstances())
    spec = replace(fine_tuned_spec(place), choose=None)
    if not isinstance(model := params.get("model"), str):
        hint = "name one: fine_tuned(model=wav2vec2-base); see `serbench weights`"
        raise ModelError(f"model is {model!r}", where=f"model '{NAME}'", hint=hint)
    try:
        weights = place.find(model, params.get("revision"))
    except FeatureError as error:
        return replace(spec, unavailable=refused(error))
    if weights.architecture not in TRAINABLE:
        return replace(
            spec, unavailable=f"{model} is a {weights.architecture}; trained further are {', '.join(TRAINABLE)}"
        )
    return replace(spec, version=f"{spec.version}-{weights.identity}")


FINE_TUNED = fine_tuned_spec()

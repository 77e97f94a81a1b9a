"""Embeddings of a pre-trained self-supervised encoder: wav2vec 2.0, HuBERT, WavLM, data2vec, or Whisper's encoder."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from serbench.circumstances import circumstances
from serbench.errors import FeatureError, UnknownName
from serbench.features.encoders.cards import find_card
from serbench.features.encoders.filling import describe, fill
from serbench.features.encoders.place import Place, refused
from serbench.features.encoders.pooling import HOPS, POOLS, layer_weights
from serbench.specs import FeatureSpec, Params

REQUIRES = ("torch", "transformers", "safetensors")
# Of a process with torch and transformers in it, besides the weights and as much again to compute with.
PROCESS = 1_500_000_000
DEFAULTS = {"model": None, "revision": None, "layer": "mean", "pool": "mean", "hop": HOPS[0]}


def ssl_spec(place: Place | None = None) -> FeatureSpec:
    """The set `ssl` with the weights of a place; else with those that environment and `configs/local.yaml` tell."""
    return FeatureSpec(
        name="ssl",
        version="1",
        kind="vector",
        extract=_without_model,
        params=DEFAULTS,
        description=(
            "embeddings of a pre-trained encoder (`model`: a name on the hub, a short name or a folder), one layer or "
            "their mean; vectors, or with `pool: none` frames every `hop` ms (extra `encoders`)"
        ),
        requires=REQUIRES,
        choose=partial(_choose, place),
    )


def _choose(place: Place | None, params: Params) -> FeatureSpec:
    place = place or Place.of(circumstances())
    chosen = _checked({**DEFAULTS, **{name: value for name, value in params.items() if name in DEFAULTS}})
    model, revision = chosen["model"], chosen["revision"]
    spec = replace(ssl_spec(place), choose=None)
    if chosen["pool"] == "none":
        spec = replace(spec, kind="sequence", hop=chosen["hop"] / 1000)
    card, note = find_card(model), place.note(model, revision)
    try:
        known = place.find(model, revision)
    except FeatureError as error:
        # Features that are there already, computed or imported, need no weights.
        known = replace(note, absent=refused(error)) if note else None
        spec = replace(spec, requires=()) if note else replace(spec, unavailable=refused(error))
    else:
        spec = replace(spec, memory=PROCESS + 2 * known.bytes)
    if known:
        version = f"{spec.version}-{known.identity}"
        hear = {"extract": partial(describe, place, known), "fill": partial(fill, place, known)}
        spec = replace(spec, version=version, **hear)
    if layers := known.layers if known else card.layers if card else 0:
        layer_weights(chosen["layer"], layers + 1)
    return spec


def _checked(params: dict[str, Any]) -> dict[str, Any]:
    where = "features 'ssl'"
    if not isinstance(params["model"], str) or not params["model"]:
        raise FeatureError(
            f"model is {params['model']!r}",
            where=where,
            hint="name one: ssl(model=wavlm-base-plus); see `serbench weights`",
        )
    if params["pool"] not in POOLS:
        raise UnknownName.among("pool", str(params["pool"]), POOLS, where=where)
    if params["hop"] not in HOPS or isinstance(params["hop"], bool):
        raise FeatureError(
            f"hop is {params['hop']!r}", where=where, hint=f"ms between frames: {', '.join(map(str, HOPS))}"
        )
    if params["hop"] != HOPS[0] and params["pool"] != "none":
        raise FeatureError(f"hop {params['hop']} of a vector", where=where, hint="`hop` goes with `pool: none`")
    if params["revision"] is not None and not re.fullmatch(r"[0-9a-f]{40}", str(params["revision"])):
        raise FeatureError(
            f"revision is {params['revision']!r}", where=where, hint="give the 40 digits of a commit on the hub"
        )
    return params


def _without_model(signal: np.ndarray, rate: int, **params: Any) -> np.ndarray:
    raise FeatureError("no encoder is named", where="ssl", hint="ssl(model=wavlm-base-plus); see `serbench weights`")


SSL = ssl_spec()

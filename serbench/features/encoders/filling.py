"""Fill the feature store from an encoder: all layers in one pass, stored once; any layer and pooling out of them.

Two things are stored of each utterance, under the identity of the weights: the frames of all layers (float16), and
the means and deviations over time of each layer (float32). What a row asks for is made from these, without the encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import AudioError, FeatureError
from serbench.features.augmentation.alteration import Alteration
from serbench.features.encoders.place import EncoderNote, Place
from serbench.features.encoders.pooling import sequence, statistics, vector
from serbench.features.encoders.weights import RATE, Weights
from serbench.features.parameters import TRIM, resolve_params
from serbench.features.silence import trim_silence
from serbench.features.store import FeatureStore
from serbench.specs import FeatureSpec

if TYPE_CHECKING:
    from serbench.features.encoders.running import Encoder

# Bytes of frames that are kept before they are written: what bounds the memory of an extraction, besides the encoder.
PENDING = 128_000_000
Sets = Sequence[tuple[FeatureSpec, Mapping[str, Any]]]
Failures = list[tuple[str, str]]


def base_sets(version: str) -> tuple[FeatureSpec, FeatureSpec]:
    """What is stored of an encoder: the frames of all layers, and their statistics; `trim` is their only parameter."""
    kept = {"version": version, "kind": "sequence", "extract": _refuse, "rate": RATE}
    return FeatureSpec(name="ssl_frames", **kept), FeatureSpec(name="ssl_statistics", **kept)


def describe(place: Place, weights: Weights, signal: np.ndarray, rate: int, **params: Any) -> np.ndarray:
    """Features of one signal, past the store."""
    return _derived(params, *_described(_encoder(place, weights).encode([signal])[0]))


def fill(
    place: Place,
    weights: Weights | EncoderNote,
    store: FeatureStore,
    sets: Sets,
    items: Sequence[tuple[str, str]],
    alteration: Alteration | None = None,
) -> Failures:
    """Bring sets of one encoder up to date for a chunk of utterances; see `extract_into`.

    Parameters
    ----------
    weights : Weights or EncoderNote
        With a note alone, sets are made of what is stored, and nothing is encoded.
    sets : sequence of (FeatureSpec, params)
        Of these weights, with any layer and pooling.
    """
    if isinstance(weights, Weights):
        place.write_note(weights, sets[0][1].get("revision"))
    paths = {alteration.key(content) if alteration else content: (content, path) for content, path in items}
    failures: Failures = []
    by_trim: dict[float | None, list] = {}
    for spec, params in sets:
        resolved = resolve_params(spec, params)
        by_trim.setdefault(resolved[TRIM], []).append((spec, params, resolved))
    for trim, same in by_trim.items():
        missing = {key for spec, params, _ in same for key in store.missing(spec, params, list(paths))}
        base = base_sets(sets[0][0].version)
        to_encode = {key for each in base for key in store.missing(each, {TRIM: trim}, sorted(missing))}
        heard = _heard({key: paths[key] for key in paths if key in to_encode}, trim, alteration, failures)
        if heard:
            _encode_into(place, weights, store, base, {TRIM: trim}, heard, failures)
        _derive_into(store, base, {TRIM: trim}, same, [key for key in paths if key in missing], weights.layers + 1)
    return failures


def _encoder(place: Place, weights: Weights | EncoderNote) -> Encoder:
    if isinstance(weights, EncoderNote):
        raise FeatureError(f"not in the store, and without its encoder: {weights.absent}", where="ssl")
    from serbench.features.encoders.running import loaded

    return loaded(weights, place.device, None if place.cache is None else place.cache / "encoders")


@dataclass(frozen=True)
class _Heard:
    """An utterance that is to be encoded."""

    key: str
    path: str
    signal: np.ndarray


def _heard(
    paths: Mapping[str, tuple[str, str]], trim: float | None, alteration: Alteration | None, failures: Failures
) -> list[_Heard]:
    """The signals of some utterances, the longest first: what is encoded together is of about one length."""
    from serbench.corpora.audio import decode

    found = []
    for key, (content, path) in paths.items():
        try:
            signal = decode(path, RATE)
        except AudioError as error:
            failures.append((path, str(error)))
            continue
        signal = signal if alteration is None else alteration.apply(signal, RATE, content)
        found.append(_Heard(key, path, signal if trim is None else trim_silence(signal, trim)))
    return sorted(found, key=lambda item: len(item.signal), reverse=True)


@dataclass
class _Pending:
    """Entries of one set that are written together."""

    store: FeatureStore
    spec: FeatureSpec
    params: Mapping[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, key: str, array: np.ndarray) -> None:
        self.arrays[key] = array
        if sum(each.nbytes for each in self.arrays.values()) >= PENDING:
            self.write()

    def write(self) -> None:
        self.store.write(self.spec, self.params, list(self.arrays), list(self.arrays.values()))
        self.arrays = {}


def _encode_into(
    place: Place,
    weights: Weights | EncoderNote,
    store: FeatureStore,
    base: tuple[FeatureSpec, FeatureSpec],
    params: Mapping[str, Any],
    heard: Sequence[_Heard],
    failures: Failures,
) -> None:
    try:
        encoder = _encoder(place, weights)
    except FeatureError as error:
        failures += [(item.path, str(error)) for item in heard]
        return
    pending = [_Pending(store, spec, params) for spec in base]
    for group in _groups(heard, encoder.at_once):
        for item, layers in _encoded(encoder, group, failures):
            try:
                frames, pooled = _described(layers)
            except FeatureError as error:
                failures.append((item.path, str(error)))
                continue
            for kept, array in zip(pending, (frames, pooled), strict=True):
                kept.add(item.key, array.reshape(-1, array.shape[-1]))
    for kept in pending:
        kept.write()


def _groups(heard: Sequence[_Heard], at_once: int) -> Iterator[Sequence[_Heard]]:
    start = 0
    while start < len(heard):
        count = max(1, at_once // max(len(heard[start].signal), 1))
        yield heard[start : start + count]
        start += count


def _encoded(encoder: Encoder, group: Sequence[_Heard], failures: Failures) -> Iterable[tuple[_Heard, np.ndarray]]:
    try:
        return list(zip(group, encoder.encode([item.signal for item in group]), strict=True))
    except (FeatureError, RuntimeError, MemoryError) as error:
        # Of the signal, or of a device that has no room: each utterance is tried by itself.
        if len(group) == 1:
            failures.append((group[0].path, f"{group[0].path}: {error or type(error).__name__}"))
            return []
        return [pair for item in group for pair in _encoded(encoder, [item], failures)]


def _described(layers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is stored of the frames of all layers: themselves in float16, and their statistics."""
    with np.errstate(over="ignore"):
        frames = layers.astype(np.float16)
    if not np.isfinite(frames).all():
        raise FeatureError(
            f"values up to {np.abs(layers).max():.3g}, beyond what float16 holds",
            where="ssl",
            hint="the weights are damaged, or not of this architecture",
        )
    return frames, statistics(layers)


def _derived(params: Mapping[str, Any], frames: np.ndarray, pooled: np.ndarray) -> np.ndarray:
    if params["pool"] == "none":
        return sequence(frames, params["layer"], params["hop"])
    return vector(pooled, params["layer"], params["pool"])


def _derive_into(
    store: FeatureStore,
    base: tuple[FeatureSpec, FeatureSpec],
    params: Mapping[str, Any],
    sets: Sequence[tuple[FeatureSpec, Mapping[str, Any], Mapping[str, Any]]],
    keys: Sequence[str],
    layers: int,
) -> None:
    frames, pooled = (store.entries(spec, params, keys) for spec in base)
    for spec, given, resolved in sets:
        pending = _Pending(store, spec, given)
        for key in store.missing(spec, given, [key for key in keys if key in frames and key in pooled]):
            shapes = (
                frames[key].reshape(layers, -1, frames[key].shape[1]),
                pooled[key].reshape(-1, 2, pooled[key].shape[1]),
            )
            pending.add(key, _derived(resolved, *shapes))
        pending.write()


def _refuse(signal: np.ndarray, rate: int) -> np.ndarray:
    raise FeatureError("stored for the set `ssl` alone", where="ssl")

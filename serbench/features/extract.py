"""From audio to features: one utterance, and a chunk of a corpus into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serbench.containment import contained
from serbench.errors import AudioError, FeatureError
from serbench.features.augmentation.alteration import Alteration
from serbench.features.matrix import check_array
from serbench.features.parameters import TRIM, resolve_params
from serbench.features.silence import trim_silence
from serbench.features.spectral import Analysis, SharedExtract
from serbench.features.store import FeatureStore
from serbench.specs import FeatureSpec

FeatureSet = tuple[FeatureSpec, Mapping[str, Any]]


class Utterance:
    """One signal on its way through several feature sets, which share its trimmed versions and analyses.

    Parameters
    ----------
    signal : ndarray of shape (samples,), float32
        Mono, in [-1, 1].
    rate : int
        Hz.
    name : str
        For messages.
    warp : float
        Factor by which the shared analysis multiplies frequencies; 1 changes nothing.

    Raises
    ------
    FeatureError
        If there are no samples or some are not finite.
    """

    def __init__(self, signal: np.ndarray, rate: int, name: str = "the signal", warp: float = 1.0):
        if signal.ndim != 1 or not signal.size:
            raise FeatureError(f"a signal of shape {signal.shape}, expected (samples,)", where=name)
        if not np.isfinite(signal).all():
            raise FeatureError("the signal holds samples that are not finite", where=name)
        self.signal, self.rate, self.name, self.warp = signal, rate, name, warp
        self._trimmed: dict[float | None, np.ndarray] = {None: signal}
        self._analyses: dict[float | None, Analysis] = {}

    def describe(self, spec: FeatureSpec, params: Mapping[str, Any]) -> np.ndarray:
        """Features of a set, checked: (d,) or (frames, d), float32.

        Raises
        ------
        FeatureError
            If the set fails, does not read the analysis whose frequencies are to be warped, or gives the wrong shape or
            values that are not finite.
        """
        resolved = resolve_params(spec, params)
        trim = resolved.pop(TRIM)
        try:
            if isinstance(spec.extract, SharedExtract):
                features = spec.extract.describe(self._analysis(trim), **resolved)
            elif self.warp != 1.0:
                raise FeatureError(
                    f"{spec.name} does not read the shared analysis, which vtlp warps",
                    where=self.name,
                    hint="use `pitch`, or a set of the program's own",
                )
            else:
                with contained():
                    features = spec.extract(self._signal(trim), self.rate, **resolved)
        except (AudioError, FeatureError):
            raise
        except Exception as error:
            # Feature sets can be plug-ins: whatever they raise concerns this set and this utterance only.
            raise FeatureError(f"{type(error).__name__}: {error}", where=f"{spec.name} of {self.name}") from error
        return check_array(features, spec.kind, name=spec.name, utterance=self.name)

    def _signal(self, trim: float | None) -> np.ndarray:
        if trim not in self._trimmed:
            self._trimmed[trim] = trim_silence(self.signal, trim)
        return self._trimmed[trim]

    def _analysis(self, trim: float | None) -> Analysis:
        if trim not in self._analyses:
            self._analyses[trim] = Analysis(self._signal(trim), self.rate, warp=self.warp)
        return self._analyses[trim]


def extract_into(
    store: FeatureStore,
    sets: Sequence[FeatureSet],
    items: Sequence[tuple[str, str]],
    alteration: Alteration | None = None,
) -> list[tuple[str, str]]:
    """Extract what the store lacks of `sets` for a chunk of utterances and write it, one shard a set.

    Every file is decoded once per rate, and its analysis is shared by the sets.

    Parameters
    ----------
    store : FeatureStore
    sets : sequence of (FeatureSpec, params)
    items : sequence of (content, path)
        Hash of the audio and the file it is in.
    alteration : Alteration, optional
        What is done to every signal first; the store then keeps the features under the altered version's key.

    Returns
    -------
    list of (path, reason)
        What could not be decoded or described; everything else is in the store.

    Raises
    ------
    ResultsError
        If the store cannot be written.
    """
    if filling := [(spec, params) for spec, params in sets if spec.fill]:
        rest = [(spec, params) for spec, params in sets if not spec.fill]
        failures = extract_into(store, rest, items, alteration) if rest else []
        for version in dict.fromkeys(spec.version for spec, _ in filling):
            same = [(spec, params) for spec, params in filling if spec.version == version]
            failures += same[0][0].fill(store, same, items, alteration)
        return failures
    keys = {content: alteration.key(content) if alteration else content for content, _ in items}
    contents = list(keys.values())
    missing = [set(store.missing(spec, params, contents)) for spec, params in sets]
    made: list[dict[str, np.ndarray]] = [{} for _ in sets]
    failures: list[tuple[str, str]] = []
    for content, path in items:
        key = keys[content]
        described = [i for i, absent in enumerate(missing) if key in absent and key not in made[i]]
        features, problems = _describe_file(path, [sets[i] for i in described], alteration, content)
        failures += [(path, problem) for problem in dict.fromkeys(problems)]
        for i, array in zip(described, features, strict=True):
            if array is not None:
                made[i][key] = array
    for (spec, params), arrays in zip(sets, made, strict=True):
        try:
            store.write(spec, params, list(arrays), list(arrays.values()))
        except FeatureError as error:
            failures += [(path, str(error)) for content, path in items if keys[content] in arrays]
    return failures


def read_signal(path: str, rate: int | None) -> tuple[np.ndarray, int]:
    """Decode a file to mono at a rate in Hz, or at its own (None), and tell the rate."""
    from serbench.corpora.audio import decode, decode_at_own_rate

    return decode_at_own_rate(path) if rate is None else (decode(path, rate), rate)


def _read_utterance(path: str, rate: int | None, alteration: Alteration | None, content: str) -> Utterance:
    signal, rate = read_signal(path, rate)
    if alteration is None:
        return Utterance(signal, rate, str(path))
    return Utterance(alteration.apply(signal, rate, content), rate, str(path), alteration.warp(content))


def _describe_file(
    path: str, sets: Sequence[FeatureSet], alteration: Alteration | None, content: str
) -> tuple[list[np.ndarray | None], list[str]]:
    features: list[np.ndarray | None] = []
    problems: list[str] = []
    utterances: dict[int | None, Utterance] = {}
    for spec, params in sets:
        try:
            if spec.rate not in utterances:
                utterances[spec.rate] = _read_utterance(path, spec.rate, alteration, content)
            features.append(utterances[spec.rate].describe(spec, params))
        except (AudioError, FeatureError) as error:
            features.append(None)
            problems.append(str(error))
    return features, problems

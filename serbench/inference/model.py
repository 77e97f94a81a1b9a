"""A trained model that answers for speech: from recordings to calibrated class probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import AudioError, EnrolmentError, FeatureError, ModelError, SerbenchError
from serbench.features.enrolment import Adaptation
from serbench.inference.clips import Clip, read_clip, samples_clip
from serbench.inference.folder import MANIFEST, read_manifest
from serbench.inference.known import Known, read_known
from serbench.inference.sheet import ErrorSheet
from serbench.models.saving import SavedModel
from serbench.models.saving import load_model as load_saved
from serbench.registry import Registry, build_registry
from serbench.runner.cell.inputs import stored_spec
from serbench.scoring import at_temperature


@dataclass(frozen=True)
class Member:
    """One fitted classifier with its share in the answer.

    Attributes
    ----------
    weight : float
        Those of all members sum to one.
    temperature : float
        Its probabilities are brought to it before they are averaged.
    known : Known, optional
        What its training utterances look like.
    adaptation : Adaptation, optional
        Of a row that enrols: how a speaker's features are normalised.
    speaker : (ndarray, ndarray), optional
        Mean and deviation (d,) of the enrolled speaker; that of the training speakers unless somebody was.
    """

    saved: SavedModel
    weight: float = 1.0
    temperature: float = 1.0
    known: Known | None = None
    adaptation: Adaptation | None = None
    speaker: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def sets(self) -> Sequence[Mapping[str, Any]]:
        """Its feature sets: a search may have chosen others than the cell's own."""
        return self.saved.meta["features"]

    def enrolled(self, utterances: Sequence[np.ndarray]) -> Member:
        """The member for the speaker of these utterances' features; of none, for an unknown speaker."""
        estimator = self.saved.estimator
        speaker = self.adaptation.of_utterances(utterances)
        if utterances and callable(getattr(estimator, "adapt", None)):
            heard = _normalised(utterances, speaker)
            estimator = estimator.adapt(np.stack(heard) if heard[0].ndim == 1 else heard)
        return replace(self, saved=replace(self.saved, estimator=estimator), speaker=speaker)


@dataclass(frozen=True)
class SpeechModel:
    """Classifiers together with the features that they were trained on.

    Attributes
    ----------
    temperature : float
        Of the answer, fitted on out-of-fold answers; 1 for a cell's model.
    sheet : ErrorSheet, optional
        What the row honestly reached; none for a cell's model, which `serbench run --save-models` keeps.
    """

    members: tuple[Member, ...]
    registry: Registry = field(repr=False)
    temperature: float = 1.0
    sheet: ErrorSheet | None = None
    name: str = ""

    @property
    def classes_(self) -> np.ndarray:
        """The labels, in the order of the probabilities."""
        return self.members[0].saved.classes_

    @property
    def log_bias(self) -> list[float]:
        """Class priors of the answer, fitted beside the temperature: a log-bias per label, or empty."""
        return self.sheet.priors.log_bias if self.sheet else []

    def predict_proba(self, source: str | Path | np.ndarray, *, rate: int | None = None) -> np.ndarray:
        """Class probabilities of one utterance.

        Parameters
        ----------
        source : path, or ndarray of shape (samples,) or (samples, channels)
            An audio file, or samples in [-1, 1] at `rate` Hz (16,000 unless told).

        Returns
        -------
        ndarray of shape (n_labels,)

        Raises
        ------
        AudioError, FeatureError
            If the utterance cannot be decoded or described.
        """
        whole = read_clip(source) if isinstance(source, (str, Path)) else samples_clip(source, rate or 16_000)
        found = self.answer([whole])[0]
        if isinstance(found, SerbenchError):
            raise found
        return found.probabilities

    def predict(self, source: str | Path | np.ndarray, *, rate: int | None = None) -> str:
        """The most probable label of one utterance."""
        return str(self.classes_[self.predict_proba(source, rate=rate).argmax()])

    def enrol(self, paths: Sequence[str | Path]) -> SpeechModel:
        """The model for one speaker, after it has heard some of their utterances, without labels.

        Parameters
        ----------
        paths : sequence of paths
            Audio files of that speaker alone. The model itself stays as it is.

        Raises
        ------
        EnrolmentError
            If there are none, the model's row does not enrol, or a file cannot be heard: it is silent, or no audio.
        """
        if any(member.adaptation is None for member in self.members):
            raise EnrolmentError(
                "the model was not trained to enrol speakers", where=self.name or None,
                hint="train a row of a block with `enrol`, such as one of `enrol: [0, 10]`",
            )  # fmt: skip
        if isinstance(paths, (str, Path)) or not len(paths):
            raise EnrolmentError("no utterances to enrol", hint="give a list of files of one speaker")
        described = [self._heard(path) for path in paths]
        members = tuple(
            member.enrolled([item[place] for item in described]) for place, member in enumerate(self.members)
        )
        return replace(self, members=members)

    def _heard(self, path: str | Path) -> list[np.ndarray]:
        try:
            clip = read_clip(path)
            if np.ptp(clip.signal) == 0:
                raise AudioError("is silent")
            found = self._describe(clip)
        except SerbenchError as error:
            found = error
        if isinstance(found, SerbenchError):
            raise EnrolmentError(
                f"cannot be enrolled: {found.what}",
                where=str(path),
                hint="give utterances in which the speaker is heard",
            ) from found
        return found

    def answer(self, clips: Sequence[Clip]) -> list[Answered | SerbenchError]:
        """Answer for several recordings at once, which costs less than one by one; errors stand in their place."""
        found: list[Any] = [self._describe(clip) for clip in clips]
        good = [number for number, item in enumerate(found) if not isinstance(item, SerbenchError)]
        if not good:
            return found
        total = np.zeros((len(good), len(self.classes_)))
        far = np.zeros(len(good), dtype=bool)
        for position, member in enumerate(self.members):
            features = [found[number][position] for number in good]
            if member.speaker is not None:
                features = _normalised(features, member.speaker)
            given = np.stack(features) if features[0].ndim == 1 else features
            probabilities = member.saved.predict_proba(given)
            total += member.weight * _scaled(probabilities, member.temperature)
            if member.known is not None:
                far |= member.known.far(features)
        total = _scaled(total, self.temperature, self.log_bias)
        for row, number in enumerate(good):
            found[number] = Answered(total[row], bool(far[row]))
        return found

    def _describe(self, clip: Clip) -> list[np.ndarray] | SerbenchError:
        made: dict[str, np.ndarray] = {}
        try:
            for member in self.members:
                if str(member.sets) not in made:
                    made[str(member.sets)] = clip.describe(member.sets, self.registry)
        except SerbenchError as error:
            return error
        return [made[str(member.sets)] for member in self.members]


@dataclass(frozen=True)
class Answered:
    """Probabilities (n_labels,), and whether the features lie beyond nearly all training utterances."""

    probabilities: np.ndarray
    far: bool


def load_model(folder: str | Path, *, plugins: tuple[str | Path, ...] = ()) -> SpeechModel:
    """Load a model that `serbench train` made, or a cell's that `serbench run --save-models` kept.

    No code of the folder is run: there is no pickle in it, and classes that are not known are refused.

    Parameters
    ----------
    folder : path
        What `serbench train` wrote, or ``<results>/<suite>/models/<cell id>``.
    plugins : tuple of paths
        Plug-in files that the model or its features come from.

    Raises
    ------
    ModelError
        If there is no model, its files are damaged or changed, or its features are now computed in another way.
    UnknownName
        If there is no such feature set here.

    Examples
    --------
    >>> import tempfile, pathlib, serbench
    >>> results = tempfile.mkdtemp()
    >>> one = {"model": ["svm"], "protocol": ["speaker_kfold"], "fold": ["1"]}
    >>> board = serbench.run("demo", filters=one, results=results, jobs=1, save_models=True)
    >>> folder = next(pathlib.Path(results, "demo", "models").iterdir())
    >>> table = serbench.load_corpus("synthetic")
    >>> serbench.load_model(folder).predict_proba(table["path"].iloc[0]).shape
    (7,)
    """
    folder, registry = Path(folder), build_registry([Path(path) for path in plugins])
    if not (folder / MANIFEST).exists():
        return SpeechModel((_member(_load_checked(folder, registry)),), registry, name=folder.name)
    manifest = read_manifest(folder)
    members = tuple(
        _member(
            _load_checked(folder / entry.folder, registry),
            entry.weight,
            entry.temperature,
            read_known(folder / entry.folder),
        )
        for entry in manifest.members
    )
    if any(list(member.saved.meta["labels"]) != manifest.labels for member in members):
        raise ModelError("its members answer other labels than the model", where=str(folder), hint="train it again")
    return SpeechModel(members, registry, manifest.temperature, manifest.sheet, folder.resolve().name)


def _member(saved: SavedModel, *rest: Any) -> Member:
    member = Member(saved, *rest)
    if "enrolment" not in saved.meta:
        return member
    return replace(member, adaptation=Adaptation.from_json(saved.meta["enrolment"])).enrolled([])


def _normalised(features: Sequence[np.ndarray], speaker: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    mean, deviation = speaker
    return [((item - mean) / deviation).astype(np.float32) for item in features]


def _scaled(probabilities: np.ndarray, temperature: float, bias: Sequence[float] = ()) -> np.ndarray:
    return probabilities if temperature == 1 and not bias else at_temperature(probabilities, temperature, bias or 0.0)


def _load_checked(folder: Path, registry: Registry) -> SavedModel:
    saved = load_saved(folder, registry)
    normalise = saved.meta["cell"].get("normalise", "none")
    if normalise != "none":
        raise FeatureError(
            f"the model was trained on {normalise}-normalised features",
            where="+".join(entry["name"] for entry in saved.meta["features"]),
            hint="these need all utterances of a speaker: use a model trained without",
        )
    _refuse_other_features(saved, registry, folder)
    return saved


def _refuse_other_features(saved: SavedModel, registry: Registry, folder: Path) -> None:
    # Of models saved before, the cell's own version is known; that of a plug-in said nothing of its source.
    if not saved.meta.get("features"):
        raise ModelError("the saved model names no features", where=str(folder), hint="run its row again")
    told = saved.meta.get("feature_versions", {})
    for entry in saved.meta["features"]:
        name, version = entry["name"], entry.get("version")
        if not registry.get("features", name).choose:
            version = told.get(name, version)
        now = stored_spec(registry, name, entry.get("params", {})).version
        if now != version:
            raise ModelError(
                f"the model was trained on '{name}' of version {version}, here it is of version {now}",
                where=str(folder),
                hint="load it with the serbench (and plug-ins) that saved it, or train its row again",
            )

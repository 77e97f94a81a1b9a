"""A suite: what is benchmarked, as one YAML file says it (see `suite_file`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from serbench.runner.suite.conditions import Robustness, Variants
from serbench.runner.suite.enrolling import Enrol, refuse_beside_enrol, with_draws
from serbench.runner.suite.titles import read_features_title, read_title
from serbench.runner.suite.values import MOST_FOLDS, MOST_TRIALS, FileName, Params, Seeds, Text, plain_parameter
from serbench.specs import renamed_features


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _titled(value: Any) -> Any:
    return read_title(value) if isinstance(value, str) else value


def _feature_set(value: Any) -> Any:
    value = _titled(value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return {**value, "name": renamed_features(value["name"])}
    return value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class CorpusEntry(BaseModel):
    """A corpus by name; `adapter` and its options make a user's own folder or manifest a corpus."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: Params
    name: Text
    adapter: Text | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Options of the adapter."""
        return dict(self.model_extra or {})


class Entry(_Strict):
    """A plug-in by name, with the parameters that differ from its defaults."""

    name: Text
    params: Params = {}


class FeaturesEntry(_Strict):
    """One feature set, or several concatenated."""

    sets: Annotated[list[Annotated[Entry, BeforeValidator(_feature_set)]], Field(min_length=1)]
    normalise: Literal["none", "speaker"] = "none"


def _features(value: Any) -> Any:
    # A name, a list of names (concatenated), or a mapping with `name` (one set) or `sets`.
    if isinstance(value, str):
        return read_features_title(value)
    if isinstance(value, list):
        return {"sets": value}
    if isinstance(value, dict) and "name" in value:
        rest = {key: item for key, item in value.items() if key not in ("name", "params")}
        return {"sets": [{"name": value["name"], "params": value.get("params", {})}], **rest}
    return value


def _labels(value: Any) -> Any:
    return {"map": value} if isinstance(value, str) else value


def _member(value: str) -> str:
    model, _, features = value.partition("@")
    if not (model and features):
        raise ValueError("a member is written model@features, as the leaderboard names them")
    return f"{model}@{renamed_features(features)}"


Member = Annotated[str, AfterValidator(_member)]
Named = Annotated[Entry, BeforeValidator(_titled)]
Merged = Annotated[list[Annotated[CorpusEntry, BeforeValidator(_named)]], BeforeValidator(_listed), Field(min_length=1)]


class Tuning(_Strict):
    """A search inside each training part; its rows stand beside the untuned ones.

    Attributes
    ----------
    trials : int
        Parameter sets tried in each outer fold, the defaults first.
    timeout : float
        Seconds of trials in a cell after which no further one starts; marks the row as not reproducible.
    inner : int
        Inner folds; with 1 a single quarter of the training part judges.
    features : list
        Feature sets (written like those of the grid) that a search may choose instead of the row's own.
    choices : mapping
        Further model parameters with the values to choose from, for the models that have them.
    """

    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)]
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    inner: Annotated[int, Field(ge=1, le=MOST_FOLDS)] = 3
    features: list[Annotated[FeaturesEntry, BeforeValidator(_features)]] = []
    choices: dict[
        str,
        Annotated[
            list[Annotated[str | int | float | bool | None, AfterValidator(plain_parameter)]], Field(min_length=1)
        ],
    ] = {}

    @field_validator("features")
    @classmethod
    def _as_the_row(cls, value: list[FeaturesEntry]) -> list[FeaturesEntry]:
        if any(entry.normalise != "none" for entry in value):
            raise ValueError("a normalisation changes the row's verdict: give it a features entry of its own")
        return value


class Block(_Strict):
    """Features × models × protocols; pairs of a model and a feature set that do not fit are left out.

    `tuning`, `augment` and `seeds` take the place of the suite's. `enrol` gives a row for each number of utterances
    that are heard of a new speaker; its seeds draw them, and it has no copies but those of the block's own `augment`.
    """

    _draws = model_validator(mode="before")(with_draws)
    _beside = model_validator(mode="after")(refuse_beside_enrol)

    features: Annotated[list[Annotated[FeaturesEntry, BeforeValidator(_features)]], Field(min_length=1)]
    models: Annotated[list[Named], Field(min_length=1)]
    protocols: Annotated[list[Named], Field(min_length=1)]
    tuning: Tuning | None = None
    augment: Variants | None = None
    seeds: Seeds | None = None
    enrol: Enrol | None = None


class Labels(_Strict):
    """A label map by name, with classes dropped or merged after it."""

    map: str = "native"
    drop: list[str] = []
    merge: dict[str, str] = {}


class Claim(_Strict):
    """A published number, and the rows of the suite that stand for it.

    Attributes
    ----------
    model : str
        What the authors call it.
    reported : float
        Between 0 and 1; none where they give no number.
    row, mistake_row : str
        ``model@features`` of the rows; of that with the mistake, where another model is needed to make it.
    needs : str
        What it takes to run the claim that the package lacks, such as pre-trained weights; said while it has no number.
    own, mistake, speaker_independent : str
        Protocols, with their parameters where the suite gives them some: as published, with the likely mistake (none
        where there is no suspicion), and with whole speakers held out.
    corpus : str
        Of the rows, as the leaderboard names it; needed where the suite has several.
    augment : bool
        Whether the claim is about the augmented rows.
    rows : mapping
        Ids of rows for `own`, `mistake` or `speaker_independent`, where names alone do not tell them apart.
    """

    claim: str
    model: str
    metric: Literal["accuracy", "uar", "macro_f1", "weighted_f1"] = "accuracy"
    reported: Annotated[float, Field(ge=0, le=1)] | None = None
    row: Member | None = None
    mistake_row: Member | None = None
    needs: Text = ""
    own: str
    mistake: str | None = None
    speaker_independent: str
    corpus: str | None = None
    augment: bool = False
    rows: dict[Literal["own", "mistake", "speaker_independent"], Text] = {}
    note: str = ""

    @model_validator(mode="after")
    def _runs_or_needs(self) -> Claim:
        if self.row is None and not self.needs:
            raise ValueError("a claim has a row (model@features), or else says what it needs")
        return self


class Published(_Strict):
    """Where published numbers come from."""

    source: str
    claims: Annotated[list[Claim], Field(min_length=1)]


class Ensemble(_Strict):
    """A row whose cells average the calibrated probabilities of other cells.

    Attributes
    ----------
    members : list of str
        Each the ``model@features`` of a row of this suite.
    weights : {"equal", "validation"}
        Of the members: equal, or chosen in each fold on its validation part.
    missing : {"skip", "available"}
        Where a member cannot be run, for want of an optional package: the ensemble is a skipped row too, or goes on
        with the members that are available (two at least), as a row that names those it is without.
    """

    members: Annotated[list[Member], Field(min_length=2)]
    weights: Literal["equal", "validation"] = "equal"
    missing: Literal["skip", "available"] = "skip"


def _ensemble(value: Any) -> Any:
    return {"members": value} if isinstance(value, list) else value


class Suite(_Strict):
    """A suite.

    Attributes
    ----------
    corpora : list
        Each entry a corpus, or a list of corpora that are merged.
    absent : {"error", "skip"}
        What to do about absent corpora: the rest is run, if two of those that are merged are there.
    defects : {"drop", "keep"}
        `keep` leaves known defects in, to reproduce published data sets.
    exclude : list of str
        Ids (`corpus/utterance`) left out.
    timeout : float
        Seconds after which a cell is ended and fails; part of no id.
    tuning : mapping
        Adds a tuned row beside each row whose model has a search space.
    augment : mapping, or list of mappings and "none"
        Altered copies of the training utterances; a list gives a row for each.
    robustness : mapping
        Degraded versions of the test part that every trained model answers too.
    ensembles : mapping
        Name -> `Ensemble`, or the list of its members alone.
    published : mapping
        Numbers that others report, which `serbench claims` sets beside the rows of this suite.
    """

    name: FileName
    title: Text
    description: str = ""
    corpora: Annotated[list[Merged], Field(min_length=1)]
    absent: Literal["error", "skip"] = "error"
    defects: Literal["drop", "keep"] = "drop"
    exclude: list[str] = []
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    labels: Annotated[Labels, BeforeValidator(_labels)] = Labels()
    seeds: Seeds = [0]
    tuning: Tuning | None = None
    augment: Variants = [None]
    robustness: Robustness | None = None
    ensembles: dict[str, Annotated[Ensemble, BeforeValidator(_ensemble)]] = {}
    published: Published | None = None
    grid: Annotated[list[Block], Field(min_length=1)]

"""What a plug-in declares: corpus, feature set, protocol, model, as frozen constants.

A module declares a spec as a constant; the registry collects it. Functions inside a spec import
what they need when they are called, so that listing specs imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Params = Mapping[str, Any]
# Feature sets by the names that they once had: cells keep these, so that their ids stay; all else uses the new ones.
RENAMED_FEATURES = {"compare": "compare2016"}
Independence = Literal["speaker", "text", "corpus"]


def renamed_features(name: str) -> str:
    """Today's name of a feature set, or of several joined by `+`.

    Examples
    --------
    >>> renamed_features("compare+handcrafted")
    'compare2016+handcrafted'
    """
    return "+".join(RENAMED_FEATURES.get(part, part) for part in name.split("+"))


def recorded_features(name: str) -> str:
    """The name of a feature set that cells keep.

    Examples
    --------
    >>> recorded_features("compare2016")
    'compare'
    """
    return {new: old for old, new in RENAMED_FEATURES.items()}.get(name, name)


@dataclass(frozen=True)
class Source:
    """One thing to download: where an owner of a corpus publishes it.

    Attributes
    ----------
    url : str
        Address, https where the owner has it.
    size : int or None
        Bytes, as published; None where no size is published.
    checksum : str
        As published: ``md5:...`` or ``sha256:...``. Empty: no published checksum; the one seen is recorded.
    stated : str
        Where size and checksum stand, in words.
    kind : {"archive", "dataverse"}
        An archive to unpack, or the file list of a Dataverse data set, whose files have checksums of their own.
    folder : str
        Folder of the archive that holds the audio; empty: all of it.
    lfs : str
        Where the archive holds Git LFS pointers: the address in front of their paths in the repository.
    """

    url: str
    size: int | None = None
    checksum: str = ""
    stated: str = ""
    kind: Literal["archive", "dataverse"] = "archive"
    folder: str = ""
    lfs: str = ""


@dataclass(frozen=True)
class CorpusSpec:
    """The card of a corpus.

    Attributes
    ----------
    name : str
        Also the folder below the data root.
    labels : tuple of str
        The corpus' own labels, in the order in which they are reported.
    load : callable
        ``load(root, **options) -> DataFrame``, the raw utterance table: one row per file, columns
        `utterance`, `path`, `speaker`, `label` and optionally `gender`, `text`, `intensity`,
        `take`, `official_fold`. Reads names, not audio.
    utterances, speakers : int or None
        Counts of the corpus' design; None where there is no design (a user's own folder).
    project : str
        The recording project that people belong to: `ravdess/07` is one person in speech and song.
        Empty: the corpus' own name.
    defects : tuple of str
        Known defects, in words.
    official_folds : str
        Source of the official folds, empty where the corpus has none.
    options : mapping
        Options of `load` with their defaults; they enter a cell's id.
    user_named : bool
        The name is a user's own and says nothing of the content (`folder`, `manifest`): chance must not depend on it.
    embedded : bool
        Made by the program itself (the synthetic corpus): `load` gets a cache folder.
    emotions : mapping of str to str or None
        Every own label and the emotion that it counts as in the label maps `common4`, `common6` and `common7`
        (neutral, happy, sad, angry, fearful, disgust, surprised); None: none of them.
    terms : str
        What the licence asks for, in one line.
    elicitation : str
        How the emotions came about: acted, improvised, natural.
    hours : float or None
        Length of the whole corpus.
    verified : {"on the real corpus", "on its documented names", ""}
        What `load` was tried on.
    sources : tuple of Source
        What `serbench corpora get` downloads; empty where the owner gives the corpus out by hand.
    steps : tuple of str
        How to get it by hand.
    keep : tuple of str
        Patterns of paths that are unpacked besides audio: tables and evaluations that `load` reads.
    """

    name: str
    version: str
    language: str
    licence: str
    citation: str
    homepage: str
    labels: tuple[str, ...]
    load: Callable[..., pd.DataFrame]
    utterances: int | None = None
    speakers: int | None = None
    project: str = ""
    defects: tuple[str, ...] = ()
    official_folds: str = ""
    options: Params = field(default_factory=dict)
    user_named: bool = False
    embedded: bool = False
    emotions: Mapping[str, str | None] = field(default_factory=dict)
    terms: str = ""
    elicitation: str = ""
    hours: float | None = None
    verified: Literal["on the real corpus", "on its documented names", ""] = ""
    sources: tuple[Source, ...] = ()
    steps: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def obtainable(self) -> bool:
        """Whether its owners hand it out: by download, or by steps to be taken by hand."""
        return bool(self.sources or self.steps)

    @property
    def person_prefix(self) -> str:
        """What comes before the slash in a speaker's full name."""
        return self.project or self.name


@dataclass(frozen=True)
class FeatureSpec:
    """A feature set.

    Attributes
    ----------
    kind : {"vector", "sequence"}
        What `extract` returns: (d,) or (frames, d), float32.
    extract : callable
        ``extract(signal, rate, **params) -> array``; `signal` is mono float32 in [-1, 1] at `rate` Hz.
    rate : int or None
        Hz that signals are converted to; None: each is left at its own.
    hop : float or None
        Seconds between frames; required for a sequence.
    params : mapping
        Parameters with their defaults. `trim` (dB below the peak, or None) is understood by every
        set: silence at both ends is cut before `extract` sees the signal.
    requires : tuple of str
        Optional packages that `extract` imports. Where one is absent, rows with the set are skipped and say so.
    choose : callable, optional
        ``choose(params) -> FeatureSpec`` for a set whose kind or version hangs on its parameters.
    fill : callable, optional
        ``fill(store, sets, items, alteration) -> failures`` in place of one `extract` for each utterance; see
        `extract_into`. Sets of one version are filled together.
    unavailable : str
        Why rows with the set are skipped here; empty: they are not.
    memory : int
        Bytes that a process needs to extract it; beyond nothing, only so many do as there is room for, one for a GPU.
    """

    name: str
    version: str
    kind: Literal["vector", "sequence"]
    extract: Callable[..., np.ndarray]
    rate: int | None = 16_000
    hop: float | None = None
    params: Params = field(default_factory=dict)
    description: str = ""
    requires: tuple[str, ...] = ()
    choose: Callable[[Params], FeatureSpec] | None = None
    fill: Callable[..., list[tuple[str, str]]] | None = None
    unavailable: str = ""
    memory: int = 0


@dataclass(frozen=True)
class Split:
    """One fold: a name and the ids (`corpus/utterance`) on each side."""

    fold: str
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """A mistake of published work that a protocol makes on purpose; without a leak it is none, and false.

    Attributes
    ----------
    leak : str
        What the audit calls it: a leak of the whole test part, whatever else is shared.
    short : str
        In a word or two, beside a number.
    splits_copies : bool
        Originals and augmented copies are split together; only rows with copies can make it.
    validates_on_test : bool
        The test part is the validation part; only models that take one can make it, and none is tuned.
    """

    leak: str = ""
    short: str = ""
    splits_copies: bool = False
    validates_on_test: bool = False

    def __bool__(self) -> bool:
        return bool(self.leak)


NO_MISTAKE = Mistake()
EPOCH_ON_TEST = Mistake("epoch chosen on test", "epoch on test", validates_on_test=True)


@dataclass(frozen=True)
class ProtocolSpec:
    """A way to split a corpus.

    Attributes
    ----------
    split : callable
        ``split(table, seed, **params) -> list of Split``. The result depends on the table's content,
        never on its row order.
    independence : frozenset of {"speaker", "text", "corpus"}
        What no test utterance may share with the training part; checked before anything trains.
    params : mapping
        Parameters with their defaults.
    pin : callable, optional
        ``pin(params) -> params`` for a protocol that reads a file: adds the hash of its content, so that a changed
        file is another split with other cell ids.
    mistake : Mistake
        For demonstration only; the verdict is leaky whatever else is found.
    """

    name: str
    version: str
    split: Callable[..., list[Split]]
    independence: frozenset[str] = frozenset()
    params: Params = field(default_factory=dict)
    pin: Callable[[Params], dict[str, Any]] | None = None
    description: str = ""
    mistake: Mistake = NO_MISTAKE


@dataclass(frozen=True)
class ModelSpec:
    """A classifier.

    Attributes
    ----------
    accepts : {"vector", "sequence"}
        A vector X is (n, d) float32; a sequence X is a list of n arrays (frames, d) float32.
    build : callable
        ``build(params, *, n_classes, seed) -> estimator`` with scikit-learn's contract: `fit(X, y)`,
        `predict_proba(X) -> (n, n_classes)`, `classes_`; y holds int codes 0..n_classes-1.
    params : mapping
        Default parameters.
    space : callable, optional
        ``space(trial) -> params``, an Optuna search space.
    search : callable, optional
        ``search(X, y, Xv, yv, *, n_classes, seed) -> evaluate`` makes once what the trials of one inner fold share
        (scaling, kernels); ``evaluate(params) -> (probabilities of Xv, params found)`` then equals building, fitting
        and predicting. `yv` is -1 for a class that `y` lacks; what a fit finds out (boosting rounds) goes into the
        final fit as the median over the folds. Without it every trial builds and fits.
    features : tuple of str
        Restricts the feature sets; empty means every set of the accepted kind.
    validation : bool
        Then ``fit(X, y, validation=(Xv, yv))``; the others train on the whole training part.
    groups : bool
        Then ``fit(X, y, groups=speakers)``.
    requires : tuple of str
        Optional packages that `build` imports. Where one is absent, rows of the model are skipped and say so.
    trusted : tuple of str
        Full names of classes that a saved model may hold besides those of scikit-learn and numpy.
    choose : callable, optional
        ``choose(params) -> ModelSpec`` for a model whose version hangs on its parameters.
    unavailable : str
        Why rows of the model are skipped here; empty: they are not.
    """

    name: str
    accepts: Literal["vector", "sequence"]
    build: Callable[..., Any]
    version: str = "1"
    params: Params = field(default_factory=dict)
    space: Callable[[Any], dict] | None = None
    search: Callable[..., Callable[[Params], tuple[np.ndarray, dict]]] | None = None
    features: tuple[str, ...] = ()
    validation: bool = False
    groups: bool = False
    description: str = ""
    requires: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    choose: Callable[[Params], ModelSpec] | None = None
    unavailable: str = ""


@dataclass(frozen=True)
class ExecutorSpec:
    """A way to run jobs.

    Attributes
    ----------
    open : callable
        ``open(circumstances, work) -> executor`` with the methods of `runner.executors.base.Executor`; `work` is
        a folder of the run that its workers see too.
    """

    name: str
    open: Callable[..., Any]
    version: str = "1"
    description: str = ""


_TYPES = {"str": str, "bool": bool, "int": int, "Params": Mapping, "tuple[str, ...]": tuple}


def refuse_wrong_fields(spec: Any) -> None:
    """Check what a plug-in has put into a spec.

    Raises
    ------
    ValueError
        Naming the first field that is of another type, or a name that no file and no table can carry.
    """
    kind = type(spec).__name__
    for item in fields(spec):
        value, declared = getattr(spec, item.name), str(item.type)
        if "None" in declared and value is None:
            continue
        if declared.startswith("Callable"):
            right = callable(value)
        elif declared.startswith("Literal"):
            right = isinstance(value, str) and repr(value) in declared.replace('"', "'")
        else:
            right = isinstance(value, _TYPES.get(declared, object))
        if not right:
            raise ValueError(f"{kind}.{item.name} is {value!r}, expected {declared}")
    if not (spec.name.isprintable() and 0 < len(spec.name) <= 100) or spec.name[0] == "." or {"/", "\\"} & {*spec.name}:
        raise ValueError(f"{kind}.name is {spec.name!r}: give a short name without slashes or control characters")

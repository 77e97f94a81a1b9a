"""A feature set in two dimensions: do utterances gather by emotion, or by speaker?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import FeatureError, UnknownName, UsageError
from serbench.reporting.figures.canvas import MARKERS, SEQUENCE, new_figure
from serbench.reporting.figures.kind import CorpusView, FigureKind
from serbench.reporting.figures.overview import speaker_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS = ("pca", "tsne")
DEFAULT_FEATURES = "handcrafted"
MOST_LISTED = 24


def draw(view: CorpusView) -> Figure:
    """Draw the map twice: coloured by emotion (marks are speakers), and coloured by speaker."""
    name, method = view.choices.get("features") or DEFAULT_FEATURES, view.choices.get("method") or "pca"
    if method not in METHODS:
        raise UnknownName.among("method", method, METHODS, where="--method")
    if len(view.table) < 3:
        raise UsageError(f"{len(view.table)} utterances make no map", hint="choose a corpus with more of them")
    values = standardised(read_features(view, name))
    labels, speakers = view.table["label"].to_numpy(), speaker_names(view.table).to_numpy()
    places, axis_names = project(values, method)
    figure = new_figure(4.3, width=8.6)
    figure.suptitle(_title(view.name, name, values, labels, speakers), fontsize=9, fontweight="bold", x=0.01, ha="left")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _scatter(left, places, labels, list(view.labels), speakers, "emotion")
    _scatter(right, places, speakers, sorted(set(speakers)), speakers, "speaker")
    for axes in (left, right):
        axes.set_xlabel(axis_names[0])
    left.set_ylabel(axis_names[1])
    return figure


def read_features(view: CorpusView, name: str) -> np.ndarray:
    """Vectors of all utterances, shape (n, d), from the feature store; what it lacks is extracted into it.

    Raises
    ------
    UnknownName
        For a set that is not there.
    FeatureError
        If the set holds sequences, or an utterance has no features.
    """
    from serbench.features.extract import extract_into
    from serbench.features.store import FeatureStore
    from serbench.registry import build_registry

    spec = build_registry().get("features", name, where="--features")
    if spec.choose:
        raise FeatureError(f"'{name}' names no model yet", where="--features", hint=f"such as {DEFAULT_FEATURES}")
    if spec.kind != "vector":
        raise FeatureError(
            f"'{name}' holds sequences; a map needs a vector per utterance", hint=f"such as {DEFAULT_FEATURES}"
        )
    store = FeatureStore(view.circumstances.cache / "features")
    contents, paths = list(view.table["content"]), list(view.table["path"])
    if store.missing(spec, spec.params, contents):
        failures = extract_into(store, [(spec, spec.params)], list(zip(contents, paths, strict=True)))
        if failures:
            raise FeatureError(f"no features: {failures[0][1]}", where=str(failures[0][0]))
    matrix = store.read(spec, spec.params, list(view.table["id"]), contents)
    return np.asarray(matrix.values, dtype=np.float64)


def standardised(values: np.ndarray) -> np.ndarray:
    """Zero mean and unit variance in every dimension; constant ones stay zero."""
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def project(values: np.ndarray, method: str) -> tuple[np.ndarray, tuple[str, str]]:
    """Two coordinates per utterance, shape (n, 2), and the names of the axes."""
    from sklearn.decomposition import PCA

    pca = PCA(n_components=min(50, *values.shape), random_state=0)
    reduced = pca.fit_transform(values)
    if method == "pca":
        shares = 100 * pca.explained_variance_ratio_
        return reduced[:, :2], tuple(f"component {i + 1} ({shares[i]:.0f} % of the variance)" for i in range(2))
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(values) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1)
    return tsne.fit_transform(reduced), ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)")


def shared_with_nearest(values: np.ndarray, names: np.ndarray) -> float:
    """Share of utterances whose nearest neighbour (Euclidean, all dimensions) has the same name."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=2).fit(values).kneighbors(values, return_distance=False)
    # Of doubled utterances either may come first.
    other = np.where(nearest[:, 0] == np.arange(len(values)), nearest[:, 1], nearest[:, 0])
    return float((names == names[other]).mean())


def _title(corpus: str, features: str, values: np.ndarray, labels: np.ndarray, speakers: np.ndarray) -> str:
    by_speaker, by_label = (100 * shared_with_nearest(values, names) for names in (speakers, labels))
    synthetic = " (synthetic speech)" if corpus == "synthetic" else ""
    return (
        f"{features} of {corpus}{synthetic}: the nearest utterance has the same speaker for {by_speaker:.0f} %, "
        f"the same emotion for {by_label:.0f} %"
    )


def _scatter(
    axes: Axes, places: np.ndarray, names: np.ndarray, order: list[str], speakers: np.ndarray, title: str
) -> None:
    marker_of = {name: MARKERS[number % len(MARKERS)] for number, name in enumerate(sorted(set(speakers)))}
    colours = _colours(len(order))
    for number, name in enumerate(order):
        for speaker in sorted(set(speakers[names == name])):
            chosen = (names == name) & (speakers == speaker)
            axes.scatter(*places[chosen].T, s=13, marker=marker_of[speaker], color=colours[number], lw=0, alpha=0.75)
    axes.set_title(f"coloured by {title}" + (", marked by speaker" if title == "emotion" else ""))
    _legend(axes, order, colours, marker_of if title == "speaker" else {})


def _legend(axes: Axes, order: list[str], colours: list, marker_of: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    listed = order[:MOST_LISTED]
    handles = [
        Line2D([], [], ls="", marker=marker_of.get(name, "o"), color=colour, label=name)
        for name, colour in zip(listed, colours, strict=False)
    ]
    more = f"{len(order) - len(listed)} more" if len(order) > len(listed) else None
    columns = 4 if len(listed) <= 8 else 8
    axes.legend(
        handles=handles, title=more, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, fontsize=7,
        columnspacing=1.0, handletextpad=0.2,
    )  # fmt: skip


def _colours(count: int) -> list:
    if count <= len(SEQUENCE):
        return list(SEQUENCE[:count])
    from matplotlib import colormaps

    return [colormaps["turbo"](value) for value in np.linspace(0.03, 0.97, count)]


MAP = FigureKind("map", "corpus", draw, "A feature set in two dimensions, by emotion and by speaker.")

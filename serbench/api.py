"""The same from Python: small functions over pandas and numpy that the command line itself uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serbench.features.api import extract
from serbench.inference.model import load_model
from serbench.protocols.splitting import split
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.scoring import score

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from serbench.circumstances import Circumstances
    from serbench.registry import Registry
    from serbench.runner.observers import Observer
    from serbench.runner.planning.cells import Plan
    from serbench.runner.planning.selection import Filters
    from serbench.runner.suite.schema import Suite

__all__ = ["extract", "leaderboard", "load_corpus", "load_model", "load_records", "plot", "run", "score", "split"]


def load_corpus(
    name: str,
    *,
    data: str | Path | None = None,
    labels: str | None = None,
    cache: str | Path | None = None,
    path: str | Path | None = None,
    adapter: str | None = None,
    **adapter_options: Any,
) -> pd.DataFrame:
    """Open a corpus as a table of utterances.

    Parameters
    ----------
    name : str
        Such as ``"emodb"`` or ``"synthetic"`` (`serbench corpora` lists them), or a corpus of a suite file in the
        working folder.
    data : path, optional
        Folder with one folder per corpus; else as for the command line.
    labels : str, optional
        A label map (``"common7"``); else the corpus' own labels.
    cache : path, optional
        Where content hashes and the synthetic corpus go; else as for the command line.
    path : path, optional
        Where this corpus is, if elsewhere.
    adapter : str, optional
        ``"folder"`` or ``"manifest"``, for a corpus of your own that no file describes; `name` is then yours to choose.
    **adapter_options
        Such as ``defects="keep"``.

    Returns
    -------
    DataFrame
        One row per utterance: `id`, `corpus`, `utterance`, `path`, `speaker`, `label`, `gender`, `text`, `intensity`,
        `take`, `official_fold`, `duration` (s), `content` (hash of the decoded audio), `nickname` (`name` where it
        is the user's own: splits do not depend on it).

    Raises
    ------
    CorpusError
        If the corpus is absent; it says where to get it.

    Examples
    --------
    >>> table = load_corpus("synthetic")
    >>> len(table), table["speaker"].nunique(), sorted(table["label"].unique())[:2]
    (336, 8, ['angry', 'disgust'])
    """
    from serbench.circumstances import circumstances
    from serbench.corpora.labels import apply_labels, resolve_labels
    from serbench.corpora.loading import open_corpus
    from serbench.registry import build_registry
    from serbench.runner.planning.own_corpora import registry_with_own
    from serbench.runner.planning.task import corpus_spec
    from serbench.runner.suite.schema import CorpusEntry

    around = circumstances(data=data, cache=cache, corpus_paths={name: path} if path else None)
    if adapter is None:
        spec = registry_with_own(around.plugins).get("corpus", name)
    else:
        spec = corpus_spec(CorpusEntry(name=name, adapter=adapter), build_registry(around.plugins))
    corpus = open_corpus(spec, around, options=adapter_options)
    return apply_labels(corpus.table, resolve_labels(labels or "native", [corpus.spec]))


def plot(
    kind: str,
    name: str,
    row: str | None = None,
    *,
    corpus: str | None = None,
    around: Circumstances | None = None,
    utterance: str | None = None,
    features: str | None = None,
    method: str | None = None,
    **where: Any,
) -> Figure:
    """Draw a figure, as `serbench plot` does.

    Parameters
    ----------
    kind : str
        Such as ``"gap"``, ``"confusion"``, ``"overview"`` (`serbench plot` lists them).
    name : str
        A suite with results; ``overview``, ``speech`` and ``map`` also take a corpus.
    row : str, optional
        For figures of one row; the best speaker-independent one unless told.
    corpus : str, optional
        Where the suite has several.
    utterance, features, method : str, optional
        Choices of ``speech`` and ``map``.
    around : Circumstances, optional
        Instead of `where`.
    **where
        Circumstances, as for `run`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from serbench.circumstances import circumstances
    from serbench.reporting.figures.catalogue import draw, kind_named
    from serbench.reporting.figures.views import open_view
    from serbench.runner.planning.own_corpora import suite_corpora

    around = around or circumstances(**where)
    name, own = suite_corpora(name, around)
    choices = {"utterance": utterance, "features": features, "method": method}
    return draw(kind, open_view(kind_named(kind), name, row, corpus, around, choices=choices, own=own))


def run(
    suite: str | Path | Suite,
    *,
    filters: Mapping[str, Sequence] | Filters | None = None,
    require: str | None = None,
    force: bool = False,
    fail_fast: bool = False,
    save_models: bool = False,
    shard: str | None = None,
    tracking: str | None = None,
    observers: Sequence[Observer] = (),
    quiet: bool = True,
    around: Circumstances | None = None,
    **where: Any,
) -> pd.DataFrame:
    """Run a suite and return its leaderboard.

    Parameters
    ----------
    suite : str, path or Suite
        Name or file, or what `load_suite` made of it.
    filters : mapping or Filters, optional
        Names to keep by `corpus`, `features`, `model`, `protocol`, `fold`, `seed`; also `trials`, `inner`,
        `permute_labels` and `row`, as the options of `serbench run`.
    require : str, optional
        Refuse rows of another verdict: ``"speaker-independent"`` (the split) or ``"audited"`` (all layers).
    force : bool
        Run finished cells again.
    fail_fast : bool
        Stop at the first cell that fails.
    save_models : bool
        Keep every fitted model (`load_model` reads it); finished cells without one are fitted again.
    shard : str, optional
        Run the cells of one part of the plan alone, ``"3/40"``.
    tracking : str, optional
        Address of an MLflow store that rows are written to as they complete.
    observers : sequence of Observer
        Told of the plan, of every finished cell and of the end.
    quiet : bool
        Show no progress.
    around : Circumstances, optional
        Instead of `where`.
    **where
        Circumstances: `data`, `cache`, `results`, `corpus_paths`, `features_files`, `plugins`, `jobs`, `threads`,
        `strict`, `executor`, `scheduler`, `scratch`.

    Returns
    -------
    DataFrame
        One row per corpus × protocol × features × model, as `leaderboard` gives it; `attrs` say how the run ended:
        `planned` (cells to run), `ran`, `failed`, `skipped`, `stopped` and `seconds` (see `runner.engine.Outcome`).

    Examples
    --------
    >>> import tempfile
    >>> board = run("demo", filters={"model": ["majority"]}, results=tempfile.mkdtemp(), jobs=1)
    >>> board[["model", "folds_done"]].drop_duplicates().values.tolist()
    [['majority', 3]]
    """
    from dataclasses import asdict

    from serbench.circumstances import circumstances
    from serbench.reporting.tables import RUN, write_tables
    from serbench.runner.engine import run_plan
    from serbench.runner.observers import Progress
    from serbench.tracking.observer import Tracker

    around = around or circumstances(**where)
    planned = {"require": require, "force": force, "save_models": save_models, "shard": shard}
    plan, registry = plan_run(suite, around, filters=filters, **planned)
    progress = Progress(around.jobs)
    shown = [] if quiet else [progress]
    tracker = [Tracker(tracking, progress.warned)] if tracking else []
    told = [*observers, *shown, *tracker]
    outcome = run_plan(plan, registry, around, told, fail_fast=fail_fast)
    records = load_records(around.results, plan.suite.name)
    board = leaderboard(records)
    write_tables(plan.folder, records, board, below=RUN)
    board.attrs |= {"planned": len(plan.todo), **asdict(outcome)}
    return board


def plan_run(
    suite: str | Path | Suite,
    around: Circumstances,
    *,
    filters: Mapping[str, Sequence] | Filters | None = None,
    require: str | None = None,
    force: bool = False,
    save_models: bool = False,
    shard: str | None = None,
) -> tuple[Plan, Registry]:
    """What `run` would do, and the registry that it would do it with; parameters as there.

    Raises
    ------
    ProtocolError
        If a row has another verdict than the required one.
    """
    from serbench.runner.cell.inputs import open_registry
    from serbench.runner.planning.audits import require_verdict
    from serbench.runner.planning.plan import make_plan
    from serbench.runner.planning.selection import Filters
    from serbench.runner.planning.sharding import parse_shard, take_shard
    from serbench.runner.suite.file import load_suite
    from serbench.runner.suite.schema import Suite

    part = parse_shard(shard) if shard else None
    registry = open_registry(around)
    chosen = filters if isinstance(filters, Filters) else Filters(**(filters or {}))
    loaded = suite if isinstance(suite, Suite) else load_suite(str(suite))
    plan = make_plan(loaded, registry, around, chosen, force=force, save_models=save_models)
    if require:
        require_verdict(plan.cells, require, plan.folder, around.cache)
    return take_shard(plan, registry, *part) if part else plan, registry

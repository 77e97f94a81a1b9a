"""`serbench run`: run suites and print their leaderboards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.circumstances import Circumstances
from serbench.cli import options
from serbench.cli.console import show, tell_origins
from serbench.errors import CorpusError, UsageError

if TYPE_CHECKING:
    from serbench.records import Cell
    from serbench.registry import Registry
    from serbench.runner.observers import Observer
    from serbench.runner.planning.plan import Plan
    from serbench.runner.suite.schema import Suite

Names = list[str] | None


def run(
    suites: Annotated[Names, typer.Argument(help="Suites by name or path.", metavar="SUITE...")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every suite at the top level of benchmarks/ whose corpora are present.")
    ] = False,
    corpus: Annotated[Names, typer.Option("--corpus", help="Only this corpus. Repeatable, like all filters.")] = None,
    features: Annotated[Names, typer.Option("--features", help="Only this feature set; a new one is added.")] = None,
    model: Annotated[Names, typer.Option("--model", help="Only this model; a new one is added.")] = None,
    protocol: Annotated[Names, typer.Option("--protocol", help="Only this protocol; a new one is added.")] = None,
    row: Annotated[
        Names, typer.Option("--row", help="Only this row, by its id, as it was run; members come with an ensemble.")
    ] = None,
    fold: Annotated[Names, typer.Option("--fold", help="Only this fold.")] = None,
    seed: Annotated[list[int] | None, typer.Option("--seed", help="These seeds instead of the suite's.")] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", help="Tune: parameter sets tried per fold; adds rows beside the untuned.")
    ] = None,
    inner: Annotated[int | None, typer.Option("--inner", help="Inner folds of a search [the suite's, else 3].")] = None,
    permute_labels: Annotated[
        bool,
        typer.Option("--permute-labels", help="Sanity run on permuted training labels: must fall to chance."),
    ] = False,
    require: Annotated[
        str | None,
        typer.Option("--require", help="Refuse rows of another verdict: speaker-independent, or audited (all layers)."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="Only the K-th of N parts of the plan: K/N, the same on any machine.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and run nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run finished cells again.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first cell that fails.")] = False,
    save_models: Annotated[
        bool, typer.Option("--save-models", help="Keep every fitted model; fits again what is done without one.")
    ] = False,
    tracking_uri: options.TrackingUri = None,
    no_tracking: Annotated[bool, typer.Option("--no-tracking", help="Write nothing into MLflow.")] = False,
    jobs: options.Jobs = None,
    threads: options.Threads = None,
    cell_timeout: options.CellTimeout = None,
    memory: options.Memory = None,
    executor: options.Executor = None,
    scheduler: options.Scheduler = None,
    scratch: options.Scratch = None,
    weights: options.Weights = None,
    device: options.Device = None,
    yes: options.Yes = False,
    data: options.Data = None,
    corpus_path: options.CorpusPath = None,
    features_file: options.FeaturesFile = None,
    plugin: options.Plugin = None,
    cache: options.Cache = None,
    results: options.Results = None,
    strict: options.Strict = False,
) -> int:
    """Run suites: train and test what is not done yet, then print the leaderboards.

    Exit status: 0 when every cell is done, 1 when some failed, 130 when stopped by Ctrl-C.
    """
    from serbench.api import plan_run
    from serbench.runner.cell.inputs import open_registry
    from serbench.runner.planning.selection import Filters
    from serbench.runner.suite.values import LARGEST_SEED, MOST_FOLDS, MOST_TRIALS
    from serbench.tracking.store import tracking_uri as checked_uri

    around = options.circumstances(
        data=data,
        cache=cache,
        results=results,
        corpus_path=corpus_path,
        features_file=features_file,
        plugin=plugin,
        jobs=jobs,
        threads=threads,
        cell_timeout=cell_timeout,
        memory=memory,
        executor=executor,
        scheduler=scheduler,
        scratch=scratch,
        weights=weights,
        device=device,
        strict=strict,
    )
    registry = open_registry(around)
    registry.get("executor", around.executor, where="--executor")
    if scheduler and around.executor in ("local", "in_process"):
        raise UsageError(f"executor {around.executor} has none", where="--scheduler", hint="say --executor dask too")
    kept = (corpus or (), features or (), model or (), protocol or (), fold or (), seed or ())
    budget, inner = _count("--trials", trials, MOST_TRIALS), _count("--inner", inner, MOST_FOLDS)
    for number in seed or ():
        options.whole_number("--seed", number, -LARGEST_SEED, LARGEST_SEED)
    rows = [name.lower() for name in row or ()]
    filters = Filters(*kept, trials=budget, inner=inner, permute_labels=permute_labels, row=rows)
    _refuse_unknown_corpora(corpus_path, suites or [], registry)
    chosen = _choose(suites or [], everything, registry, around)
    uri = None if no_tracking else checked_uri(tracking_uri, around.own_folder(around.results))
    planned = {"filters": filters, "require": require, "force": force, "save_models": save_models, "shard": shard}
    if dry_run:
        for suite in chosen:
            plan, _ = plan_run(suite, around, **planned)
            _tell_plan(plan)
            _print_plan(plan, around)
        return 0
    how = {**planned, "fail_fast": fail_fast, "tracking": uri, "yes": yes}
    return max((_run_suite(suite, around=around, **how) for suite in chosen), default=0)


def _count(option: str, given: int | None, most: int) -> int | None:
    return given if given is None else options.whole_number(option, given, 1, most)


def _refuse_unknown_corpora(corpus_path: list[str] | None, names: list[str], registry: Registry) -> None:
    from serbench.runner.suite.file import load_suite, suite_names

    def known() -> set[str]:
        listed = [entry for suite in map(load_suite, names or suite_names()) for entry in suite.corpora]
        return {*registry.names("corpus"), *(item.name for entry in listed for item in entry)}

    options.refuse_unknown_corpora(corpus_path, known)


def _choose(names: list[str], everything: bool, registry: Registry, around: Circumstances) -> list[Suite]:
    from serbench.cli.hints import corpus_itself
    from serbench.corpora.presence import how_to_get
    from serbench.runner.planning.task import absent_corpora, present_entries
    from serbench.runner.suite.file import load_suite, suite_names

    if bool(names) == everything:
        raise UsageError("name suites or say --all", where="serbench run", hint=f"suites: {', '.join(suite_names())}")
    chosen = []
    for suite in map(load_suite, names or suite_names()):
        lacking = absent_corpora(suite, registry, around)
        get = how_to_get(lacking, registry)
        if not lacking or (suite.absent == "skip" and present_entries(suite, registry, around)):
            if lacking:
                print(f"suite {suite.name}: run without what is absent: {', '.join(lacking)} ({get})")
            chosen.append(suite)
        elif everything:
            print(f"suite {suite.name}: not run, absent: {', '.join(lacking)} ({get})")
        else:
            itself = corpus_itself(around.data, lacking)
            advice = itself or f"looked for in {around.data} (--data, SERBENCH_DATA); {get}"
            raise CorpusError(f"absent: {', '.join(lacking)}", where=f"suite '{suite.name}'", hint=advice)
    return chosen


def _run_suite(suite: Suite, *, yes: bool, **how: Any) -> int:
    from serbench.api import run as run_suite
    from serbench.cli.leaderboard import print_tables

    corpora = ", ".join("+".join(item.name for item in entry) for entry in suite.corpora)
    print(f"suite {suite.name}: looking at {corpora} …", file=sys.stderr)
    board = run_suite(suite, quiet=False, observers=[_teller(how["around"], yes)], **how)
    print_tables(board)
    tell_origins(board)
    ended = board.attrs
    if ended["stopped"]:
        left = ended["planned"] - ended["ran"]
        print(f"stopped with {left} cells left; the same command goes on from here", file=sys.stderr)
        return 1 if ended["failed"] else 130
    if ended["failed"]:
        advice = "`serbench show` gives the reason, the next run tries again"
        print(f"{ended['failed']} cells failed; {advice}", file=sys.stderr)
        return 1
    return 0


def _teller(around: Circumstances, yes: bool) -> Observer:
    from serbench.runner.observers import Observer

    class Teller(Observer):
        """Says what is planned before it begins, and asks where that takes more than a day."""

        def planned(self, plan: Plan) -> None:
            _tell_plan(plan)
            if not yes:
                _refuse_long(plan, around)

    return Teller()


def _tell_plan(plan: Plan) -> None:
    print(f"suite {plan.suite.name}: {_counts(plan)}", file=sys.stderr)
    if unsaved := plan.count("unsaved"):
        print(
            f"  {unsaved} done cells have no saved model: they are fitted again, with the same results", file=sys.stderr
        )
    for note in dict.fromkeys(note for task in plan.tasks for note in task.summary()["notes"]):
        print(f"  {note}", file=sys.stderr)


def _refuse_long(plan: Plan, around: Circumstances) -> None:
    from serbench.runner.planning.estimates import LONG, duration, least_seconds

    if (seconds := least_seconds([item.cell for item in plan.todo], around.jobs)) > LONG:
        raise UsageError(
            f"this will take more than a day: {duration(seconds)} at the least, with {around.jobs} jobs",
            where=f"suite '{plan.suite.name}'",
            hint="say --yes to run it all the same, or give fewer trials (--trials), rows or folds",
        )


def _counts(plan: Plan) -> str:
    from serbench.runner.planning.plan import STATES

    states = ", ".join(f"{plan.count(state)} {state}" for state in STATES if plan.count(state))
    skipped = f", {len(plan.skipped)} rows skipped" if plan.skipped else ""
    return f"{len(plan.cells)} cells ({states}){skipped}; {len(plan.todo)} to run"


def _print_plan(plan: Plan, around: Circumstances) -> None:
    from collections import Counter

    from rich.box import HEAVY_HEAD

    from serbench.reporting.loading import read_folder
    from serbench.reporting.text_tables import to_terminal
    from serbench.runner.planning.estimates import estimate

    found: dict[tuple, Counter] = {}
    for item in plan.cells:
        found.setdefault(_row_titles(item.cell), Counter())[item.state] += 1
    rows = [
        (*key, states.total(), ", ".join(f"{count} {state}" for state, count in states.items()))
        for key, states in found.items()
    ]
    # Many rows are skipped for one long reason: it stands once, below the table.
    reasons = {reason: number for number, reason in enumerate(dict.fromkeys(row.reason for row in plan.skipped), 1)}
    rows += [(*_row_titles(row.cell), 0, f"skipped ({reasons[row.reason]})") for row in plan.skipped]
    columns = ("corpus", "protocol", "features", "model", "trials", "folds", "state")
    title = f"Plan of suite {plan.suite.name}"
    show(to_terminal(columns, rows, title=title, words=columns, box=HEAVY_HEAD, title_justify="center"))
    for reason, number in reasons.items():
        print(f"skipped ({number}): {reason}")
    earlier = [row["record"] for row in read_folder(plan.folder) if row["record"] is not None]
    time = estimate([item.cell for item in plan.todo], earlier, around.jobs)
    print(f"{_counts(plan)}; estimated time: {time}, with {around.jobs} jobs")


def _row_titles(cell: Cell) -> tuple[str, ...]:
    trials = str(cell.tuning.get("trials", ""))
    return cell.corpus, cell.protocol_name, cell.feature_name, cell.model_name, trials

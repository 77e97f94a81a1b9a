"""`serbench audit`: what the splits behind results, or someone else's split, share between training and test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli import options
from serbench.errors import ResultsError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from serbench.circumstances import Circumstances
    from serbench.specs import CorpusSpec


def audit(
    target: Annotated[
        str | None, typer.Argument(metavar="[SUITE|ROW]", help="A suite with results, or a row as `serbench show`.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option("--split", help="CSV of a split: utterance (or path), speaker, set.")
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option("--folds", help="Folder of fold files: fold_N/<corpus>_{train,test}_fold_N.jsonl or .json."),
    ] = None,
    corpus: Annotated[
        str | None, typer.Option("--corpus", help="Corpus that says who speaks what; its audio may be absent.")
    ] = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Fit a fold of the ROW again with noise for its test part: nothing may move."),
    ] = False,
    output_format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
    results: options.Results = None,
) -> None:
    """Audit the splits behind results, or a split that someone else made: what is on both sides, with evidence."""
    from serbench.reporting.text_tables import to_json, writer_named

    if sum(source is not None for source in (target, split, folds)) != 1:
        raise UsageError("name one thing to audit", hint="SUITE or ROW, or --split FILE, or --folds DIR --corpus NAME")
    if folds is not None and corpus is None:
        raise UsageError("fold files need a corpus", where="--folds", hint="add --corpus NAME, such as --corpus emodb")
    if probe and target is None:
        raise UsageError("only a row can be probed", where="--probe", hint="name a ROW (`serbench leaderboard`)")
    write = writer_named(
        output_format, {"text": lambda _, lines: "\n".join(lines), "json": lambda found, _: to_json(found)}
    )
    around = options.circumstances(data=data, cache=cache, results=results, corpus_path=corpus_path, plugin=plugin)
    options.refuse_unknown_corpora(corpus_path, _known_corpora(around))
    if target is None:
        found: Any = _audit(split, folds, corpus, around)
        lines = _external_lines(found)
    else:
        from serbench.reporting.audits import audit_lines

        found = _recorded(target, probe, around)
        lines = [line for summary in found for line in audit_lines(summary) + _probe_lines(summary.get("probe"))]
    print(write(found, lines))


def _known_corpora(around: Circumstances) -> set[str]:
    from serbench.cli.suite_corpora import suite_corpora
    from serbench.registry import build_registry
    from serbench.reporting.loading import suites_in

    own = {corpus for name in suites_in(around.results) for corpus in suite_corpora(name, around)[1]}
    return {*own, *build_registry(around.plugins).names("corpus")}


def _recorded(target: str, probe: bool, circumstances: Circumstances) -> list[dict[str, Any]]:
    from serbench.reporting.audits import audit_summaries
    from serbench.reporting.loading import load_suites, suites_in
    from serbench.reporting.lookup import find_cells

    whole = target in suites_in(circumstances.results)
    if whole and probe:
        raise UsageError("only a row can be probed", where="--probe", hint="name a ROW (`serbench leaderboard`)")
    loaded = load_suites(circumstances.results, target if whole else None)
    cells = loaded if whole else find_cells(loaded, target)
    summaries = audit_summaries(cells)
    if not summaries:
        raise ResultsError("no finished cell to audit", where=target, hint="run it first (`serbench run`)")
    return [{**summaries[0], "probe": _probe(cells, circumstances)}] if probe else summaries


def _probe(cells: pd.DataFrame, circumstances: Circumstances) -> dict[str, Any]:
    from serbench.runner.cell.inputs import open_registry
    from serbench.runner.probe import probe_cell

    first = cells[cells["status"] == "ok"].sort_values(["seed", "fold"]).iloc[0]
    return probe_cell(first["suite"], first["record"], open_registry(circumstances), circumstances)


def _audit(split: Path | None, folds: Path | None, corpus: str | None, circumstances: Circumstances) -> dict[str, Any]:
    from serbench.protocols.external_files import read_fold_folder, read_split_file
    from serbench.protocols.matching import audit_splits, external_splits, listing_as_table, match_listing
    from serbench.runner.planning.own_corpora import registry_with_own

    where = str(split or folds)
    if corpus is None:
        listing = read_split_file(split)
        listing = listing.assign(id=listing["name"])
        table = listing_as_table(listing, _contents(listing, split.parent, circumstances))
    else:
        spec = registry_with_own(circumstances.plugins).get("corpus", corpus)
        listing = read_fold_folder(folds, corpus) if folds else read_split_file(split)
        listing, table = match_listing(listing, spec, _task_table(spec, circumstances), where=where)
    audited = audit_splits(table, external_splits(listing, where=where))
    return {"split": where, "corpus": corpus or "", **audited}


def _task_table(spec: CorpusSpec, circumstances: Circumstances) -> pd.DataFrame | None:
    from serbench.corpora.loading import corpus_present, open_corpus

    if not corpus_present(spec, circumstances):
        return None
    # Doubled recordings are what an audit looks for: they must not be dropped here.
    return open_corpus(spec, circumstances, options={"defects": "keep"}).table


def _contents(listing: pd.DataFrame, folder: Path, circumstances: Circumstances) -> dict[str, str]:
    from serbench.corpora.scanning import scan_files

    paths = [path for path in dict.fromkeys(listing["path"]) if path and (folder / path).is_file()]
    scans = scan_files([str((folder / path).resolve()) for path in paths], circumstances.cache)
    return {path: scan.content for path, scan in zip(paths, scans, strict=True)}


def _external_lines(result: dict[str, Any]) -> list[str]:
    from serbench.reporting.audits import listed_examples

    lines = [f"{result['split']}: {result['verdict']}"]
    for fold in result["folds"]:
        lines.append(
            f"  fold {fold['fold']}: train {fold['train']}, test {fold['test']} utterances "
            f"of {fold['speakers']} speakers: {fold['verdict']}"
        )
        lines += [
            f"    {leak['kind']}: {leak['count']} ({listed_examples(leak, leak['count'])})" for leak in fold["leaks"]
        ]
        lines += [f"    note: {note}" for note in fold["notes"]]
    return [*lines, *(f"  note: {note}" for note in result["notes"])]


def _probe_lines(probe: dict[str, Any] | None) -> list[str]:
    if probe is None:
        return []
    outcome = "is FITTED ON TEST DATA" if probe["fit_on_test"] else "nothing that was fitted moves"
    lines = [f"  noise for the test part of fold {probe['fold']}: {outcome} (largest change {probe['moved']:.2g})"]
    if probe["order_dependent"]:
        lines.append(f"  note: predictions depend on the order of the batch (by {probe['order']:.2g})")
    return lines

"""`serbench audit`: what the splits behind results, or someone else's split, share between training and test."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli import options
from serbench.errors import ResultsError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from serbench.circumstances import Circumstances


def audit(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[SUITE|ROW|CORPUS]", help="A suite with results, or a row as `serbench show`."),
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
    speaker: Annotated[
        str, typer.Option("--speaker", help="Expression that finds the speaker in a name, where no corpus is given.")
    ] = "",
    canary: Annotated[
        bool,
        typer.Option("--canary", help="Run the ROW again, sealed off from its test part: it must answer as it did."),
    ] = False,
    suite: Annotated[
        str | None, typer.Option("--suite", help="File of the row's suite, where it is elsewhere.")
    ] = None,
    allow: Annotated[
        list[Path] | None, typer.Option("--allow", help="What a sealed row may read, such as its pre-trained weights.")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with status 1 where anything leaks.")] = False,
    shortcuts: Annotated[
        bool,
        typer.Option("--shortcuts", help="Of a suite or a CORPUS: what tells the label without speech."),
    ] = False,
    output_format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    features_file: options.FeaturesFile = None,
    plugin: options.Plugin = None,
    results: options.Results = None,
) -> None:
    """Audit results, a row, or a split that someone else made: what knows of the test part, with evidence."""
    from serbench.protocols.verdict import LEAKY
    from serbench.reporting.text_tables import to_json, writer_named

    if sum(source is not None for source in (target, split, folds)) != 1:
        raise UsageError("name one thing to audit", hint="SUITE or ROW, or --split FILE, or --folds DIR --corpus NAME")
    if canary and target is None:
        raise UsageError("only a row can be run again", where="--canary", hint="name a ROW (`serbench leaderboard`)")
    write = writer_named(
        output_format, {"text": lambda _, lines: "\n".join(lines), "json": lambda found, _: to_json(found)}
    )
    around = options.circumstances(
        data=data, cache=cache, results=results, corpus_path=corpus_path, features_file=features_file, plugin=plugin
    )
    options.refuse_unknown_corpora(corpus_path, lambda: _known_corpora(around))
    if shortcuts:
        if target is None:
            raise UsageError("name what to look at", where="--shortcuts", hint="a CORPUS or a SUITE")
        from serbench.cli.audit_shortcuts import shortcuts_of
        from serbench.runner.shortcuts import shortcut_lines

        told = shortcuts_of(target, around)
        print(write(told, [line for name, found in told.items() for line in shortcut_lines(name, found)]))
        return
    if target is None:
        found: Any = _external(split, folds, corpus, speaker, around)
        lines = _external_lines(found)
        leaks = found["verdict"].startswith(LEAKY)
    else:
        from serbench.reporting.audits import audit_lines

        found = _recorded(target, canary, suite, tuple(allow or ()), around)
        lines = [line for summary in found for line in audit_lines(summary) + _canary_lines(summary.get("canary"))]
        leaks = any(LEAKY in (summary["headline"], summary["verdict"].partition(":")[0]) for summary in found)
    print(write(found, lines))
    if gate and leaks:
        raise typer.Exit(1)


def _known_corpora(around: Circumstances) -> set[str]:
    from serbench.reporting.loading import suites_in
    from serbench.runner.planning.own_corpora import registry_with_own, suite_corpora

    own = {corpus for name in suites_in(around.results) for corpus in suite_corpora(name, around)[1]}
    return {*own, *registry_with_own(around.plugins).names("corpus")}


def _recorded(
    target: str, canary: bool, suite: str | None, allowed: tuple[Path, ...], circumstances: Circumstances
) -> list[dict[str, Any]]:
    from serbench.reporting.audits import audit_summaries
    from serbench.reporting.loading import load_suites, suites_in
    from serbench.reporting.lookup import find_cells

    whole = target in suites_in(circumstances.results)
    if whole and canary:
        raise UsageError("only a row can be run again", where="--canary", hint="name a ROW (`serbench leaderboard`)")
    loaded = load_suites(circumstances.results, target if whole else None)
    cells = loaded if whole else find_cells(loaded, target)
    if not (cells["status"] == "ok").any():
        raise ResultsError("no finished cell to audit", where=target, hint="run it first (`serbench run`)")
    if not canary:
        return audit_summaries(cells)
    found = _canary(cells, suite, allowed, circumstances)
    cells = cells.assign(canary=[found] * len(cells))
    return [{**summary, "canary": found} for summary in audit_summaries(cells)]


def _canary(
    cells: pd.DataFrame, suite: str | None, allowed: tuple[Path, ...], circumstances: Circumstances
) -> dict[str, Any]:
    from serbench.runner.canary.rows import Canary
    from serbench.runner.suite.file import load_suite

    def tell(row: str, fold: str, checks: Mapping[str, Any]) -> None:
        said = ", ".join(f"{name} {check.to_json()['outcome']}" for name, check in checks.items())
        print(f"serbench: {row}, fold {fold}: {said}", file=sys.stderr)

    first = cells.iloc[0]
    return Canary(load_suite(suite or first["suite"]), circumstances, allowed, tell).examine(first["row"])


def _canary_lines(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    lines = [f"  sign: {what}" for what in found["signs"]]
    for fold in found["folds"]:
        for name, check in fold["checks"].items():
            lines.append(
                f"  canary, fold {fold['fold']}, seed {fold['seed']}: {check['outcome']} {name}: {check['detail']}"
            )
    return lines + [f"  {member['row']}{line}" for member in found["members"] for line in _canary_lines(member)]


def _external(
    split: Path | None, folds: Path | None, corpus: str | None, speaker: str, circumstances: Circumstances
) -> dict[str, Any]:
    from serbench.corpora.duplicates import with_recordings
    from serbench.corpora.known import known_utterances
    from serbench.protocols.external_files import read_fold_folder, read_split_file, with_speakers
    from serbench.protocols.matching import audit_splits, external_splits, listing_as_table, match_listing
    from serbench.runner.planning.own_corpora import registry_with_own

    where = str(split or folds)
    # A corpus that nobody knows is named before its files are looked for.
    spec = registry_with_own(circumstances.plugins).get("corpus", corpus) if corpus is not None else None
    listing = read_split_file(split) if split else read_fold_folder(folds, corpus or "")
    notes: list[str] = []
    if spec is None:
        listing = with_speakers(listing.assign(id=listing["name"]), speaker)
        folder = (split or folds / "x").parent
        table = listing_as_table(listing, _contents(listing, folder, circumstances))
        table = table.assign(path=[str(folder / path) for path in table["path"]])
    else:
        if speaker:
            raise UsageError("a corpus says itself who speaks", where="--speaker", hint="leave out --corpus or this")
        listing, table, notes = match_listing(listing, spec, known_utterances(spec, circumstances), where=where)
    table = with_recordings(table, circumstances.cache)
    audited = audit_splits(table, external_splits(listing, where=where), notes)
    return {"split": where, "corpus": corpus or "", **audited}


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

"""`serbench audit`: what a split shares between training and test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli import options
from serbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from serbench.specs import Circumstances, CorpusSpec

FORMATS = ("text", "json")


def audit(
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
    output_format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
) -> None:
    """Audit a split that someone else made: speakers, recordings and takes on both sides."""
    if (split is None) == (folds is None):
        raise UsageError("give one split", hint="--split FILE, or --folds DIR --corpus NAME")
    if folds is not None and corpus is None:
        raise UsageError("fold files need a corpus", where="--folds", hint="add --corpus NAME, such as --corpus emodb")
    if output_format not in FORMATS:
        raise UsageError(f"unknown format '{output_format}'", where="--format", hint=f"allowed: {', '.join(FORMATS)}")
    circumstances = options.circumstances(data=data, cache=cache, corpus_path=corpus_path, plugin=plugin)
    result = _audit(split, folds, corpus, circumstances)
    print(json.dumps(result, indent=2, ensure_ascii=False) if output_format == "json" else _as_text(result))


def _audit(split: Path | None, folds: Path | None, corpus: str | None, circumstances: Circumstances) -> dict[str, Any]:
    from serbench.protocols.foreign import read_fold_folder, read_split_file
    from serbench.protocols.matching import audit_splits, foreign_splits, listing_as_table, match_listing
    from serbench.registry import build_registry

    where = str(split or folds)
    if corpus is None:
        listing = read_split_file(split)
        listing = listing.assign(id=listing["name"])
        table = listing_as_table(listing, _contents(listing, split.parent, circumstances))
    else:
        spec = build_registry(circumstances.plugins).get("corpus", corpus)
        listing = read_fold_folder(folds, corpus) if folds else read_split_file(split)
        listing, table = match_listing(listing, spec, _task_table(spec, circumstances), where=where)
    audited = audit_splits(table, foreign_splits(listing, where=where))
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


def _as_text(result: dict[str, Any]) -> str:
    lines = [f"{result['split']}: {result['verdict']}"]
    for fold in result["folds"]:
        lines.append(
            f"  fold {fold['fold']}: train {fold['train']}, test {fold['test']} utterances "
            f"of {fold['speakers']} speakers: {fold['verdict']}"
        )
        for leak in fold["leaks"]:
            more = ", ..." if leak["count"] > len(leak["examples"]) else ""
            lines.append(f"    {leak['kind']}: {leak['count']} ({', '.join(leak['examples'])}{more})")
        lines += [f"    note: {note}" for note in fold["notes"]]
    return "\n".join([*lines, *(f"  note: {note}" for note in result["notes"])])

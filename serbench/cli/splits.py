"""`serbench splits`: splits written for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli import options
from serbench.cli.verbs import Verbs
from serbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from serbench.circumstances import Circumstances
    from serbench.registry import Registry

app = typer.Typer(cls=Verbs, help="Write the splits of a corpus for other tools.", no_args_is_help=True)

SUFFIXES = (".csv", ".parquet")


@app.callback()
def splits() -> None:
    """Write the splits of a corpus for other tools."""


@app.command("export")
def export(
    corpus: Annotated[str, typer.Argument(help="Corpus, or several joined by +.")],
    protocol: Annotated[str, typer.Argument(help="Protocol (`serbench list protocols`).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: .csv or .parquet.")],
    labels: Annotated[
        str | None, typer.Option("--labels", help="Label map; by default the corpus' own labels.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split.")] = 0,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="Parameter of the protocol: NAME=VALUE. Repeatable.")
    ] = None,
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
    strict: options.Strict = False,
) -> None:
    """Write every fold's training and test utterances as rows: fold, utterance, speaker, role."""
    if output.suffix not in SUFFIXES:
        raise UsageError(
            f"cannot tell the format of '{output}'", where="--output", hint="end its name in .csv or .parquet"
        )
    from serbench.protocols.splitting import split, splits_table
    from serbench.runner.planning.own_corpora import registry_with_own

    circumstances = options.circumstances(data=data, cache=cache, corpus_path=corpus_path, plugin=plugin, strict=strict)
    registry = registry_with_own(circumstances.plugins)
    options.refuse_unknown_corpora(corpus_path, lambda: registry.names("corpus"))
    spec = registry.get("protocol", protocol)
    table = _table(corpus.split("+"), labels, registry, circumstances)
    folds = split(table, spec, seed, **_values(param))
    frame = splits_table(corpus, protocol, seed, folds, table)
    _write(frame, output)
    print(f"{output}: {len(folds)} folds of {table['id'].nunique()} utterances, {protocol}, seed {seed}")


def _table(names: list[str], labels: str | None, registry: Registry, circumstances: Circumstances) -> pd.DataFrame:
    from serbench.corpora.labels import apply_labels, resolve_labels
    from serbench.corpora.loading import merge, open_corpus

    specs = [registry.get("corpus", name) for name in names]
    opened = [open_corpus(spec, circumstances) for spec in specs]
    table = merge(opened)
    if labels is None and len(opened) > 1:
        raise UsageError(
            "several corpora have no labels of their own in common", where="--labels", hint="name a label map"
        )
    return table if labels is None else apply_labels(table, resolve_labels(labels, [item.spec for item in opened]))


def _values(pairs: list[str] | None) -> dict[str, Any]:
    import yaml

    found = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise UsageError(f"'{pair}' is not NAME=VALUE", where="--param", hint="write --param k=10")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UsageError(f"'{value}' is no value", where=f"--param {name}", hint="put text in quotes") from None
    return found


def _write(frame: pd.DataFrame, output: Path) -> None:
    from serbench.records import atomic_path

    with atomic_path(output) as temporary:
        if output.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)

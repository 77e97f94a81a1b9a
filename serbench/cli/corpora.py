"""`serbench corpora`: which corpora are here, what is wrong with their files, and getting those that are absent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from serbench.cli import options
from serbench.cli.console import show
from serbench.cli.corpora_get import get
from serbench.cli.corpora_verify import speakers_text, verify
from serbench.cli.hints import corpus_itself
from serbench.cli.verbs import Verbs

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.specs import CorpusSpec

app = typer.Typer(
    cls=Verbs, help="List the corpora, get them, or verify the files of one.", invoke_without_command=True
)


app.command("get")(get)
app.command("verify")(verify)


@app.callback()
def corpora(
    context: typer.Context,
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
) -> None:
    """List all corpora: present, partial, or absent with where to get them."""
    if not context.invoked_subcommand:
        list_corpora(data, cache, corpus_path, plugin)


@app.command("list")
def list_corpora(
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
) -> None:
    """List all corpora, as without a verb."""
    from serbench.reporting.text_tables import to_terminal
    from serbench.runner.planning.own_corpora import registry_with_own

    circumstances = options.circumstances(data=data, cache=cache, corpus_path=corpus_path, plugin=plugin)
    registry = registry_with_own(circumstances.plugins)
    options.refuse_unknown_corpora(corpus_path, lambda: registry.names("corpus"))
    found = [(spec, _row(spec, circumstances)) for spec in registry.all("corpus")]
    columns, words = ("corpus", "state", "utterances", "hours", "speakers", "labels"), ("corpus", "state", "labels")
    show(to_terminal(columns, [row for _, row in found if row], words=words, pad_edge=False))
    absent = [spec for spec, row in found if row is None]
    if absent:
        print(f"\nabsent from {circumstances.data.absolute()}:")
        if itself := corpus_itself(circumstances.data, [spec.name for spec in absent]):
            print(f"  ({itself})")
    for spec in absent:
        print(f"  {spec.name}: {_source(spec)}")


def _row(spec: CorpusSpec, circumstances: Circumstances) -> tuple | None:
    from serbench.corpora.loading import open_corpus
    from serbench.corpora.presence import corpus_present
    from serbench.errors import CorpusError

    if not corpus_present(spec, circumstances):
        return None
    try:
        corpus = open_corpus(spec, circumstances)
    except CorpusError as error:
        return (spec.name, f"unusable: {error.what}", "", "", "", "")
    counts = Counter(corpus.table["label"])
    labels = " ".join(f"{label}:{counts[label]}" for label in corpus.spec.labels if counts[label])
    state = "partial" if corpus.partial else "present"
    hours = corpus.table["duration"].sum() / 3600
    return (spec.name, state, corpus.count, f"{hours:.2f}", speakers_text(corpus), labels)


def _source(spec: CorpusSpec) -> str:
    if not spec.obtainable:
        return f"your own data: --corpus-path {spec.name}=PATH"
    size = f"{spec.utterances} utterances, " if spec.utterances else ""
    return f"serbench corpora get {spec.name} ({size}{spec.licence}; {spec.homepage}), or --corpus-path {spec.name}=DIR"

"""`serbench list`: what there is to name in a suite, and where it comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options
from serbench.cli.console import make_console

if TYPE_CHECKING:
    from serbench.specs import CorpusSpec


class Kind(StrEnum):
    """What can be listed."""

    corpora = "corpora"
    models = "models"
    features = "features"
    protocols = "protocols"
    suites = "suites"


def list_specs(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    plugin: options.Plugin = None,
    features_file: options.FeaturesFile = None,
) -> None:
    """List corpora, models, feature sets, protocols or suites, and broken plug-ins with the reason."""
    if kind is Kind.suites:
        _print_suites()
        return
    from serbench.runner.cell.inputs import open_registry

    registry = open_registry(options.circumstances(plugin=plugin, features_file=features_file))
    if kind is Kind.corpora:
        _print_corpora(registry.all("corpus"))
        return
    name = {"models": "model", "protocols": "protocol"}.get(kind, kind.value)
    columns = {
        "model": ("accepts", _accepts),
        "features": ("kind", lambda spec: spec.kind if spec.hop is None else f"sequence, hop {1000 * spec.hop:g} ms"),
        "protocol": ("promises independence of", lambda spec: ", ".join(sorted(spec.independence)) or "nothing"),
    }
    title, describe = columns[name]
    rows = [
        (spec.name, spec.version, describe(spec), registry.origins[name, spec.name].where, _params(spec.params))
        for spec in registry.all(name)
    ]
    _print_table(("name", "version", title, "origin", "parameters"), rows)
    for plug, reason in sorted(registry.broken.items()):
        print(f"broken plug-in {plug}: {reason}")


def _accepts(spec) -> str:
    only = f" ({', '.join(spec.features)} only)" if spec.features else ""
    return f"{spec.accepts}{only}"


def _params(params) -> str:
    return ", ".join(f"{key}={value}" for key, value in params.items())


def _print_corpora(specs: list[CorpusSpec]) -> None:
    rows = [
        (
            spec.name,
            spec.language,
            spec.speakers or "",
            f"{spec.hours:.1f}" if spec.hours else "",
            len(spec.labels) or "",
            spec.licence,
            spec.elicitation,
            _how_to_get(spec),
        )
        for spec in specs
    ]
    columns = ("corpus", "language", "spk.", "hours", "classes", "licence", "elicited", "to be had")
    _print_table(columns, rows, numbers=("spk.", "hours", "classes"))
    print("\nserbench corpora get NAME downloads a corpus, or prints the steps where it is given out by hand")


def _how_to_get(spec: CorpusSpec) -> str:
    if spec.embedded:
        return "made here"
    if not spec.homepage:
        return "your own"
    return "download" if spec.sources else "by hand"


def _print_suites() -> None:
    from serbench.runner.suite.file import find_suite, load_suite, suite_names

    names = [*suite_names(), *suite_names("published")]
    rows = []
    for name in names:
        suite = load_suite(name)
        corpora = ", ".join("+".join(item.name for item in entry) for entry in suite.corpora)
        rows.append((name, suite.title, corpora, find_suite(name)))
    _print_table(("name", "title", "corpora", "file"), rows)


def _print_table(columns: tuple[str, ...], rows: list[tuple], numbers: tuple[str, ...] = ()) -> None:
    from serbench.reporting.text_tables import to_terminal

    words = [name for name in columns if name not in numbers]
    table = to_terminal(columns, rows, words=words, overflow="fold", pad_edge=False, padding=(0, 1, 0, 0))
    # A name is copied into a command: it stays in one piece.
    table.columns[0].no_wrap = True
    make_console().print(table)

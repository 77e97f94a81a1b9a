"""`serbench list`: what there is to name in a suite, and where it comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from serbench.cli import options
from serbench.cli.console import make_console


class Kind(StrEnum):
    """What can be listed."""

    models = "models"
    features = "features"
    protocols = "protocols"
    suites = "suites"


def list_specs(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    plugin: options.Plugin = None,
    features_file: options.FeaturesFile = None,
) -> None:
    """List models, feature sets, protocols or suites: origin, version, what each accepts; broken plug-ins and why."""
    if kind is Kind.suites:
        _print_suites()
        return
    from serbench.runner.cell.inputs import open_registry

    registry = open_registry(options.circumstances(plugin=plugin, features_file=features_file))
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


def _print_suites() -> None:
    from serbench.runner.suite.file import find_suite, load_suite, suite_names

    names = [*suite_names(), *suite_names("published")]
    rows = []
    for name in names:
        suite = load_suite(name)
        corpora = ", ".join("+".join(item.name for item in entry) for entry in suite.corpora)
        rows.append((name, suite.title, corpora, str(find_suite(name))))
    _print_table(("name", "title", "corpora", "file"), rows)


def _print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(box=None)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    make_console().print(table, markup=False)

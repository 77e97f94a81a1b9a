"""`serbench check`: run the contract tests on what a plug-in file declares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from serbench.contracts import Check

MARKS = {True: "ok", False: "FAILED", None: "-"}


def check(file: Annotated[Path, typer.Argument(help="A Python file with own specs.")]) -> None:
    """Check the models, feature sets, protocols and corpora of a plug-in file against their contracts."""
    from serbench.errors import BrokenPlugin
    from serbench.registry import build_registry, kind_of, load_plugin, specs_in

    try:
        module, _ = load_plugin(file)
    except BrokenPlugin:
        raise
    except Exception as error:
        raise BrokenPlugin(f"cannot be imported: {type(error).__name__}: {error}", where=str(file)) from error
    found = specs_in(module)
    if not found:
        raise BrokenPlugin("declares no spec", where=str(file), hint="declare a ModelSpec, FeatureSpec, ... constant")
    # A name that the package has already is an error here, as it will be in a run.
    build_registry([file])
    failures = sum(_report(f"{kind_of(spec)} {spec.name}", _checks(spec)) for spec in found)
    if failures:
        print(f"{failures} of the checks failed")
        raise typer.Exit(1)


def _checks(spec: Any) -> list[Check]:
    from serbench.features.contract import check_features
    from serbench.models.contract import check_model
    from serbench.protocols.contract import check_protocol
    from serbench.registry import kind_of

    ways = {"model": check_model, "features": check_features, "protocol": check_protocol, "corpus": _check_card}
    return ways[kind_of(spec)](spec)


def _check_card(spec: Any) -> list[Check]:
    from serbench.contracts import expect, run_checks

    def labels() -> str:
        expect(spec.labels and len(set(spec.labels)) == len(spec.labels), "labels are empty or not unique")
        return ", ".join(spec.labels)

    def named() -> None:
        missing = [name for name in ("version", "language", "licence", "citation") if not getattr(spec, name)]
        expect(not missing, f"the card says nothing on {', '.join(missing)}")

    return run_checks({"labels": labels, "card": named})


def _report(title: str, checks: Iterable[Check]) -> int:
    print(title)
    failed = 0
    for item in checks:
        failed += item.ok is False
        print(f"  {MARKS[item.ok]:<7}{item.name:<24}{item.detail}".rstrip())
    return failed

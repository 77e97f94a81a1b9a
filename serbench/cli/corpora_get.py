"""`serbench corpora get`: download corpora from where their owners publish them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options
from serbench.cli.corpora_verify import verify_and_print
from serbench.errors import UsageError

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.corpora.download.obtaining import Plan
    from serbench.corpora.download.transfer import Progress
    from serbench.specs import CorpusSpec


def get(
    names: Annotated[list[str], typer.Argument(help="Corpora to get.")],
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
    given: Annotated[str | None, typer.Option("--from", help="Your own copy: an archive, or its address.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Get corpora from where their owners publish them, check them, and verify their files.

    A download that broke off goes on where it stopped. The exit status is 1 where a corpus must be asked for by hand,
    or has findings that its card does not declare.
    """
    from serbench.registry import build_registry

    circumstances = options.circumstances(cache=cache, corpus_path=corpus_path, plugin=plugin)
    if data is not None:
        # Unlike for other verbs the folder need not be there: this one makes it.
        circumstances = replace(circumstances, data=Path(data).expanduser())
    registry = build_registry(circumstances.plugins)
    options.refuse_unknown_corpora(corpus_path, lambda: registry.names("corpus"))
    specs = [registry.get("corpus", name) for name in dict.fromkeys(names)]
    if given and len(specs) > 1:
        raise UsageError("--from with several corpora", where="serbench corpora get", hint="get them one by one")
    results = [_get(spec, circumstances, given or "", yes) for spec in specs]
    if not all(results):
        raise typer.Exit(1)


def _get(spec: CorpusSpec, circumstances: Circumstances, given: str, yes: bool) -> bool:
    from serbench.corpora.download.obtaining import make_plan, obtain
    from serbench.corpora.download.record import is_whole

    if spec.embedded or not spec.homepage:
        reason = (
            "the program makes it itself" if spec.embedded else "it stands for your own data: --corpus-path NAME=DIR"
        )
        raise UsageError(f"'{spec.name}' is not downloaded", where="serbench corpora get", hint=reason)
    target = circumstances.corpus_root(spec.name)
    if is_whole(spec, target, given):
        print(f"{spec.name}: is here already ({target.absolute()})")
        return True
    if not (spec.sources or given):
        print(f"{spec.name}: given out by hand ({spec.licence}: {spec.terms})")
        for number, step in enumerate(spec.steps, 1):
            print(f"  {number}. {step}")
        return False
    plan = make_plan(spec, target, given)
    print(_described(plan))
    _ask(yes)
    with _progress() as progress:
        obtain(plan, progress, lambda text: print(f"  {text}", flush=True))
    return verify_and_print(spec, circumstances)


def _described(plan: Plan) -> str:
    from serbench.corpora.download.space import free_space, in_words

    places = [plan.given] if plan.given else [source.url for source in plan.sources]
    size = in_words(plan.size) if plan.size else "not published"
    checks = [_checksum(source) for source in plan.sources] or ["no published checksum is asked of your own copy"]
    lines = [
        f"{plan.spec.name}: {plan.spec.citation}",
        *(f"  from      {place}" for place in places),
        f"  size      {size}; {in_words(free_space(plan.target))} are free",
        *(f"  checksum  {check}" for check in dict.fromkeys(checks)),
        f"  licence   {plan.spec.licence}: {plan.spec.terms}",
        f"  into      {plan.target}",
    ]
    return "\n".join(lines)


def _checksum(source) -> str:
    where = f" ({source.stated})" if source.stated else ""
    return (
        f"{source.checksum or 'of every file' if where else 'no published checksum; the one seen is recorded'}{where}"
    )


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody to ask", where="serbench corpora get", hint="say --yes to agree to the above")
    typer.confirm("Download?", abort=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("download", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

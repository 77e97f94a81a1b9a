"""The `serbench` program: collects the verbs and turns errors into messages and exit statuses."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import serbench
from serbench.errors import SerbenchError


def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks (anywhere on the line).")] = False,
) -> None:
    """Honest, fast benchmarks for speech emotion recognition."""
    if version:
        print(serbench.__version__)
        raise typer.Exit


def build_app() -> typer.Typer:
    """The program with every verb, in the order in which a newcomer meets them."""
    from serbench.cli import (
        audit,
        check,
        claims,
        compare,
        corpora,
        export,
        freeze,
        leaderboard,
        plot,
        predict,
        report,
        robustness,
        run,
        serve,
        show,
        splits,
        table,
        track,
        train,
        ui,
    )
    from serbench.cli import list as listing

    app = typer.Typer(
        name="serbench",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(invoke_without_command=True)(root)
    app.command("run")(run.run)
    app.command("leaderboard")(leaderboard.leaderboard)
    app.command("show")(show.show)
    app.command("compare")(compare.compare)
    app.command("claims")(claims.claims)
    app.command("robustness")(robustness.robustness)
    app.command("table")(table.table)
    app.command("plot")(plot.plot)
    app.command("report")(report.report)
    app.add_typer(corpora.app, name="corpora")
    app.command("list")(listing.list_specs)
    app.command("check")(check.check)
    app.add_typer(splits.app, name="splits")
    app.command("audit")(audit.audit)
    app.command("freeze")(freeze.freeze)
    app.command("track")(track.track)
    app.command("ui")(ui.ui)
    app.command("train")(train.train)
    app.command("predict")(predict.predict)
    app.command("serve")(serve.serve)
    app.command("export")(export.export)
    return app


def main() -> None:
    """Run the program: exit status 0 when all went well, 1 when cells failed, 2 for an error in what was asked."""
    debug = "--debug" in sys.argv or bool(os.environ.get("SERBENCH_DEBUG"))
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        sys.exit(build_app()(standalone_mode=False) or 0)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        print("serbench: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except SerbenchError as error:
        if debug:
            raise
        print(f"serbench: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        status = _usage_status(error)
        if debug and status is None:
            raise
        if status is None:
            print(f"serbench: internal error: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr)
        sys.exit(status or 1)


def _usage_status(error: Exception) -> int | None:
    # Typer's own usage errors (unknown option, missing argument) know how to show themselves.
    if not hasattr(error, "exit_code") or not hasattr(error, "show"):
        return None
    error.show()
    return error.exit_code

"""The `serbench` program: collects the verbs and turns errors into messages and exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import typer
from typer.main import get_command

import serbench
from serbench.cli.verbs import CHECK, LOOK, MEASURE, SHARE, USE, Verbs
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
        doctor,
        export,
        features,
        freeze,
        init,
        leaderboard,
        ledger,
        merge,
        plan,
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
        weights,
    )
    from serbench.cli import help as helping
    from serbench.cli import list as listing

    app = typer.Typer(
        name="serbench",
        cls=Verbs,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(invoke_without_command=True)(root)
    app.command("init", rich_help_panel=MEASURE)(init.init)
    app.command("run", rich_help_panel=MEASURE)(run.run)
    app.add_typer(corpora.app, name="corpora", rich_help_panel=MEASURE)
    app.add_typer(features.app, name="features", rich_help_panel=MEASURE)
    app.add_typer(weights.app, name="weights", rich_help_panel=MEASURE)
    app.command("plan", rich_help_panel=MEASURE)(plan.plan)
    app.command("list", rich_help_panel=MEASURE)(listing.list_specs)
    app.command("leaderboard", rich_help_panel=LOOK)(leaderboard.leaderboard)
    app.command("show", rich_help_panel=LOOK)(show.show)
    app.command("compare", rich_help_panel=LOOK)(compare.compare)
    app.command("ledger", rich_help_panel=LOOK)(ledger.ledger)
    app.command("robustness", rich_help_panel=LOOK)(robustness.robustness)
    app.command("plot", rich_help_panel=LOOK)(plot.plot)
    app.command("ui", rich_help_panel=LOOK)(ui.ui)
    app.command("check", rich_help_panel=CHECK)(check.check)
    app.command("audit", rich_help_panel=CHECK)(audit.audit)
    app.command("claims", rich_help_panel=CHECK)(claims.claims)
    app.command("doctor", rich_help_panel=CHECK)(doctor.doctor)
    app.add_typer(splits.app, name="splits", rich_help_panel=SHARE)
    app.command("table", rich_help_panel=SHARE)(table.table)
    app.command("report", rich_help_panel=SHARE)(report.report)
    app.command("freeze", rich_help_panel=SHARE)(freeze.freeze)
    app.command("merge", rich_help_panel=SHARE)(merge.merge)
    app.command("track", rich_help_panel=SHARE)(track.track)
    app.command("train", rich_help_panel=USE)(train.train)
    app.command("predict", rich_help_panel=USE)(predict.predict)
    app.command("serve", rich_help_panel=USE)(serve.serve)
    app.command("export", rich_help_panel=USE)(export.export)
    app.command("help")(helping.show_help)
    return app


@cache
def program() -> Callable[..., Any]:
    """The program as a command that can be called; typer takes long over its many options."""
    return get_command(build_app())


def main() -> None:
    """Run the program: exit status 0 when all went well, 1 when cells failed, 2 for an error in what was asked."""
    debug = "--debug" in sys.argv or bool(os.environ.get("SERBENCH_DEBUG"))
    sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        sys.exit(program()(standalone_mode=False) or 0)
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
        from serbench.cli.hints import instead

        print(f"serbench: {instead(error)}", file=sys.stderr)
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

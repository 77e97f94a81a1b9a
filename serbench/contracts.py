"""How a plug-in is tested against its contract: named checks that report instead of raising."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serbench.containment import contained


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes
    ----------
    name : str
        What was checked.
    ok : bool or None
        None: it does not apply here.
    detail : str
        What was found; the reason where it failed.
    """

    name: str
    ok: bool | None
    detail: str = ""


class Broken(AssertionError):
    """A check's finding that a contract is broken."""


class NotApplicable(Exception):
    """Raised by a check that has nothing to look at."""


def expect(condition: Any, finding: str) -> None:
    """Raise `Broken` with `finding` unless `condition` holds."""
    if not condition:
        raise Broken(finding)


def run_checks(checks: Mapping[str, Callable[[], str | None]]) -> list[Check]:
    """Run every check; one that raises has failed, and the others still run.

    Parameters
    ----------
    checks : mapping of str to callable
        Name to a function that returns a detail or raises.
    """
    return [_run(name, check) for name, check in checks.items()]


def _run(name: str, check: Callable[[], str | None]) -> Check:
    try:
        with contained():
            return Check(name, True, check() or "")
    except NotApplicable as reason:
        return Check(name, None, str(reason))
    except Broken as finding:
        return Check(name, False, str(finding))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Check(name, False, f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")

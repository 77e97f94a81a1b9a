"""The verdict on a row or a split, from the audits of its folds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

INDEPENDENT = "speaker-independent"
TRANSDUCTIVE = "transductive"
UNKNOWN = "speakers unknown"
# Rows of different standing are never ranked against one another.
STANDINGS = (INDEPENDENT, TRANSDUCTIVE, f"not {INDEPENDENT}")


@dataclass(frozen=True)
class Verdict:
    """What training knew of the test part.

    Attributes
    ----------
    leaks : tuple of str
        Kinds of what is on both sides, in any fold.
    speakers_known : bool
        False where nothing leaks as far as can be seen, but who speaks is not known.
    transductive : bool
        Whether the test utterances are normalised together.

    Examples
    --------
    >>> str(Verdict(("speakers shared", "content duplicates"), transductive=True))
    'leaky: speakers shared, content duplicates; transductive'
    """

    leaks: tuple[str, ...] = ()
    speakers_known: bool = True
    transductive: bool = False

    @classmethod
    def over(cls, audits: Iterable[Mapping[str, Any]], *, transductive: bool = False) -> Verdict:
        """The verdict over several folds: everything that any of their audits (`audit_split`) has found."""
        audits = list(audits)
        leaks = dict.fromkeys(leak["kind"] for audit in audits for leak in audit.get("leaks", ()))
        known = all(audit.get("speaker_independent") or audit.get("leaks") for audit in audits)
        return cls(tuple(leaks), known, transductive)

    @property
    def standing(self) -> str:
        """One of `STANDINGS`."""
        if self.leaks or not self.speakers_known:
            return STANDINGS[2]
        return TRANSDUCTIVE if self.transductive else INDEPENDENT

    def __str__(self) -> str:
        parts = [f"leaky: {', '.join(self.leaks)}"] if self.leaks else []
        parts += [] if self.speakers_known else [UNKNOWN]
        parts += [TRANSDUCTIVE] if self.transductive else []
        return "; ".join(parts) or INDEPENDENT

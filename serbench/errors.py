"""Every error that a user can meet: one family, each says what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SerbenchError(Exception):
    """Base of all errors shown to a user without a traceback.

    Parameters
    ----------
    what : str
        What went wrong, naming the thing.
    where : str, optional
        File, line, key, utterance or cell it concerns.
    hint : str, optional
        What to do next.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None):
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  -> {self.hint}" if self.hint else ""
        return f"{place}{self.what}{advice}"

    def __reduce__(self):
        # Errors cross process borders; keyword-only arguments need a rebuild by hand.
        return (_rebuild, (type(self), self.what, self.where, self.hint))


def _rebuild(kind: type[SerbenchError], what: str, where: str | None, hint: str | None):
    return kind(what, where=where, hint=hint)


class UnknownName(SerbenchError):
    """A name that nothing answers to; `kind` and `name` say what was looked for."""

    kind, name = "", ""

    @classmethod
    def among(
        cls, kind: str, name: str, known: Iterable[str], *, where: str | None = None, most: int = 60
    ) -> UnknownName:
        """Build the error with the nearest known name ("did you mean"), whatever its case, and `most` of the others.

        Known names joined by commas are told apart: options take one name each.
        """
        known = sorted(known)
        parts = [part.strip() for part in name.split(",")]
        if len(parts) > 1 and set(parts) <= set(known):
            return cls(
                f"'{name}' is no {kind} but {len(parts)} of them",
                where=where,
                hint=f"name one at a time: repeat the option for {', '.join(parts)}",
            )
        folded = {item.casefold(): item for item in known}
        near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
        hint = f"did you mean '{folded[near[0]]}'? " if near else ""
        more = f" and {len(known) - most} more" if len(known) > most else ""
        shown = ", ".join(known[:most]) + more
        error = cls(f"unknown {kind} '{name}'", where=where, hint=f"{hint}known: {shown or 'none'}")
        error.kind, error.name = kind, name
        return error


class DuplicateName(SerbenchError):
    """Two specs of one kind carry the same name."""


class BrokenPlugin(SerbenchError):
    """A plug-in that could not be imported or that breaks its contract."""


class SuiteError(SerbenchError):
    """A suite file that cannot be read, or holds what is not allowed."""


class LabelError(SerbenchError):
    """A label without a place in the label map, or a map that contradicts itself."""


class CorpusError(SerbenchError):
    """A corpus that is absent, empty, or whose table breaks the rules."""


class DownloadError(SerbenchError):
    """A corpus that cannot be fetched or unpacked."""


class ArchiveError(DownloadError):
    """An archive that is none, damaged or unsafe, or holds no audio."""


class AudioError(SerbenchError):
    """An audio file that cannot be decoded, or decodes to nothing usable."""


class TooLong(AudioError):
    """A recording longer than an utterance that can be answered as a whole."""


class FeatureError(SerbenchError):
    """Features that are missing, not finite, or of the wrong shape."""


class ProtocolError(SerbenchError):
    """A split that cannot be made from this corpus."""


class BrokenPromise(ProtocolError):
    """A split that breaks the independence its protocol promises."""


class EnrolmentError(SerbenchError):
    """New speakers who cannot be enrolled: too few utterances, unknown or shared, no such class."""


class ModelError(SerbenchError):
    """A model that cannot be built, fitted, saved or loaded."""


class TuningError(SerbenchError):
    """A search that cannot be made or continued: its space raises or its trials all fail."""


class ExecutorError(SerbenchError):
    """Workers that cannot be had, are lost for good, or are not as they have to be."""


class ResultsError(SerbenchError):
    """A results folder or file that cannot be read or written."""


class TrackingError(SerbenchError):
    """A tracking store that cannot be reached, or does not take what it is given."""


class UsageError(SerbenchError):
    """A combination of command-line options that makes no sense."""

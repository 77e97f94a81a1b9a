"""Opening a corpus: find it, read its names, look at its audio, and say what is used and what is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.circumstances import Circumstances
from serbench.containment import contained
from serbench.corpora.findings import (
    HARMLESS,
    Finding,
    audio_findings,
    clipped_findings,
    duplicate_findings,
    name_findings,
)
from serbench.corpora.foreign.words import emotion_of
from serbench.corpora.identification import identify_corpus
from serbench.corpora.presence import absent_error, corpus_present, where_it_is
from serbench.corpora.scanning import Scan, scan_files
from serbench.corpora.table import COLUMNS, fingerprint, validate_table
from serbench.errors import CorpusError, SerbenchError, UnknownName
from serbench.specs import CorpusSpec

# Understood for every corpus; `defects: keep` reproduces published data sets.
COMMON_OPTIONS: Mapping[str, str] = {"defects": "drop"}
DEFECTS = ("drop", "keep")


@dataclass(frozen=True)
class Corpus:
    """A corpus that was opened.

    Attributes
    ----------
    spec : CorpusSpec
        Its card; where the card leaves the labels open, with those found in the data.
    table : DataFrame
        Task table under the corpus' own labels, sorted by id.
    fingerprint : str
        Changes with the audio, the labels, the speakers or the ids of what is used.
    used : int
        Utterances in the table.
    design : int or None
        Utterances of the corpus' design.
    found : int
        Utterances that have a file.
    findings : tuple of Finding
    notes : tuple of str
        What a record says about the corpus: parts, and what was left out.
    """

    spec: CorpusSpec
    table: pd.DataFrame = field(repr=False)
    fingerprint: str
    used: int
    design: int | None
    found: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether files of the design are missing."""
        return any(finding.kind == "missing" for finding in self.findings)

    @property
    def count(self) -> str:
        """Utterances used, e.g. ``649 of 7442``."""
        return str(self.used) if self.design in (None, self.used) else f"{self.used} of {self.design}"


def open_corpus(spec: CorpusSpec, circumstances: Circumstances, *, options: Mapping[str, Any] | None = None) -> Corpus:
    """Open a corpus where the circumstances say it is.

    Parameters
    ----------
    options : mapping
        Those of the card, and `defects`: "drop" (default) or "keep" silent, doubled and conflicting utterances.

    Raises
    ------
    CorpusError
        If the corpus is absent or empty, its table breaks the rules, or (with `circumstances.strict`)
        there is any finding that its card does not declare.
    """
    settings = _settings(spec, options or {})
    keep = settings.pop("defects") == "keep"
    raw = read_names(spec, circumstances, settings)
    if "design" in raw.attrs:  # an option asked for a part
        spec = dataclasses.replace(spec, utterances=raw.attrs["design"])
    scans = scan_files(raw["path"].tolist(), circumstances.cache)
    findings = tuple(name_findings(spec, raw) + audio_findings(spec, raw, scans, keep=keep))
    if circumstances.strict:
        _refuse(spec, findings)
    table = _task_table(spec, raw, scans, {name for finding in findings for name in finding.left_out})
    if table.empty:
        reasons = "; ".join(f"{finding.kind}: {finding.detail}" for finding in findings)
        raise CorpusError(
            f"no usable utterance in corpus '{spec.name}' ({reasons})", where=where_it_is(spec, circumstances)
        )
    return Corpus(
        spec=_with_labels(spec, table),
        table=table,
        fingerprint=fingerprint(table),
        used=len(table),
        design=spec.utterances,
        found=len(raw),
        findings=findings,
        notes=_notes(spec, len(raw), len(table), findings),
    )


def merge(corpora: Sequence[Corpus]) -> pd.DataFrame:
    """Concatenate the task tables of several corpora, sorted by id; columns that one lacks are empty.

    Raises
    ------
    CorpusError
        If a corpus occurs twice.
    """
    names = [corpus.spec.name for corpus in corpora]
    if len(set(names)) < len(names):
        raise CorpusError(f"a corpus occurs twice: {', '.join(names)}", hint="name each corpus once")
    table = pd.concat([corpus.table for corpus in corpora], ignore_index=True)
    extra = [name for name in table.columns if name not in COLUMNS]
    table[extra] = table[extra].fillna("")
    return table.sort_values("id", ignore_index=True)


def derive_spec(adapter: CorpusSpec, name: str, **card: Any) -> CorpusSpec:
    """Make a card for a user's own corpus that an adapter reads.

    Parameters
    ----------
    adapter : CorpusSpec
        `folder`, `manifest`, or any other.
    name : str
        Name of the user's corpus, also its folder below the data root.
    **card
        Fields of the card that are known better than the adapter knows them.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise CorpusError(f"'{name}' cannot name a corpus", hint="use letters, digits, - and _")
    # Where the adapter's own corpus is published says nothing about the user's.
    return dataclasses.replace(adapter, name=name, user_named=True, sources=(), steps=(), **card)


def inspect_corpus(
    spec: CorpusSpec, circumstances: Circumstances, *, options: Mapping[str, Any] | None = None
) -> tuple[Corpus, tuple[Finding, ...]]:
    """Open a corpus and return it with everything found, clipped files and near duplicates included."""
    corpus = open_corpus(spec, dataclasses.replace(circumstances, strict=False), options=options)
    settings = _settings(spec, options or {})
    settings.pop("defects")
    raw = read_names(spec, circumstances, settings)
    scans = scan_files(raw["path"].tolist(), circumstances.cache)
    return corpus, (*corpus.findings, *duplicate_findings(spec, raw, scans), *clipped_findings(spec, raw, scans))


def _settings(spec: CorpusSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    allowed = {**COMMON_OPTIONS, **spec.options}
    for name in options:
        if name not in allowed:
            raise UnknownName.among(f"option of corpus '{spec.name}'", name, allowed)
    settings = {**allowed, **options}
    if settings["defects"] not in DEFECTS:
        raise CorpusError(
            f"defects is {settings['defects']!r}", where=f"corpus '{spec.name}'", hint=f"allowed: {', '.join(DEFECTS)}"
        )
    return settings


def read_names(spec: CorpusSpec, circumstances: Circumstances, settings: Mapping[str, Any]) -> pd.DataFrame:
    """What a corpus' `load` reads, as a raw utterance table; no audio is opened.

    Parameters
    ----------
    settings : mapping
        Options of `load`.

    Raises
    ------
    CorpusError
        If the corpus is absent or empty, or its table breaks the rules or holds a label that is not on its card.
    """
    where = where_it_is(spec, circumstances)
    if not corpus_present(spec, circumstances):
        raise absent_error(spec, circumstances)
    loaded = _load(spec, where, settings)
    if loaded.empty:
        unknown = loaded.attrs.get("unknown", [])
        missing = loaded.attrs.get("missing", [])
        seen = f"; files of other names are there, such as {unknown[0]}" if unknown else ""
        if unknown and (other := identify_corpus(Path(where), spec.name)):
            seen += f": it looks like {other}"
        seen = seen or (f"; {len(missing)} are missing, such as {missing[0]}" if missing else "")
        raise CorpusError(
            f"no file of corpus '{spec.name}'{seen}",
            where=where,
            hint="check the folder, or name another (--corpus-path)",
        )
    table = validate_table(loaded, where=where)
    table.attrs.update(loaded.attrs)
    if spec.labels and (strange := sorted(set(table["label"]) - set(spec.labels))):
        raise CorpusError(
            f"labels that are not on the card of '{spec.name}': {', '.join(strange)}",
            where=where,
            hint=f"the card says: {', '.join(spec.labels)}",
        )
    return table


def _load(spec: CorpusSpec, where: str, settings: Mapping[str, Any]) -> pd.DataFrame:
    # Corpora can be plug-ins, and file names can be anything.
    try:
        with contained():
            loaded = spec.load(Path(where), **settings)
    except SerbenchError as error:
        # What a corpus cannot do without, such as IEMOCAP's evaluations, is not to be looked for in another corpus.
        if spec.labels and (other := identify_corpus(Path(where), spec.name)):
            raise CorpusError(
                f"no file of corpus '{spec.name}': it looks like {other}",
                where=where,
                hint="check the folder, or name another (--corpus-path)",
            ) from error
        raise
    except Exception as error:
        raise CorpusError(
            f"cannot be read by '{spec.name}': {type(error).__name__}: {error}", where=where, hint="check its files"
        ) from error
    if not isinstance(loaded, pd.DataFrame):
        raise CorpusError(f"'{spec.name}' loads a {type(loaded).__name__}, not a DataFrame", where=where)
    return loaded


def _task_table(spec: CorpusSpec, raw: pd.DataFrame, scans: Sequence[Scan], left_out: set[str]) -> pd.DataFrame:
    table = raw.copy()
    table.attrs = {}
    table["corpus"] = spec.name
    table["id"] = [f"{spec.name}/{name}" for name in raw["utterance"]]
    table["speaker"] = [f"{spec.person_prefix}/{name}" if name else "" for name in raw["speaker"]]
    table["duration"] = [scan.seconds for scan in scans]
    table["content"] = [scan.content for scan in scans]
    table["nickname"] = spec.name if spec.user_named else ""
    table = table[~table["utterance"].isin(left_out)]
    extra = [name for name in table.columns if name not in COLUMNS]
    return table[[*COLUMNS, *extra]].sort_values("id", ignore_index=True)


def _with_labels(spec: CorpusSpec, table: pd.DataFrame) -> CorpusSpec:
    if spec.labels:
        return spec
    labels = tuple(sorted(set(table["label"])))
    # Labels of a user's own that name an emotion have their place in the common maps.
    known = {label: emotion for label in labels if (emotion := emotion_of(label))}
    return dataclasses.replace(spec, labels=labels, emotions=known)


def _notes(spec: CorpusSpec, found: int, used: int, findings: Sequence[Finding]) -> tuple[str, ...]:
    notes = []
    if spec.utterances is not None and found < spec.utterances:
        notes.append(f"partial: {used} of {spec.utterances} utterances")
    notes += [
        ": ".join(filter(None, (finding.kind, _shortened(finding.utterances), finding.detail)))
        for finding in findings
        # Where there is a design, the line above counts what is missing.
        if finding.kind != "missing" or spec.utterances is None
    ]
    return tuple(notes)


def _shortened(names: Sequence[str], limit: int = 6) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _refuse(spec: CorpusSpec, findings: Sequence[Finding]) -> None:
    if serious := [item for item in findings if not item.known and item.kind not in HARMLESS]:
        listed = "; ".join(f"{item.kind}: {_shortened(item.utterances) or item.detail}" for item in serious)
        raise CorpusError(
            f"corpus '{spec.name}' is not clean: {listed}",
            hint=f"`serbench corpora verify {spec.name}` lists all; without --strict they are passed over and named",
        )

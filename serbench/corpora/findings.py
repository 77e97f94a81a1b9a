"""What is wrong with a corpus on disk, and which utterances that leaves usable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from serbench.corpora.audio import POINTER
from serbench.corpora.duplicates import same_recordings
from serbench.corpora.scanning import CLIPPED, Scan
from serbench.specs import CorpusSpec

# Findings of these kinds are told, but do not make a strict opening fail.
HARMLESS = frozenset({"clipped"})


@dataclass(frozen=True)
class Finding:
    """One kind of trouble and the utterances (or files) it concerns.

    Attributes
    ----------
    kind : str
        missing, repeated, unknown name, doubled, conflicting, silent, undecodable, LFS pointer, clipped,
        near duplicate, near duplicate under different labels, one recording under two speakers.
    utterances : tuple of str
    detail : str
        What is known, and what was done about it.
    known : bool
        Whether the corpus' card declares it.
    left_out : tuple of str
        Those of the utterances that are not used.
    """

    kind: str
    utterances: tuple[str, ...]
    detail: str
    known: bool = False
    left_out: tuple[str, ...] = ()


def name_findings(spec: CorpusSpec, table: pd.DataFrame) -> list[Finding]:
    """What the file names alone show: missing, repeated and unknown ones."""
    noted = table.attrs
    found = []
    missing = tuple(noted.get("missing", ()))
    # Names tell of some that are missing, the count of the design of all.
    lacking = (spec.utterances or 0) - len(table)
    if missing and lacking <= len(missing):
        found.append(_finding(spec, "missing", missing, f"{len(missing)} utterances of the design have no file"))
    elif lacking > 0:
        named = ", such as these" if missing else ""
        detail = f"{lacking} of the design's {spec.utterances} utterances have no file{named}"
        found.append(Finding("missing", missing, detail))
    if absent := noted.get("absent"):
        found.append(Finding("missing", (), f"nothing of {', '.join(absent)} is here"))
    if repeated := tuple(noted.get("repeated", ())):
        detail = "another file of the same utterance was found first and is used"
        found.append(_finding(spec, "repeated", repeated, detail))
    if unknown := tuple(noted.get("unknown", ())):
        found.append(_finding(spec, "unknown name", unknown, "the name follows no rule of this corpus; passed over"))
    return found


def audio_findings(spec: CorpusSpec, table: pd.DataFrame, scans: Sequence[Scan], *, keep: bool) -> list[Finding]:
    """What the audio shows.

    Parameters
    ----------
    table : DataFrame
        The validated raw table, n rows.
    scans : sequence of Scan
        n of them.
    keep : bool
        Keep silent, doubled and conflicting utterances, as published data sets do.
    """
    names = table["utterance"].tolist()
    return [
        *_broken(spec, names, scans),
        *_silent(spec, names, scans, keep),
        *_same_audio(spec, names, table["label"].tolist(), scans, keep),
    ]


def clipped_findings(spec: CorpusSpec, table: pd.DataFrame, scans: Sequence[Scan]) -> list[Finding]:
    """Files of which a part worth mentioning lies at full scale."""
    names = [name for name, scan in zip(table["utterance"], scans, strict=True) if scan.clipped >= CLIPPED]
    if not names:
        return []
    worst = max(scan.clipped for scan in scans)
    return [
        _finding(spec, "clipped", tuple(names), f"up to {worst:.1%} of the samples lie at full scale; used as they are")
    ]


def duplicate_findings(spec: CorpusSpec, table: pd.DataFrame, scans: Sequence[Scan]) -> list[Finding]:
    """Recordings that are there twice although their samples differ, or under two speakers.

    Nothing is left out for it: which one would be is a choice, and the counts of published results hold them.
    """
    heard = [at for at, scan in enumerate(scans) if not scan.problem and not scan.silent]
    rows = table.iloc[heard].reset_index(drop=True)
    contents = [scans[at].content for at in heard]
    found = []
    for same in same_recordings(rows["path"].tolist()):
        group = rows.iloc[list(same.members)].sort_values("utterance")
        speakers, labels = (sorted(set(group[column]) - {""}) for column in ("speaker", "label"))
        if len(speakers) > 1:
            kind, told = "one recording under two speakers", f"filed under {', '.join(speakers)}"
        elif len({contents[at] for at in same.members}) == 1:
            continue  # told as doubled or conflicting
        elif len(labels) > 1:
            kind, told = "near duplicate under different labels", f"labelled {', '.join(labels)}"
        else:
            kind, told = "near duplicate", "another file with other samples"
        detail = f"{told}; correlation {same.correlation:.3f}; nothing is left out for it"
        found.append(_finding(spec, kind, tuple(group["utterance"]), detail))
    return found


def _broken(spec: CorpusSpec, names: list[str], scans: Sequence[Scan]) -> list[Finding]:
    groups: dict[tuple[str, str], list[str]] = {}
    for name, scan in zip(names, scans, strict=True):
        if scan.problem:
            kind = "LFS pointer" if scan.problem == POINTER else "undecodable"
            groups.setdefault((kind, scan.problem), []).append(name)
    return [
        _finding(spec, kind, tuple(group), f"{problem}; left out", left_out=tuple(group))
        for (kind, problem), group in groups.items()
    ]


def _silent(spec: CorpusSpec, names: list[str], scans: Sequence[Scan], keep: bool) -> list[Finding]:
    silent = tuple(name for name, scan in zip(names, scans, strict=True) if scan.silent)
    if not silent:
        return []
    detail = f"nothing above -80 dB of full scale; {'kept as asked' if keep else 'left out'}"
    return [_finding(spec, "silent", silent, detail, left_out=() if keep else silent)]


def _same_audio(
    spec: CorpusSpec, names: list[str], labels: list[str], scans: Sequence[Scan], keep: bool
) -> list[Finding]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, label, scan in sorted(zip(names, labels, scans, strict=True), key=lambda row: row[0]):
        if scan.content and not scan.silent:
            groups.setdefault(scan.content, []).append((name, label))
    found = []
    for group in groups.values():
        if len(group) == 1:
            continue
        members = tuple(name for name, _ in group)
        if len({label for _, label in group}) == 1:
            kind, left_out, detail = "doubled", members[1:], f"same audio and label; {members[0]} is used"
        else:
            given = ", ".join(label for _, label in group)
            kind, left_out, detail = "conflicting", members, f"same audio under different labels ({given}); left out"
        if keep:
            left_out, detail = (), f"{detail.partition(';')[0]}; kept as asked"
        found.append(_finding(spec, kind, members, detail, left_out=left_out))
    return found


def _finding(
    spec: CorpusSpec, kind: str, utterances: tuple[str, ...], detail: str, left_out: tuple[str, ...] = ()
) -> Finding:
    declared = " ".join(spec.defects)
    return Finding(kind, utterances, detail, all(name in declared for name in utterances), left_out)

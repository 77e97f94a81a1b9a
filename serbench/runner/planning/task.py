"""A task: one corpus, or several merged, under one label set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from serbench.circumstances import Circumstances
from serbench.corpora.labels import apply_labels, resolve_labels
from serbench.corpora.loading import COMMON_OPTIONS, Corpus, derive_spec, merge, open_corpus
from serbench.corpora.presence import corpus_present, how_to_get
from serbench.errors import CorpusError, LabelError, UnknownName
from serbench.identity import content_id
from serbench.registry import Registry
from serbench.runner.suite.schema import CorpusEntry, Suite
from serbench.specs import CorpusSpec


@dataclass(frozen=True)
class Task:
    """Utterances with their labels, and what a record says about where they come from.

    Attributes
    ----------
    name : str
        Corpus names joined by `+`.
    table : DataFrame
        Task table, sorted by id.
    labels : mapping
        The resolved label map, as in `Cell.labels`.
    augment : mapping
        As in `Cell.augment`: the table then holds the copies behind the originals.
    """

    name: str
    corpora: tuple[Corpus, ...]
    table: pd.DataFrame
    labels: Mapping[str, Any]
    options: Mapping[str, Any]
    excluded: tuple[str, ...]
    augment: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """Content of all corpora in it."""
        return content_id([corpus.fingerprint for corpus in self.corpora])

    @cached_property
    def key(self) -> str:
        """Names the file that hands the table to the workers."""
        copies = [self.augment] if self.augment else []
        return content_id([self.fingerprint, self.labels, self.options, self.excluded, *copies])

    @cached_property
    def nicknames(self) -> tuple[str, ...]:
        """Names of its corpora that are the user's own."""
        return tuple(corpus.spec.name for corpus in self.corpora if corpus.spec.user_named)

    @cached_property
    def originals(self) -> pd.DataFrame:
        """The table without copies."""
        return self.table[self.table["id"] == self.table["parent"]] if self.augment else self.table

    @cached_property
    def own_labels(self) -> tuple[str, ...]:
        """Labels of the corpora themselves, before the label map."""
        return tuple(sorted({label for corpus in self.corpora for label in corpus.spec.labels}))

    def summary(self) -> dict[str, Any]:
        """What a record keeps of the corpora."""
        designs = [corpus.design for corpus in self.corpora]
        return {
            "fingerprint": self.fingerprint,
            "version": "+".join(corpus.spec.version for corpus in self.corpora),
            "used": sum(corpus.used for corpus in self.corpora),
            "design": None if None in designs else sum(designs),
            "utterances": len(self.originals),
            "notes": [note for corpus in self.corpora for note in corpus.notes],
        }


def absent_corpora(suite: Suite, registry: Registry, circumstances: Circumstances) -> list[str]:
    """Corpora of a suite that are not there, also where it runs without them."""
    absent = [item.name for entry in suite.corpora for item in _absent(entry, registry, circumstances)]
    return list(dict.fromkeys(absent))


def present_entries(suite: Suite, registry: Registry, circumstances: Circumstances) -> list[list[CorpusEntry]]:
    """The suite's corpus entries; where absent ones are to be skipped, those of which enough is there.

    A single corpus has to be there, and two of those that are merged.
    """
    if suite.absent == "error":
        return list(suite.corpora)
    return [
        entry
        for entry in suite.corpora
        if len(entry) - len(_absent(entry, registry, circumstances)) >= min(2, len(entry))
    ]


def _absent(entry: list[CorpusEntry], registry: Registry, circumstances: Circumstances) -> list[CorpusEntry]:
    return [item for item in entry if not corpus_present(corpus_spec(item, registry), circumstances)]


def corpus_spec(entry: CorpusEntry, registry: Registry) -> CorpusSpec:
    """The card behind a suite's corpus entry.

    Raises
    ------
    CorpusError
        If an adapter is to read other audio under the name of a corpus that has a card of its own.
    """
    if entry.adapter in (None, entry.name):
        return registry.get("corpus", entry.name)
    adapter = registry.get("corpus", entry.adapter, where=f"adapter of corpus '{entry.name}'")
    if entry.name in registry.names("corpus"):
        raise CorpusError(
            f"'{entry.name}' is the name of a corpus that serbench knows, not of what '{entry.adapter}' reads",
            where="corpora",
            hint=f"give your corpus another name, or leave out `adapter` to use {entry.name} itself",
        )
    return derive_spec(adapter, entry.name)


def build_task(suite: Suite, entry: list[CorpusEntry], registry: Registry, circumstances: Circumstances) -> Task:
    """Open the corpora of one entry, merge them and apply the labels.

    Raises
    ------
    CorpusError
        If a corpus is absent or what is left of it cannot be classified.
    """
    specs = {item.name: corpus_spec(item, registry) for item in entry}
    present = entry
    if suite.absent == "skip" and len(entry) > 1:
        present = [item for item in entry if corpus_present(specs[item.name], circumstances)]
        if len(present) < 2:
            raise CorpusError(
                f"{len(present)} of {len(entry)} merged corpora are present, at least 2 are needed",
                where=f"suite '{suite.name}'",
                hint=how_to_get([item.name for item in entry if item not in present], registry),
            )
    options = {item.name: _options(item, suite) for item in present}
    _refuse_unknown_keys(suite, present, specs)
    corpora = tuple(open_corpus(specs[item.name], circumstances, options=options[item.name]) for item in present)
    try:
        labels = resolve_labels(
            suite.labels.map, [corpus.spec for corpus in corpora], drop=suite.labels.drop, merge=suite.labels.merge
        )
        table = apply_labels(merge(corpora), labels)
    except LabelError as error:
        # A class may be gone with the files that are missing.
        if notes := [note for corpus in corpora for note in corpus.notes]:
            error.hint = f"{error.hint}; of the corpus: {'; '.join(notes)}"
        raise
    excluded = tuple(sorted(set(suite.exclude) & set(table["id"])))
    table = table[~table["id"].isin(excluded)].sort_values("id", ignore_index=True)
    name = "+".join(corpus.spec.name for corpus in corpora)
    if table["label"].nunique() < 2:
        found = ", ".join(table["label"].unique()) or "none"
        raise CorpusError(
            f"fewer than two classes to tell apart (found: {found})", where=name, hint="check labels, drop and merge"
        )
    named = {key: value for key, value in options.items() if value}
    return Task(name, corpora, table, labels, named, excluded)


def _refuse_unknown_keys(suite: Suite, entries: Iterable[CorpusEntry], specs: Mapping[str, CorpusSpec]) -> None:
    for entry in entries:
        allowed = [*CorpusEntry.model_fields, *COMMON_OPTIONS, *specs[entry.name].options]
        if unknown := [key for key in entry.options if key not in allowed]:
            where = f"suite '{suite.name}', corpora"
            raise UnknownName.among(f"key of corpus '{entry.name}'", unknown[0], allowed, where=where)


def _options(entry: CorpusEntry, suite: Suite) -> dict[str, Any]:
    return {**entry.options, **({"defects": "keep"} if suite.defects == "keep" else {})}

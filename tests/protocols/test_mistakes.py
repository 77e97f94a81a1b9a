"""Deliberately wrong protocols are always called leaky, and copies of test parents are found."""

import pandas as pd
import pytest

from serbench.protocols.audit import COPIES, audit_split
from serbench.protocols.contract import made_up_table
from serbench.protocols.splitting import split
from serbench.registry import build_registry
from serbench.specs import Split


def with_copies(table: pd.DataFrame) -> pd.DataFrame:
    originals = table.assign(parent=table["id"])
    copies = originals.assign(id=table["id"] + "#1", content=table["content"] + "~1")
    return pd.concat([originals, copies], ignore_index=True)


def kinds(audit: dict) -> dict[str, int]:
    return {leak["kind"]: leak["count"] for leak in audit["leaks"]}


def test_copies_of_test_parents_are_counted():
    table = with_copies(made_up_table())
    ids = list(table["id"])
    originals = [name for name in ids if "#" not in name]
    test, train = originals[:10], originals[10:]
    clean = audit_split(table, Split("1", tuple(train), tuple(test)))
    assert COPIES not in kinds(clean)
    leaky = Split("1", (*train, *(f"{name}#1" for name in test[:4])), tuple(test))
    assert kinds(audit_split(table, leaky))[COPIES] == 4
    turned = Split("1", tuple(train), (*test, *(f"{name}#1" for name in train[:3])))
    assert kinds(audit_split(table, turned))[COPIES] == 3


def test_splitting_copies_with_their_parents_tears_families_apart():
    table = with_copies(made_up_table())
    spec = build_registry().get("protocol", "leaky_augment_before_split")
    (fold,) = split(table, spec)
    assert len(fold.test) == round(0.2 * len(table)) and any("#1" in name for name in fold.test)
    found = kinds(audit_split(table, fold, mistake=spec.mistake))
    parents = {name.removesuffix("#1") for name in fold.train} & {name.removesuffix("#1") for name in fold.test}
    assert found[COPIES] == len(parents) > 0
    assert found["augmented before the split"] == len(fold.test)


WRONG = [spec for spec in build_registry().all("protocol") if spec.mistake]


@pytest.mark.parametrize("spec", WRONG, ids=lambda spec: spec.name)
def test_a_mistake_is_leaky_even_where_nothing_is_shared(spec):
    table = made_up_table().assign(text="")
    apart = table["speaker"] == "one/0"
    clean = Split("1", tuple(table["id"][~apart]), tuple(table["id"][apart]))
    assert audit_split(table, clean)["verdict"] == "speaker-independent"
    audit = audit_split(table, clean, mistake=spec.mistake)
    assert audit["verdict"].startswith("leaky: ") and audit["speaker_independent"] is False
    (leak,) = audit["leaks"]
    assert leak["count"] == apart.sum() and leak["examples"]


def test_the_mistakes_are_named_for_what_they_are():
    assert {spec.name for spec in WRONG} >= {"leaky_augment_before_split", "leaky_select_on_test"}
    assert all(spec.description.startswith("WRONG on purpose") and not spec.independence for spec in WRONG)
    assert not any(spec.name.startswith("leaky") for spec in build_registry().all("protocol") if spec not in WRONG)


@pytest.mark.parametrize(
    ("wrong", "twin", "params"),
    [
        ("leaky_select_on_test", "stratified_holdout", {"test_size": 0.3}),
        ("leaky_select_on_test_kfold", "stratified_kfold", {"k": 10}),
        ("leaky_select_on_test_loso", "loso", {}),
    ],
)
def test_choosing_on_test_has_the_folds_of_its_honest_twin(wrong, twin, params):
    table, registry = made_up_table(), build_registry()
    wrong, twin = (registry.get("protocol", name) for name in (wrong, twin))
    assert wrong.split(table, 3, **params) == twin.split(table, 3, **params)
    assert wrong.mistake.validates_on_test and not twin.mistake


def test_what_the_speaker_alone_tells_is_noted():
    table = made_up_table().query("corpus == 'one'").reset_index(drop=True)
    # Four speakers act nothing but sadness, the others the rest.
    sad = table["speaker"].isin([f"one/{number}" for number in range(4)])
    table["label"] = table["label"].where(~sad, "sad")
    (fold,) = split(table, "stratified_holdout")
    notes = [note for note in audit_split(table, fold)["notes"] if note.startswith("the speaker alone")]
    assert len(notes) == 1 and "chance 0.33" in notes[0]
    assert not [note for note in audit_split(made_up_table(), split(made_up_table(), "stratified_holdout")[0])["notes"]
                if note.startswith("the speaker alone")]  # fmt: skip

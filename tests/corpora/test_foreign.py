"""What the names of foreign files, and the columns of foreign tables, are taken for."""

from __future__ import annotations

import dataclasses
from itertools import product

import pandas as pd
import pytest

from serbench.corpora.folder import FOLDER
from serbench.corpora.foreign.names import read_names
from serbench.corpora.foreign.reading import read_foreign
from serbench.corpora.layout import layout_pattern
from serbench.corpora.loading import derive_spec, open_corpus
from serbench.errors import CorpusError

EMOTIONS = ("angry", "happy", "sad", "neutral", "fear")
PEOPLE = ("anna", "bob", "carl")


def named(form: str, **values) -> list[str]:
    """Every combination of values in a form."""
    return [form.format(**dict(zip(values, chosen, strict=True))) for chosen in product(*values.values())]


@pytest.mark.parametrize(
    ("names", "layout", "speakers"),
    [
        (named("{e}/spk{s:02d}_{t}", e=EMOTIONS, s=range(6), t=range(3)), "{label}/{speaker}_*", 6),
        (named("Actor_{s:02d}/{e}/{t:03d}", e=EMOTIONS, s=range(6), t=range(3)), "{speaker}/{label}/*", 6),
        (named("{s}_{x}_{e}_XX", e=("ANG", "SAD", "NEU"), s=range(1001, 1007), x=("DFA", "IEO")), None, 6),
        (named("{s}_{e}/{s}_{w}_{e}", e=EMOTIONS, s=("OAF", "YAF"), w=("back", "bar")), "{speaker}_{label}/*", 2),
        (named("{s}-{e}{t:02d}", e=EMOTIONS, s=PEOPLE, t=range(4)), "{speaker}-{label:a}*", 3),
        (named("ses{x}/{s}/wav/{e}/{t}", x=(1, 2), s=PEOPLE, e=EMOTIONS, t=range(3)), "*/{speaker}/*/{label}/*", 3),
        (named("{x}/{e}/{s}{t}", x=("train", "test"), s=PEOPLE, e=EMOTIONS, t=range(9)), "*/{label}/{speaker:a}*", 3),
        # A file of another layout among many is left out.
        ([*named("{e}/s{s}_{t}", e=EMOTIONS, s=range(4), t=range(3)), "readme"], "{label}/{speaker}_*", 4),
        # No part is surely a person: none is taken for one.
        (named("{e}/{t:03d}", e=EMOTIONS, t=range(20)), "{label}/*", 0),
        (named("{e}_{s}_{t:02d}", e=EMOTIONS, s=PEOPLE, t=range(4)), "{label}_*", 0),
        (named("{g}_{e}_{t:02d}", e=EMOTIONS, g=("F", "M"), t=range(4)), "*_{label}_*", 0),
        # Folders of several depths.
        (
            named("p{s}/{e}/1", s="123", e=EMOTIONS) + named("p{s}/old/{e}/1", s="123", e=EMOTIONS),
            "**/{label}/*",
            0,
        ),
        (named("{e}/{t:03d}", e=("anchor", "phone"), t=range(20)), "{label}/*", 0),
    ],
)  # fmt: skip
def test_layouts(names, layout, speakers):
    found = read_names(names)
    assert found.layout == (layout or "{speaker}_*_{label}_*")
    assert len(found.speakers) == speakers
    pattern = layout_pattern(found.layout)
    read = [match for name in names if (match := pattern.fullmatch(name))]
    assert len(read) >= len(names) - 1
    assert {match["label"] for match in read} == set(found.labels)
    assert {match.groupdict().get("speaker") for match in read} - {None} == set(found.speakers)


def test_words_of_other_languages_are_spelt_out_and_codes_of_one_letter_are_not():
    names = named("{s:02d}/{e}/{t}", s=range(4), e=("Wut", "Freude", "Trauer", "neutral", "Tanz"), t=range(3))
    assert read_names(names).codes == {"Wut": "angry", "Freude": "happy", "Trauer": "sad"}
    with pytest.raises(CorpusError, match="no part of the files' names") as caught:
        read_names(named("{s:02d}{x}{e}{t}", s=range(3, 9), x=("a01", "b02"), e="WLEAFTN", t="ab"))
    assert "?????{label:1}*" in str(caught.value) and "W L E A F T N" in str(caught.value)


def test_a_layout_that_cannot_be_understood_says_why():
    for layout, what in (
        ("{speaker}_*", "needs {label}"),
        ("{label}_{label}", "each field once"),
        ("{emotion}_*", "unknown field {emotion}"),
        ("{label", "brace"),
    ):
        with pytest.raises(CorpusError, match=what.replace("{", r"\{").replace("}", r"\}")):
            layout_pattern(layout)


def test_the_folder_adapter_reads_a_layout(circumstances, make_wav):
    root = circumstances.data / "mine"
    for person, code, take in product(PEOPLE, ("ANG", "SAD"), "12"):
        make_wav(root / f"{person}-{code}{take}.wav")
    make_wav(root / "noise.wav")
    options = {"layout": "{speaker}-{label:a}{take:d}", "codes": {"ANG": "angry"}}
    corpus = open_corpus(derive_spec(FOLDER, "mine"), circumstances, options=options)
    assert set(corpus.table["label"]) == {"angry", "SAD"} and set(corpus.table["take"]) == {"1", "2"}
    assert set(corpus.table["speaker"]) == {f"mine/{person}" for person in PEOPLE}
    assert [(item.kind, item.utterances) for item in corpus.findings] == [("unknown name", ("noise.wav",))]
    # Both words for emotions have their place in the common maps.
    assert corpus.spec.emotions == {"angry": "angry", "SAD": "sad"}
    for wrong, what in (({"codes": ["ANG"]}, "codes is"), ({"speaker": "^.", **options}, "given twice")):
        with pytest.raises(CorpusError, match=what):
            open_corpus(derive_spec(FOLDER, "mine"), circumstances, options=wrong)


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".csv", ";"), (".tsv", "\t")])
def test_tables(circumstances, make_wav, suffix, separator):
    root = circumstances.data / "listed"
    rows = []
    for person, word, take in product(PEOPLE, ("joy", "sadness"), "12"):
        make_wav(root / "clips" / f"{person}_{word}_{take}.wav")
        rows.append({"Client ID": person, "name": f"{person}_{word}_{take}", "emotion": word, "sex": "female"})
    (root / "list").with_suffix(suffix).parent.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv((root / "list").with_suffix(suffix), index=False, sep=separator)
    found = read_foreign(root / f"list{suffix}")
    assert found.adapter == "manifest"
    assert found.options["columns"] == {"path": "name", "label": "emotion", "speaker": "Client ID"}
    assert found.options["folder"] == "clips" and found.options["codes"] == {"joy": "happy", "sadness": "sad"}
    place = dataclasses.replace(circumstances, corpus_paths={"listed": found.root})
    from serbench.corpora.manifest import MANIFEST

    corpus = open_corpus(derive_spec(MANIFEST, "listed"), place, options=found.options)
    assert corpus.used == 12 and set(corpus.table["label"]) == {"happy", "sad"}
    assert set(corpus.table["speaker"]) == {f"listed/{person}" for person in PEOPLE}


def test_a_table_in_the_folder_helps_where_names_say_nothing(circumstances, make_wav):
    root = circumstances.data / "mine"
    rows = []
    for number in range(6):
        make_wav(root / f"{number:04d}.wav")
        rows.append({"file": f"{number:04d}.wav", "target": number % 2, "note": "x"})
    pd.DataFrame(rows).to_csv(root / "meta.csv", index=False)
    found = read_foreign(root)
    assert (found.adapter, found.root) == ("manifest", root / "meta.csv")
    assert found.options["columns"] == {"path": "file", "label": "target"}
    assert found.others == ("other columns: note",)
    pd.DataFrame(rows).drop(columns="target").to_csv(root / "meta.csv", index=False)
    with pytest.raises(CorpusError, match="no column seems to name the labels"):
        read_foreign(root / "meta.csv")

import pytest
from protocol_tables import make_table, only

from serbench.errors import ProtocolError
from serbench.protocols.fixed import FIXED, pin


@pytest.fixture
def table():
    return make_table(speakers=4)


def write(folder, lines, header="utterance,fold"):
    path = folder / "folds.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def by_speaker(table, key="utterance"):
    return [f"{row[key]}, {row['speaker'][-2:]}" for row in table.to_dict("records")]


@pytest.mark.parametrize("key", ["utterance", "id"])
def test_a_file_prescribes_the_folds(table, tmp_path, key):
    file = write(tmp_path, by_speaker(table, key), header=f"{key},fold")
    folds = FIXED.split(table, 0, file=file)
    assert [fold.fold for fold in folds] == ["00", "01", "02", "03"]
    assert set(only(table, folds[2])["speaker"]) == {"demo/02"}
    assert FIXED.split(table, 7, file=file) == folds


def test_train_is_never_tested(table, tmp_path):
    lines = [f"{name},{'test' if speaker == 'demo/00' else 'train'}" for name, speaker in _names(table)]
    (fold,) = FIXED.split(table, 0, file=write(tmp_path, lines))
    assert set(only(table, fold)["speaker"]) == {"demo/00"}
    assert len(fold.train) == 54


def _names(table):
    return table[["utterance", "speaker"]].itertuples(index=False, name=None)


def test_without_a_file_the_manifests_column_counts_and_may_share_speakers(table):
    folds = FIXED.split(table.assign(official_fold=table["take"]), 0)
    assert [fold.fold for fold in folds] == ["0", "1"]
    assert set(only(table, folds[0])["speaker"]) == set(only(table, folds[1])["speaker"])


def test_partial_leaves_out_what_is_not_listed_and_ignores_what_is_not_there(table, tmp_path):
    file = write(tmp_path, [*by_speaker(table)[:36], "gone,00"])
    folds = FIXED.split(table, 0, file=file, partial=True)
    assert {name for fold in folds for name in fold.train + fold.test} == set(table["id"][:36])


def test_a_pinned_file_may_not_change(table, tmp_path):
    file = write(tmp_path, by_speaker(table))
    params = pin({"file": file})
    FIXED.split(table, 0, **params)
    write(tmp_path, [*by_speaker(table)[:-1], by_speaker(table)[-1].replace("03", "02")])
    with pytest.raises(ProtocolError, match="changed since"):
        FIXED.split(table, 0, **params)
    assert pin({"partial": True}) == {"partial": True}


BAD = [
    (lambda lines: [*lines, lines[0]], "utterance,fold", "listed twice: s00-anger-t0-0"),
    (lambda lines: [*lines, "nobody,1"], "utterance,fold", "names unknown utterances (1): nobody"),
    (lambda lines: lines[:-1], "utterance,fold", "leaves out utterances (1): s03-neutral-t2-1"),
    (lambda lines: ["x,1", "y,2"], "utterance,fold", "none of its 2 utterances is in the corpus"),
    (lambda lines: lines, "utterance,set", "has no column fold; it has utterance, set"),
    (lambda lines: lines, "name,fold", "has no column utterance"),
    (lambda lines: [line[:-2] + "1" for line in lines], "utterance,fold", "fold 1 has an empty training part"),
    (lambda lines: ['"unclosed'], "utterance,fold", "cannot read the folds"),
]


@pytest.mark.parametrize(("change", "header", "message"), BAD)
def test_a_bad_file_is_a_clear_error(table, tmp_path, change, header, message):
    file = write(tmp_path, change(by_speaker(table)), header=header)
    with pytest.raises(ProtocolError) as caught:
        FIXED.split(table, 0, file=file)
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_a_file_that_cannot_be_read_is_a_clear_error(table, tmp_path, name):
    for call in (lambda file: FIXED.split(table, 0, file=file), lambda file: pin({"file": file})):
        with pytest.raises(ProtocolError, match="cannot read the folds"):
            call(str(tmp_path / name))


def test_no_folds_at_all_is_a_clear_error(table):
    with pytest.raises(ProtocolError, match="no folds are given"):
        FIXED.split(table.assign(official_fold=""), 0)
    table.loc[0, "official_fold"] = ""
    with pytest.raises(ProtocolError, match="1 of 72 utterances have no official_fold"):
        FIXED.split(table, 0)
    assert len(FIXED.split(table, 0, partial=True)) == 2

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_suites import LABELS as OWN
from made_suites import make_cell, make_table, one_hot, save
from report_suites import LABELS

from serbench.errors import CorpusError, ResultsError, UnknownName, UsageError
from serbench.records import make_predictions
from serbench.reporting.figures.canvas import FORMATS
from serbench.reporting.figures.canvas import save as save_figure
from serbench.reporting.figures.catalogue import draw, kinds
from serbench.reporting.figures.confusion import draw_confusion, draw_counts
from serbench.reporting.figures.cost import pareto_front
from serbench.reporting.figures.curves import mean_curve
from serbench.reporting.figures.feature_map import project, shared_with_nearest, standardised
from serbench.reporting.figures.gap import pairs
from serbench.reporting.figures.kind import CorpusView, SuiteView
from serbench.reporting.figures.speech import log_mel, utterances_to_show
from serbench.reporting.figures.views import corpus_of, corpus_view, row_view
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records

NEEDS = {"curves": "history", "tuning": "tuning"}
SUITE_KINDS = [name for name, kind in kinds().items() if kind.of == "suite" and not kind.needs]
ROW_KINDS = [name for name, kind in kinds().items() if kind.of == "row"]


def every_text(figure) -> str:
    from matplotlib.text import Text

    return "\n".join(item.get_text() for item in figure.findobj(Text))


def test_the_catalogue_holds_all_kinds():
    assert set(kinds()) == {
        "classes", "confusion", "cost", "critical_difference", "curves", "enrolment", "gap", "leaderboard", "map",
        "overview", "reliability", "speakers", "speech", "tuning",
    }  # fmt: skip
    with pytest.raises(UnknownName, match="gpa"):
        draw("gpa", None)


@pytest.mark.parametrize("name", SUITE_KINDS)
def test_a_figure_of_a_suite_names_rows_protocol_and_unit(name, report_records, report_board):
    text = every_text(draw(name, SuiteView(report_records, report_board)))
    assert "official" in text and "toy" in text and "%" in text
    assert "svm" in text and "cnn" in text


@pytest.mark.parametrize("name", ROW_KINDS)
def test_a_figure_of_a_row_is_titled_and_its_axes_are_labelled(name, report_results, report_records):
    view = row_view(report_records, report_results, None, needs=NEEDS.get(name, ""))
    figure = draw(name, view)
    text = every_text(figure)
    assert "toy" in text and "official" in text
    assert all(axes.get_xlabel() or not axes.xaxis.get_tick_params().get("labelbottom", True) for axes in figure.axes)


def test_files_are_of_their_format_and_the_same_each_time(tmp_path, report_records, report_board):
    starts = {"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}
    for style in FORMATS:
        made = [
            save_figure(draw("gap", SuiteView(report_records, report_board)), tmp_path / f"{number}.{style}")
            for number in range(2)
        ]
        contents = [path.read_bytes() for path in made]
        assert contents[0].startswith(starts[style]) and contents[0] == contents[1]
    assert b"<text" in (tmp_path / "0.svg").read_bytes()


def test_saving_refuses_other_formats_and_says_where_it_cannot_write(tmp_path):
    figure = draw_confusion(["a", "b"], np.eye(2, dtype=int), "t")
    with pytest.raises(UsageError, match="gif"):
        save_figure(figure, tmp_path / "x.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot write"):
        save_figure(figure, tmp_path / "file" / "x.png")


def test_drawing_leaves_the_users_settings_alone(report_records, report_board):
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw("speakers", SuiteView(report_records, report_board))
    assert dict(matplotlib.rcParams) == before


def test_gap_pairs_rows_with_themselves(report_board):
    ((key, rows),) = pairs(report_board).items()
    assert key == ("toy", "stratified_kfold", "official")
    assert sorted(rows["name"]) == ["cnn · logmel", "knn · handcrafted", "svm · handcrafted"]
    for item in rows.itertuples():
        own = report_board[(report_board["model"] == item.name.split(" ")[0]) & (report_board["trials"] == 0)]
        own = own[own["standing"] != "transductive"].set_index("protocol")["uar"]
        assert (item.random, item.independent) == (own["stratified_kfold"], own["official"])


@pytest.mark.parametrize("name", ["gap", "leaderboard", "speakers", "classes"])
def test_long_names_leave_the_data_half_of_the_figure(name, report_records, report_board):
    long = report_board.assign(augment="noise(snr_db=10..30), pitch(semitones=-2..2), stretch(rate=0.85..1.15)")
    figure = draw(name, SuiteView(records=report_records, board=long))
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.get_position().width > 0.5
        assert any("\n" in label.get_text() for label in axes.get_yticklabels())


def test_a_suite_without_a_pair_or_without_a_finished_fold_says_so(tmp_path, report_records, report_board):
    honest = report_board[report_board["protocol"] == "official"]
    with pytest.raises(ResultsError, match="both a random and a speaker-independent"):
        draw("gap", SuiteView(report_records, honest))
    save(tmp_path / "toy", make_cell(), None, status="failed", reason="it broke")
    records = load_records(tmp_path, "toy")
    for name in SUITE_KINDS:
        with pytest.raises(ResultsError, match="it broke"):
            draw(name, SuiteView(records, leaderboard(records)))


def test_one_fold_of_six_is_drawn_and_named(tmp_path):
    table = make_table(12)
    for fold in range(6):
        cell = make_cell(fold=str(fold + 1))
        if fold:
            save(tmp_path / "toy", cell, None, status="failed", reason="stopped")
        else:
            test = table[table["speaker"].isin(["toy/00", "toy/06"])]
            save(tmp_path / "toy", cell, make_predictions(test, OWN, one_hot(list(test["label"]))))
    records = load_records(tmp_path, "toy")
    for name in ("leaderboard", "classes", "speakers"):
        assert "svm · mfcc (1/6 folds)" in every_text(draw(name, SuiteView(records, leaderboard(records))))
    with pytest.raises(ResultsError, match="no complete row"):
        draw("cost", SuiteView(records, leaderboard(records)))


@pytest.mark.parametrize(("name", "what"), [("curves", "no epoch curves"), ("tuning", "no finished search")])
def test_a_row_without_curves_or_search_says_so(report_results, report_records, name, what):
    with pytest.raises(ResultsError, match=what):
        draw(name, row_view(report_records, report_results, "*/official/*/knn"))


def test_the_best_row_that_has_what_is_needed_is_chosen(report_results, report_records):
    assert set(row_view(report_records, report_results, None).cells["model"]) == {"cnn"}
    assert set(row_view(report_records, report_results, None, needs="tuning").cells["model"]) == {"svm"}
    with pytest.raises(UsageError, match="no tuned row"):
        row_view(report_records[report_records["model"] == "knn"], report_results, None, needs="tuning")


def test_confusion_shows_counts_and_shares_and_a_class_without_support():
    figure = draw_confusion(["a", "b", "c"], np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0]]), "title")
    counts, shares = figure.axes
    assert [text.get_text() for text in counts.texts] == ["3", "1", "0", "2", "2", "0", "–", "–", "–"]
    assert [text.get_text() for text in shares.texts] == ["75", "25", "0", "50", "50", "0", "–", "–", "–"]


def test_the_tracked_confusion_is_that_of_the_report():
    labels, confusion = ["a", "b"], np.array([[3, 1], [0, 2]])
    (alone,), (first, _) = draw_counts(labels, confusion, "t").axes, draw_confusion(labels, confusion, "t").axes
    for axes in (alone, first):
        assert [text.get_text() for text in axes.texts] == ["3", "1", "0", "2"]
        assert (axes.get_ylabel(), axes.get_xlabel()) == ("true emotion", "predicted emotion")
    np.testing.assert_array_equal(alone.images[0].get_array(), first.images[0].get_array())


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_pareto_front_is_what_nothing_beats(points):
    costs, scores = zip(*points, strict=True)
    front = {points[place] for place in pareto_front(costs, scores)}
    beaten = {
        one for one in points if any(other != one and other[0] <= one[0] and other[1] >= one[1] for other in points)
    }
    assert front == set(points) - beaten


def test_mean_curve_leaves_out_folds_that_have_stopped():
    assert mean_curve([[1.0, 2.0, 6.0], [3.0, 4.0]]).tolist() == [2.0, 3.0, 6.0]


def corpus_table() -> pd.DataFrame:
    table = make_table(4, per_class=2, labels=LABELS)
    return table.assign(
        id=table["corpus"] + "/" + table["utterance"],
        text=[f"s{number % 2}" for number in range(len(table))],
        duration=np.linspace(1, 3, len(table)),
    )


def test_overview_counts_every_utterance(circumstances):
    table = corpus_table()
    figure = draw("overview", CorpusView("toy", table, tuple(LABELS), circumstances))
    shown = [int(text.get_text()) for text in figure.axes[0].texts]
    assert len(shown) == 4 * len(LABELS) and sum(shown) == len(table)
    assert f"{len(table)} utterances, 4 speakers" in every_text(figure)


def test_speech_shows_one_speaker_and_sentence_where_it_can():
    chosen = utterances_to_show(corpus_table(), tuple(LABELS))
    assert list(chosen["label"]) == LABELS
    assert chosen["speaker"].nunique() == 1 and chosen["text"].nunique() == 1
    assert utterances_to_show(corpus_table(), tuple(LABELS), "02sad")["utterance"].tolist() == ["02sad0"]
    with pytest.raises(UnknownName, match="nosuch"):
        utterances_to_show(corpus_table(), tuple(LABELS), "nosuch")


def test_log_mel_has_its_peak_where_the_tone_is():
    import librosa

    levels = log_mel(0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32))
    centres = librosa.mel_frequencies(n_mels=levels.shape[0] + 2, fmax=8_000)[1:-1]
    assert abs(centres[levels.mean(axis=1).argmax()] - 1000) < 60
    assert levels.max() == 0 and levels.min() >= -80


def test_speech_and_map_are_drawn_from_files(tiny_data, circumstances):
    from dataclasses import replace

    from serbench.corpora.loading import derive_spec, open_corpus
    from serbench.registry import build_registry

    around = replace(circumstances, data=tiny_data)
    spec = derive_spec(build_registry().get("corpus", "folder"), "tiny")
    corpus = open_corpus(spec, around, options={"speaker": "/(s[0-9])_"})
    view = CorpusView("tiny", corpus.table, corpus.spec.labels, around, {"features": "mfcc"})
    speech = draw("speech", view)
    assert sum(axes.get_ylabel() == "frequency (kHz)" for axes in speech.axes) == 1
    assert "time (s)" in every_text(speech) and "dB" in every_text(speech)
    text = every_text(draw("map", view))
    assert "mfcc of tiny" in text and "% of the variance" in text
    for choices, error in (({"features": "logmel"}, "sequences"), ({"method": "umap"}, "umap")):
        with pytest.raises(Exception, match=error):
            draw("map", CorpusView("tiny", corpus.table, corpus.spec.labels, around, choices))


def test_nearest_neighbours_are_counted_as_by_hand():
    values = np.array([[0.0], [0.1], [5.0], [5.2], [5.3]])
    assert shared_with_nearest(values, np.array(["a", "a", "b", "c", "c"])) == 4 / 5
    spread = standardised(np.array([[1.0, 7.0], [3.0, 7.0]]))
    assert spread.tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_the_map_keeps_distances_of_two_dimensions():
    values = np.random.default_rng(0).normal(size=(20, 2))
    places, _ = project(values - values.mean(axis=0), "pca")
    expected = np.linalg.norm(values[0] - values[5])
    assert np.linalg.norm(places[0] - places[5]) == pytest.approx(expected)


def test_an_absent_corpus_says_where_to_get_it(circumstances):
    with pytest.raises(CorpusError) as caught:
        corpus_view("tess", circumstances)
    assert "https://" in str(caught.value)
    with pytest.raises(CorpusError, match="tiny"):
        corpus_view("tiny", circumstances)


def test_a_suite_with_several_corpora_asks_which(tmp_path):
    for corpus in ("one", "two"):
        table = make_table(3, corpus=corpus, labels=LABELS)
        predictions = make_predictions(table, LABELS, one_hot(list(table["label"]), LABELS))
        save(tmp_path / "toy", make_cell(corpus=corpus, labels=LABELS), predictions)
    records = load_records(tmp_path, "toy")
    assert corpus_of(records, "two").corpus == "two"
    with pytest.raises(UsageError, match="2 corpora"):
        corpus_of(records, None)

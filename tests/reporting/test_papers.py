import io
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite

from serbench.errors import ResultsError, SerbenchError, UnknownName, UsageError
from serbench.records import make_predictions
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_predictions, load_records
from serbench.reporting.papers.details import (
    class_report,
    class_text,
    gender_report,
    genders_of,
    pooled_confusion,
    speaker_report,
)
from serbench.reporting.papers.make import row_paper, suite_paper
from serbench.reporting.papers.results import results_tables
from serbench.reporting.papers.table import Column, Entry, PaperTable, words
from serbench.reporting.papers.writers import FORMATS, to_latex, write_paper


def texts(table: PaperTable) -> list[list[str]]:
    return [[entry.text for entry in row] for row in table.rows]


def row_of(records, board, model, protocol="official", **fields):
    chosen = board[(board["model"] == model) & (board["protocol"] == protocol)]
    for name, value in fields.items():
        chosen = chosen[chosen[name] == value]
    return records[records["row"] == chosen["row"].iloc[0]]


def test_results_show_the_leaderboard_and_mark_best_ties_and_gaps(report_board):
    (table,) = results_tables(report_board)
    groups = list(dict.fromkeys(column.group for column in table.columns))
    assert groups == ["", "stratified_kfold, not speaker-independent", "official, speaker-independent"]
    by_name = {(row[0].text, row[1].text): row for row in table.rows}
    for entry in report_board[report_board["complete"]].to_dict("records"):
        name = f"{entry['model']} (tuned, 8 trials)" if entry["trials"] else entry["model"]
        place = 5 if entry["protocol"] == "official" else 2
        shown = by_name[name, entry["features"]][place]
        score, low, high = (f"{100 * entry[key]:.1f}" for key in ("uar", "uar_low", "uar_high"))
        assert shown.text == f"{score} [{low}–{high}]"
        transductive = entry["standing"] == "transductive"
        assert shown.bold == (entry["rank"] == 1 and not transductive)
        assert ("=" in shown.mark) == (entry["tied_with_best"] is True and entry["rank"] > 1)
        assert ("†" in shown.mark) == transductive
    slow = by_name["slow", "logmel"]
    assert slow[2].text == "–" and slow[5].text.startswith("(") and not slow[5].bold
    assert ("broken", "handcrafted") not in by_name
    assert any("broken on handcrafted (official)" in note for note in table.notes)
    assert any("slow on logmel 1/3" in note for note in table.notes)


def test_lines_follow_the_honest_protocol_whatever_the_random_one_says(report_board):
    (table,) = results_tables(report_board)
    official = [row[5] for row in table.rows]
    ranked = [entry.numbers[0] for entry in official if not entry.text.startswith("(") and "†" not in entry.mark]
    assert ranked == sorted(ranked, reverse=True) and len(ranked) == 4
    random = [row[2].numbers[0] for row in table.rows if row[2].numbers[0] is not None]
    assert random != sorted(random, reverse=True)
    (by_model,) = results_tables(report_board, sort="model")
    assert [row[0].text.split()[0] for row in by_model.rows] == sorted(row[0].text.split()[0] for row in by_model.rows)


def test_columns_rows_and_decimals_are_chosen(report_board):
    (table,) = results_tables(
        report_board, columns=["weighted_f1", "folds", "fit_seconds"], rows=["sv*", "cnn@logmel"], decimals=3
    )
    assert {row[0].text.split()[0] for row in table.rows} == {"svm", "cnn"}
    assert [column.name for column in table.columns[2:5]] == ["weighted F1", "folds", "fit s"]
    cnn = next(row for row in table.rows if row[0].text == "cnn")
    entry = report_board[(report_board["model"] == "cnn") & (report_board["protocol"] == "official")].iloc[0]
    assert [cell.text for cell in cnn[5:]] == [f"{100 * entry['weighted_f1']:.3f}", "3/3", "33.00"]


@pytest.mark.parametrize(
    "choices", [{"columns": ["uarr"]}, {"sort": "speed"}, {"rows": ["nosuch"]}, {"rows": ["svm@logmel"]}]
)
def test_an_unknown_column_or_row_is_named(report_board, choices):
    with pytest.raises(UnknownName, match=next(iter(choices.values()))[0] if "sort" not in choices else "speed"):
        results_tables(report_board, **choices)


def test_only_failed_cells_are_an_error_with_their_reason(tmp_path):
    for fold in "12":
        save(tmp_path / "toy", make_cell(fold=fold), None, status="failed", reason="OutOfMemory: 3 GB")
    with pytest.raises(ResultsError, match="OutOfMemory"):
        results_tables(leaderboard(load_records(tmp_path, "toy")))


def test_wide_puts_corpora_side_by_side(tmp_path):
    for corpus in ("one", "two"):
        table = make_table(6, corpus=corpus)
        for model, right in (("a", 3), ("b", 1)):
            predicted = [label if number % 4 < right else "sad" for number, label in enumerate(table["label"])]
            cell = make_cell(model=model, corpus=corpus)
            save(tmp_path / "toy", cell, make_predictions(table, LABELS, one_hot(predicted)))
    board = leaderboard(load_records(tmp_path, "toy"))
    (wide,) = results_tables(board, wide=True)
    assert [column.group for column in wide.columns] == [
        "", "", "one: official, speaker-independent", "two: official, speaker-independent",
    ]  # fmt: skip
    assert [row[0].text for row in wide.rows] == ["a", "b"]
    assert len(results_tables(board)) == 2
    both = pd.read_csv(io.StringIO(suite_paper(board, "results", "csv")))
    assert both["table"].nunique() == 2 and len(both) == 4


def test_csv_holds_the_numbers_alone(report_board):
    frame = pd.read_csv(io.StringIO(suite_paper(report_board, "results", "csv", decimals=2)))
    cnn = frame[frame["model"] == "cnn"].iloc[0]
    entry = report_board[(report_board["model"] == "cnn") & (report_board["protocol"] == "official")].iloc[0]
    column = "official, speaker-independent: UAR"
    assert cnn[column] == pytest.approx(100 * entry["uar"], abs=0.005)
    assert cnn[f"{column} low"] == pytest.approx(100 * entry["uar_low"], abs=0.005)
    assert frame.loc[frame["model"] == "slow", "stratified_kfold, not speaker-independent: UAR"].isna().all()


def test_text_has_the_numbers_and_layout_of_scikit_learn(tmp_path):
    from sklearn.metrics import classification_report

    table = make_table(5)
    generator = np.random.default_rng(0)
    predicted = list(generator.choice(LABELS[:2], len(table)))
    save(tmp_path / "toy", make_cell(), make_predictions(table, LABELS, one_hot(predicted)))
    cells = load_records(tmp_path, "toy")
    for decimals in (2, 4):
        expected = classification_report(
            table["label"], predicted, labels=LABELS, digits=decimals, zero_division=np.nan
        )
        assert class_text(cells, decimals=decimals) == expected


def test_a_row_that_predicts_one_class_has_undefined_precisions(tmp_path):
    table = make_table(4)
    save(tmp_path / "toy", make_cell(), make_predictions(table, LABELS, one_hot(["sad"] * len(table))))
    cells = load_records(tmp_path, "toy")
    report = {entry["name"]: entry for entry in class_report(cells)}
    assert np.isnan(report["angry"]["precision"]) and report["angry"]["recall"] == 0 == report["angry"]["f1"]
    assert report["sad"]["precision"] == pytest.approx(1 / 3) and report["sad"]["recall"] == 1
    assert report["macro avg"]["precision"] == pytest.approx(1 / 3)
    text = row_paper(tmp_path, cells, "per-class", "md")
    assert "| angry | – | 0.0 | 0.0 | 16 |" in text and "never predicted" in text


def test_speakers_and_genders_equal_a_plain_count(report_results, report_records, report_board):
    cells = row_of(report_records, report_board, "knn")
    frames = load_predictions(report_results, cells)
    pooled = pd.concat(frames.values())
    pooled = pooled[pooled["role"] == "test"]
    hit = pooled["truth"] == pooled["predicted"]

    def plain_uar(part: pd.DataFrame) -> float:
        return hit[part.index][:].groupby(part["truth"].to_numpy()).mean().mean()

    pooled = pooled.reset_index(drop=True)
    hit = hit.reset_index(drop=True)
    genders = genders_of(frames)
    for report, column in ((speaker_report(cells, genders), "speaker"), (gender_report(cells, genders), "gender")):
        shown = {entry["name"][0] if column == "gender" else entry["name"]: entry for entry in report}
        parts = dict(list(pooled.groupby(column)))
        assert set(shown) == set(parts)
        for name, part in parts.items():
            assert shown[name]["uar"] == pytest.approx(plain_uar(part))
            assert shown[name]["utterances"] == len(part)
    assert {entry["name"]: entry["speakers"] for entry in gender_report(cells, genders)} == {"female": 6, "male": 6}
    worst = row_paper(report_results, cells, "per-speaker", "csv", sort="uar")
    values = pd.read_csv(io.StringIO(worst))["UAR"]
    assert values.is_monotonic_increasing and len(values) == 12


def test_several_seeds_count_an_utterance_once(tmp_path):
    write_suite(tmp_path / "toy", models={"m": 1.0}, protocols=("official",), seeds=(0, 1))
    cells = load_records(tmp_path, "toy")
    assert sum(entry["utterances"] for entry in speaker_report(cells)) == 144
    assert pooled_confusion(cells)[1].sum() == 288


def test_latex_escapes_what_it_must():
    table = PaperTable(
        "50 % of a_b & c", "tab:x", (Column("m#", words=True), Column("UAR", "p_1")),
        ((words(r"a\b{c}~^$"), Entry("1.0 [0.5–2.0]", (1.0,), bold=True, mark="=†")),), ("100 % & more",),
    )  # fmt: skip
    text = to_latex(table)
    assert r"\caption{50 \% of a\_b \& c}" in text and r"\label{tab:x}" in text
    assert r"a\textbackslash{}b\{c\}\textasciitilde{}\textasciicircum{}\$" in text
    assert r"\textbf{1.0 [0.5--2.0]}\rlap{$^{=}$}\rlap{$^{\dagger}$}" in text
    assert r"\multicolumn{1}{c}{p\_1}" in text and r"\cmidrule(lr){2-2}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX engine here")
def test_latex_compiles_as_it_is(tmp_path, report_results, report_records, report_board):
    cells = row_of(report_records, report_board, "cnn")
    (tmp_path / "results.tex").write_text(suite_paper(report_board, "results", "latex", document=True))
    (tmp_path / "row.tex").write_text(row_paper(report_results, cells, "per-speaker", "latex", document=True))
    for name in ("results", "row"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-2000:]
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF") and "Overfull" not in done.stdout


def test_every_format_names_the_protocol_and_the_caption(report_board):
    for style in FORMATS:
        text = suite_paper(report_board, "results", style, caption="My caption", label="tab:mine")
        assert "official, speaker-independent" in text
        assert style == "csv" or "My caption" in text
    assert "tab:mine" in suite_paper(report_board, "results", "latex", label="tab:mine")


def test_markdown_and_html_hold_names_with_special_letters():
    table = PaperTable("a<b", "l", (Column("x|y", words=True),), ((words("p|q <i>"),),))
    assert "| p\\|q <i> |" in write_paper([table], "md")
    text = write_paper([table], "html")
    assert "a&lt;b" in text and "p|q &lt;i&gt;" in text


@pytest.mark.parametrize(("kind", "style"), [("results", "text"), ("wide", "docx")])
def test_an_unknown_format_is_refused(report_board, kind, style):
    with pytest.raises(UsageError) as caught:
        suite_paper(report_board, kind, style)
    assert isinstance(caught.value, SerbenchError) and "latex" in caught.value.hint

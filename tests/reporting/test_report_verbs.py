import shutil
from dataclasses import replace

import pytest
import typer
from made_suites import LABELS, make_cell, make_table, one_hot, save
from typer.testing import CliRunner

import serbench
from serbench.cli import plot, report, table
from serbench.errors import ResultsError, SerbenchError, UnknownName, UsageError
from serbench.records import make_predictions


@pytest.fixture
def program():
    app = typer.Typer()
    for name, verb in (("table", table.table), ("plot", plot.plot), ("report", report.report)):
        app.command(name)(verb)

    def run(*words):
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None:
            raise result.exception
        return result

    return run


@pytest.fixture
def own_results(report_results, tmp_path):
    """A copy to write reports into."""
    return shutil.copytree(report_results, tmp_path / "results", ignore=shutil.ignore_patterns("report", "index.html"))


def test_table_prints_or_writes(program, report_results, tmp_path):
    printed = program("table", "toy", "-f", "latex", "--label", "tab:mine", "--results", report_results).stdout
    assert printed.startswith(r"\begin{table}") and r"\label{tab:mine}" in printed
    path = tmp_path / "new" / "speakers.csv"
    words = ["*/official/*/knn", "-k", "per-speaker", "--sort", "uar", "-f", "csv", "-o", path]
    assert str(path) in program("table", "toy", *words, "--results", report_results).stdout
    assert len(path.read_text().splitlines()) == 13
    text = program("table", "toy", "*/official/*/knn", "-f", "text", "--results", report_results).stdout
    assert "f1-score" in text and "macro avg" in text


def test_plot_lists_its_kinds_and_draws_where_it_is_told(program, report_results, tmp_path):
    assert "gap" in program("plot").stdout
    path = tmp_path / "pictures" / "gap.svg"
    assert program("plot", "gap", "toy", "-o", path, "--results", report_results).stdout.strip() == str(path)
    assert "toy: random folds overstate UAR" in path.read_text()


def test_the_report_of_a_published_suite_shows_its_claims_alone(program, own_results):
    features = ({"name": "mfcc_chroma_contrast", "version": "1", "params": {}},)
    frame = make_predictions(make_table(12), LABELS, one_hot(list(make_table(12)["label"])))
    save(own_results / "p4", replace(make_cell(model="knn", protocol="stratified_holdout"), features=features), frame)
    program("report", "p4", "--only", "page", "--results", own_results)
    text = (own_results / "p4" / "report" / "index.html").read_text()
    assert "Published claims" in text and text.count('data-name="claim"') == 6
    assert '>56.0</td><td data-name="their protocol" class="number">100.0</td>' in text
    assert "Published claims" in (own_results / "index.html").read_text()
    program("report", "toy", "--only", "page", "--results", own_results)
    assert "Published claims" not in (own_results / "toy" / "report" / "index.html").read_text()


def test_report_writes_tables_figures_page_and_index(program, own_results):
    result = program("report", "toy", "--format", "png", "--results", own_results)
    folder = own_results / "toy" / "report"
    for name in ("tables/results.tex", "tables/results.csv", "figures/gap.png", "figures/confusion-toy.png",
                 "figures/curves-toy.png", "figures/tuning-toy.png", "index.html"):  # fmt: skip
        assert (folder / name).is_file(), name
    assert list((folder / "tables").glob("per-speaker-toy-*.md"))
    assert 'href="figures/gap.png"' in (folder / "index.html").read_text()
    assert (own_results / "index.html").is_file()
    assert "no figure speech-toy" in result.stderr and "no adapter is named 'toy'" in result.stderr
    assert not list(folder.rglob("*.tmp"))


@pytest.fixture(scope="module")
def folder_results(tiny_data, shared_cache, tmp_path_factory):
    """A run of a suite whose corpus is a user's own folder; returns the suite file and what the verbs are told."""
    folder = tmp_path_factory.mktemp("own")
    suite = folder / "tiny.yaml"
    suite.write_text(
        "title: Tiny\n"
        'corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]\n'
        "grid: [{features: [mfcc], models: [lda], protocols: [{name: speaker_kfold, params: {k: 3}}]}]\n"
    )
    where = {"data": tiny_data, "cache": shared_cache, "results": folder / "results"}
    serbench.run(suite, executor="in_process", **where)
    return suite, [word for name, path in where.items() for word in (f"--{name}", path)]


@pytest.mark.parametrize("kind", ["speech", "map"])
def test_a_corpus_of_own_folders_is_drawn_as_its_suite_says(kind, program, folder_results, tmp_path):
    suite, told = folder_results
    path = tmp_path / f"{kind}.svg"
    program("plot", kind, suite, "--features", "mfcc", "-o", path, *told)
    # The speaker expression of the suite's entry: without it nobody would be known.
    assert "low" in path.read_text() and "s0" in path.read_text()


def test_the_report_on_a_corpus_of_own_folders_has_every_figure(program, folder_results, monkeypatch):
    suite, told = folder_results
    monkeypatch.chdir(suite.parent)
    result = program("report", "tiny", "--only", "figures", "--format", "png", *told)
    figures = suite.parent / "results" / "tiny" / "report" / "figures"
    assert {"speech-tiny.png", "map-tiny.png", "overview-tiny.png"} <= {path.name for path in figures.iterdir()}
    assert "adapter" not in result.stderr


def test_report_of_failures_alone_says_what_is_lacking(program, tmp_path):
    save(tmp_path / "toy", make_cell(), None, status="failed", reason="it broke")
    result = program("report", "toy", "--format", "png", "--results", tmp_path)
    assert "no table results.md: none of 1 rows has a finished fold; the first reason: it broke" in result.stderr
    assert "it broke" in (tmp_path / "toy" / "report" / "index.html").read_text()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["table", "nosuch"], UnknownName),
        (["table", "toy", "--columns", "uarr"], UnknownName),
        (["table", "toy", "--kind", "per-class"], UsageError),
        (["table", "toy", "knn", "--kind", "results"], UsageError),
        (["table", "toy", "--kind", "per-clas"], UnknownName),
        (["table", "toy", "--format", "docx"], UsageError),
        (["table", "toy", "*/official/*/knn", "--columns", "uar"], UsageError),
        (["table", "toy", "*/official/*/broken"], ResultsError),
        (["plot", "gap"], UsageError),
        (["plot", "gpa", "toy"], UnknownName),
        (["plot", "gap", "toy", "knn"], UsageError),
        (["plot", "gap", "toy", "--format", "gif"], UsageError),
        (["plot", "confusion", "toy", "nosuch"], UnknownName),
        (["report", "nosuch"], UnknownName),
        (["report", "toy", "--only", "pages"], UsageError),
    ],
)
def test_mistakes_are_clear_errors(program, report_results, words, error):
    with pytest.raises(error) as caught:
        program(*words, "--results", report_results)
    assert isinstance(caught.value, SerbenchError) and caught.value.hint


def test_a_folder_that_cannot_be_written_is_named(program, own_results):
    (own_results / "toy" / "report").write_text("a file in the way")
    with pytest.raises(ResultsError, match="cannot write"):
        program("report", "toy", "--only", "page", "--results", own_results)

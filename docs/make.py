"""Write the committed results into README and pages, and draw their pictures: none is typed or drawn by hand.

    python docs/make.py

A block `<!-- rows SUITE PROTOCOL N -->` holds the N best rows of a leaderboard, `<!-- tuned SUITE PROTOCOL -->` those
that were tuned, `<!-- confirmed N SUITES -->` the N rows that lead RAVDESS, and the best one, on corpora that nothing
was chosen on, `<!-- flattered SUITES -->` what a random split adds, `<!-- enrolled SUITES -->` what enrolled rows gain,
`<!-- claims -->` the published numbers beside ours and `<!-- sources -->` where they are from, `<!-- corpora -->` the
cards of the corpora, `<!-- speed -->` the seconds of the classical grid, `<!-- growth -->` those of the usual
notebook's job, `<!-- voice REFERENCE -->` how the descriptors of `voice` agree with others; `<!-- end -->` ends a
block. `PICTURES` names what is drawn of which suite. Everything comes from the frozen files and from what benchmarks
wrote into `benchmarks/measured` with `--json`. A test holds pages and pictures to the same.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from serbench.registry import build_registry
from serbench.reporting.claims import claims_table, format_claims
from serbench.reporting.enrolment import enrolment_curves, numbers_of
from serbench.reporting.figures.canvas import BLUE, GREY, ORANGE, new_figure, plain_grid, save, theme
from serbench.reporting.figures.catalogue import draw, kind_named
from serbench.reporting.figures.kind import SuiteView
from serbench.reporting.figures.views import row_view, suite_view
from serbench.reporting.formats import format_leaderboard
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_finished
from serbench.reporting.text_tables import percent, to_markdown
from serbench.runner.suite.published import published_claims, published_suites

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "benchmarks" / "measured"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


class Results:
    """The committed results of a folder, alone: cells of a run on this machine would hide them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records = cache(lambda *suites: load_finished(folder, list(suites)))
        self.board = cache(lambda suite: leaderboard(self.records(suite)))


@contextmanager
def committed(results: Path) -> Iterator[Results]:
    """The frozen files of a results folder, and the ledgers of what was ever scored."""
    with tempfile.TemporaryDirectory() as temporary:
        for path in results.glob("*/frozen.parquet"):
            copy = Path(temporary) / path.parent.name
            copy.mkdir()
            for file in (path, *path.parent.glob("ledger.csv")):
                shutil.copy(file, copy)
        yield Results(Path(temporary))


def filled(text: str, results: Results) -> str:
    """A page with every block as the frozen files have it."""

    def block(found: re.Match) -> str:
        head, kind, words, end = found.groups()
        return f"{head}{MAKERS[kind](results, *words.split())}\n{end}"

    return BLOCK.sub(block, text)


def best_rows(results: Results, suite: str, protocol: str, number: str) -> str:
    """The first rows of a suite's leaderboard under one protocol."""
    board = results.board(suite)
    return _table(board[board["protocol"] == protocol].head(int(number)))


def tuned_rows(results: Results, suite: str, protocol: str) -> str:
    """The tuned rows of a suite's leaderboard under one protocol."""
    board = results.board(suite)
    return _table(board[(board["protocol"] == protocol) & (board["trials"] > 0) & board["complete"]])


def _table(board: pd.DataFrame) -> str:
    """The rows below what says how far they go: verdict, unit of the interval, whether rows can be told apart."""
    lines = format_leaderboard(board, "md").strip().splitlines()
    return "\n".join(f"*{line[4:]}*" if line.startswith("### ") else line for line in lines)


def confirmed(results: Results, number: str, *suites: str) -> str:
    """On each corpus the rows that lead RAVDESS' board, then its own best, which was chosen by these numbers."""
    leaders, lines = _untuned(results.board("ravdess"), "official"), []
    for suite in suites:
        unseen, random = (_untuned(results.board(suite), name) for name in ("official", "stratified_kfold"))
        named = [name for name in leaders.index if name in unseen.index][: int(number)]
        for name in dict.fromkeys([*named, unseen.index[0]]):
            row, (features, model, augment) = unseen.loc[name], name
            why = "leads RAVDESS" if name in named else f"best of {len(unseen)} here"
            interval = f"[{percent(row['uar_low'])}, {percent(row['uar_high'])}]"
            twin = percent(random.loc[name, "uar"]) if name in random.index else "–"
            what = model if augment == "none" else f"{model}, {augment}"
            lines.append([suite, row["speakers"], features, what, percent(row["uar"]), interval, twin, why])
    return to_markdown(["corpus", "speakers", "features", "model", "unseen", "95 %", "random", "why shown"], lines)


def flattered(results: Results, *suites: str) -> str:
    """On each corpus by how many points of UAR a random split exceeds unseen speakers, over all rows that learn."""
    lines = []
    for suite in suites:
        unseen, random = (_untuned(results.board(suite), name) for name in ("official", "stratified_kfold"))
        gains = 100 * (random["uar"] - unseen["uar"]).dropna().drop(["majority", "shortcuts"], level="model")
        numbers = [f"{value:.1f}" for value in (gains.min(), gains.mean(), gains.max())]
        lines.append([suite, unseen["speakers"].iloc[0], len(gains), *numbers])
    return to_markdown(["corpus", "speakers", "rows", "least", "mean", "most"], lines)


def enrolled(results: Results, *suites: str) -> str:
    """UAR of enrolled rows after n utterances of a new speaker, with the points gained on none."""
    found = {suite: enrolment_curves(results.records(suite), results.board(suite)) for suite in suites}
    numbers, lines = numbers_of([curve for curves in found.values() for curve in curves]), []
    for suite, curves in found.items():
        for curve in curves:
            told = dict(zip(curve.numbers, zip(curve.uar, curve.low, curve.high, curve.gain, strict=True), strict=True))
            lines.append([suite, curve.name, *(_after(told.get(number)) for number in numbers)])
    return to_markdown(["corpus", "model", *(f"n = {number}" for number in numbers)], lines)


def _after(scores: tuple[float, float, float, float] | None) -> str:
    if scores is None:
        return "–"
    uar, low, high, gain = scores
    return f"{percent(uar)} [{percent(low)}, {percent(high)}]" + (f" {100 * gain:+.1f}" if gain else "")


def _untuned(board: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Finished rows of one protocol by features, model and copies, best first, without the tuned and the enrolled."""
    plain = board["complete"] & ~(board["trials"] > 0) & (board["enrol"].fillna("") == "")
    found = board[plain & (board["protocol"] == protocol)]
    return found.set_index(["features", "model", "augment"])


def claims(results: Results) -> str:
    """The published claims that report a number."""
    suites = published_suites()
    told = [claim for claim in published_claims(suites) if claim["reported"] is not None]
    return format_claims(claims_table(told, results.records(*(suite.name for suite in suites))), "md")


def sources(results: Results) -> str:
    """What the published claims are about, and the suites that rebuild them."""
    rows = [
        (suite.published.claims[0].claim, f"`published/{suite.name}`", suite.published.source, suite.title)
        for suite in published_suites()
    ]
    return to_markdown(["claim", "suite", "source", "what it is"], rows)


def corpora(results: Results) -> str:
    """The cards of the corpora that others published."""
    cards = [spec for spec in build_registry().all("corpus") if spec.homepage]
    rows = [
        (
            f"[`{spec.name}`]({spec.homepage})",
            spec.language,
            f"{spec.utterances or '–'}",
            f"{spec.speakers or '–'}",
            spec.elicitation,
            spec.licence,
            spec.citation,
        )
        for spec in cards
    ]
    return to_markdown(["corpus", "language", "utterances", "speakers", "elicited", "licence", "citation"], rows)


def measured(name: str) -> Any:
    """What a benchmark wrote with `--json`."""
    return json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8"))


def speed(results: Results) -> str:
    """Seconds a cell of the classical grid, by the defaults and by faster parameters."""
    grid = measured("grid")
    costs = {f"`{name}`": (ways["default"][0], ways["faster"][0]) for name, ways in grid["models"].items()}
    costs["all five"] = tuple(sum(column) for column in zip(*costs.values(), strict=True))
    lines = [
        (name, f"{default / grid['folds']:.2f}", f"{faster / grid['folds']:.2f}", f"{default / faster:.1f}×")
        for name, (default, faster) in costs.items()
    ]
    table = to_markdown(["model, `handcrafted`", "default, s a cell", "faster, s a cell", "ratio"], lines)
    return f"{table}\n\nFeatures of all {grid['utterances']} files: {grid['features']:.1f} s."


def growth(results: Results) -> str:
    """Seconds of the usual notebook's job by the number of utterances, the notebook's and ours."""
    lines = []
    for size in measured("notebook"):
        notebook = size["notebook"]
        ways = {f"serbench, {jobs} at a time": seconds for jobs, seconds in size["serbench"].items()}
        for name, seconds in {"notebook": notebook, **ways}.items():
            ratios = [f"{notebook[unit] / seconds[unit]:.1f}×" for unit in ("processor", "clock")]
            cells = [
                value for unit, ratio in zip(seconds, ratios, strict=True) for value in (round(seconds[unit]), ratio)
            ]
            lines.append((size["utterances"], name, *cells))
    return to_markdown(["utterances", "by", "processor, s", "ratio", "clock, s", "ratio"], lines)


def voice(results: Results, reference: str) -> str:
    """How the descriptors of `voice` agree with those of a reference, frame by frame."""
    found = measured("voice")
    rows = []
    for name, row in found[reference].items():
        difference = f"{row['difference']:.2f} {row['unit']}" if row["unit"] else "–"
        rows.append((name, f"{row['value']:.3f}", row["measure"], difference))
    table = to_markdown(["descriptor", "agreement", "of", "median difference"], rows)
    return f"{table}\n\n{found['utterances']} utterances."


MAKERS = {
    **{"rows": best_rows, "tuned": tuned_rows, "confirmed": confirmed, "flattered": flattered},
    **{"enrolled": enrolled, "claims": claims},
    **{"sources": sources, "corpora": corpora, "speed": speed, "growth": growth, "voice": voice},
}
BLOCK = re.compile(rf"(<!-- ({'|'.join(MAKERS)})([^>]*) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def handcrafted(results: Results, suite: str) -> SuiteView:
    """The single models on the hand-crafted features alone: what fits on a first screen."""
    view = suite_view(results.records(suite), None)
    board = view.board
    return SuiteView(view.records, board[(board["features"] == "handcrafted") & (board["model"] != "majority")])


def whole(results: Results, suite: str) -> SuiteView:
    """All rows of a suite."""
    return suite_view(results.records(suite), None)


def best(results: Results, suite: str):
    """The best row of a suite."""
    return row_view(results.records(suite), results.folder, None, needs=kind_named("confusion").needs)


def of_suite(kind: str, view: Callable, suite: str, results: Results) -> Figure:
    """A figure of the program's own, of a view on a suite."""
    return draw(kind, view(results, suite))


def speed_picture(results: Results) -> Figure:
    """Where the time of the grid goes, by the defaults and by faster parameters."""
    grid = measured("grid")
    names = list(grid["models"])
    with theme():
        figure = new_figure(2.2)
        axes = figure.subplots()
        for way, colour, shift in (("default", GREY, 0.2), ("faster", BLUE, -0.2)):
            seconds = [grid["models"][name][way][0] / grid["folds"] for name in names]
            axes.barh([len(names) - at + shift for at in range(len(names))], seconds, 0.38, color=colour, label=way)
        axes.set_yticks([len(names) - at for at in range(len(names))], names)
        axes.set(xlabel="processor seconds", title="one cell of the classical grid on RAVDESS")
        axes.legend()
        plain_grid(axes)
    return figure


def growth_picture(results: Results) -> Figure:
    """How the notebook's job grows with the utterances, and with the jobs."""
    sizes = measured("notebook")
    utterances = [size["utterances"] for size in sizes]
    lines = {"notebook": [size["notebook"]["clock"] for size in sizes]}
    for jobs in sizes[0]["serbench"]:
        lines[f"serbench, {jobs} at a time"] = [size["serbench"][jobs]["clock"] for size in sizes]
    with theme():
        figure = new_figure(2.4)
        axes = figure.subplots()
        for (name, seconds), colour in zip(lines.items(), (GREY, BLUE, ORANGE), strict=False):
            axes.plot(utterances, seconds, marker="o", color=colour, label=name)
        axes.set_xticks(utterances)
        axes.set(xlabel="utterances", ylabel="seconds of the clock", title="the usual notebook's job", ylim=(0, None))
        axes.legend()
        plain_grid(axes)
    return figure


PICTURES: dict[str, Callable[[Results], Figure]] = {
    "gap.png": partial(of_suite, "gap", handcrafted, "ravdess"),
    "ravdess-gap.png": partial(of_suite, "gap", whole, "ravdess"),
    "emodb-gap.png": partial(of_suite, "gap", whole, "emodb"),
    "ravdess-confusion.png": partial(of_suite, "confusion", best, "ravdess"),
    "speed.png": speed_picture,
    "growth.png": growth_picture,
}


def picture(name: str, results: Results) -> Figure:
    """Draw one of `PICTURES`."""
    return PICTURES[name](results)


def main() -> None:
    """Fill every page and draw every picture."""
    with committed(ROOT / "results") as results:
        for page in PAGES:
            page.write_text(filled(page.read_text(encoding="utf-8"), results), encoding="utf-8")
        for name in PICTURES:
            save(picture(name, results), ROOT / "docs" / "images" / name)


if __name__ == "__main__":
    main()

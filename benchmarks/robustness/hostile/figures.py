"""Labels and names that figures, tables and pages could take for markup."""

from __future__ import annotations

import os

from hostile.cases import HEALED, case
from hostile.place import Place

NAMES = {
    "broken mathtext": r"$\frac",
    "mathtext": r"$x^2$",
    "an odd dollar": "5$",
    "LaTeX": r"\input{etc}%&#_{}~^",
    "HTML": "<script>alert(1)<|script>".replace("|", "\u2044"),
    "Markdown": "a|b`c`*d*",
    "a leading underscore": "_hidden",
    "a line break": "two\nlines",
    "right-to-left text": "שמח",
    "an emoji": "😀",
    "rich markup": "[bold red]x[blink]",
    "a format string": "{0}%s%(x)s",
}


def _rename(place: Place, label: str) -> None:
    os.rename(place.corpus / "low", place.corpus / label)


for title, label in NAMES.items():

    @case("figures", f"a label that is {title}", HEALED)
    def _(place: Place, label=label):
        _rename(place, label)
        place.run("--model", "lda")
        place.cli("plot", "confusion", "tiny")


@case("figures", "labels that are mathtext, LaTeX and HTML: the whole report", HEALED, limit=180)
def _(place: Place):
    for folder, label in zip(("low", "mid", "high"), ("broken mathtext", "LaTeX", "HTML"), strict=True):
        os.rename(place.corpus / folder, place.corpus / NAMES[label])
    place.run("--model", "lda")
    place.cli("report", "tiny")
    page = next(place.results.rglob("*.html")).read_text()
    if "<script>alert(1)" in page:
        raise RuntimeError("the page holds the label as markup")


@case("figures", "a speaker that is broken mathtext", HEALED, limit=60)
def _(place: Place):
    for path in list(place.corpus.rglob("s0_*.wav")):
        path.rename(path.with_name(path.name.replace("s0_", "$frac0_")))
    place.suite.write_text(place.suite.read_text().replace("/(s[0-9])_", "/([^/]*?[0-9])_"))
    place.run("--model", "lda")
    place.cli("plot", "speakers", "tiny")


@case("figures", "a suite's title that is LaTeX and HTML", HEALED, limit=60)
def _(place: Place):
    place.suite.write_text(place.suite.read_text().replace("title: Tiny", "title: '$\\frac <b>\\input{x}'"))
    place.keep()
    place.cli("leaderboard", "tiny")
    place.cli("plot", "confusion", "tiny")


@case("figures", "a model's name that is broken mathtext", HEALED, limit=60)
def _(place: Place):
    from hostile.plug_ins import OWN

    place.plugin(OWN.format(body="pass").replace('"own"', 'r"$frac{"'), "--model", "$frac{")
    place.cli("plot", "confusion", "tiny")

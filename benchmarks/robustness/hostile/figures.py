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
    "rich markup": "[bold red]x[/]",
    "a format string": "{0}%s%(x)s",
}


def _rename(place: Place, label: str) -> None:
    os.rename(place.corpus / "low", place.corpus / label)


for title, label in NAMES.items():

    @case("figures", f"a label that is {title}: run and report", HEALED, limit=120)
    def _(place: Place, label=label):
        _rename(place, label)
        place.run("--model", "lda")
        place.cli("report", "tiny")


@case("figures", "a label that is broken mathtext: every table and figure", HEALED, limit=120)
def _(place: Place):
    _rename(place, NAMES["broken mathtext"])
    place.run("--model", "lda")
    for style in ("latex", "markdown", "csv"):
        place.cli("table", "results", "tiny", "--format", style)
    place.cli("plot", "confusion", "tiny", "--format", "svg")


@case("figures", "a speaker that is broken mathtext", HEALED, limit=120)
def _(place: Place):
    for path in list(place.corpus.rglob("s0_*.wav")):
        path.rename(path.with_name(path.name.replace("s0_", "$frac0_")))
    place.suite.write_text(place.suite.read_text().replace("/(s[0-9])_", "/([^/]*?[0-9])_"))
    place.run("--model", "lda")
    place.cli("report", "tiny")


@case("figures", "a suite's title that is LaTeX and HTML", HEALED, limit=120)
def _(place: Place):
    place.suite.write_text(place.suite.read_text().replace("title: Tiny", "title: '$\\frac <b>\\input{x}'"))
    place.keep()
    place.cli("report", "tiny")


@case("figures", "a model's name that is broken mathtext", HEALED, limit=120)
def _(place: Place):
    from hostile.plug_ins import OWN

    place.plugin(OWN.format(body="pass").replace('"own"', 'r"$\\frac"'), "--model", r"$\frac")
    place.cli("report", "tiny")

"""The README says what the program does: its commands exist, and its numbers are those of the committed results."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from serbench.cli.main import build_app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    {
        line.partition("#")[0].strip()
        for block in re.findall(r"^```\w*\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
        if line.startswith("serbench ")
    }
)
BLOCKS = re.findall(r"<!-- (rows|tuned|claims)[^>]* -->", README)


@pytest.fixture(scope="module")
def program():
    import typer.main

    return typer.main.get_command(build_app())


def test_there_are_commands_and_tables():
    assert len(COMMANDS) > 10 and len(BLOCKS) > 5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_verb_and_options(program, command):
    words = shlex.split(command)[1:]
    verb = program.commands[words[0]]
    if hasattr(verb, "commands") and len(words) > 1 and words[1] in verb.commands:
        verb = verb.commands[words[1]]
    known = {option for parameter in verb.params for option in getattr(parameter, "opts", [])}
    given = {word for word in words if word.startswith("-")}
    assert given <= known, f"{sorted(given - known)} is no option of {verb.name}"


def test_every_table_is_what_the_frozen_results_say():
    script = runpy.run_path(str(ROOT / "docs" / "fill_readme.py"))
    filled = script["filled"](README, ROOT / "results").splitlines()
    wrong = [line for line in README.splitlines() if line not in filled]
    assert not wrong and len(filled) == len(README.splitlines()), f"python docs/fill_readme.py mends: {wrong}"


def test_published_claims_are_the_first_table():
    assert BLOCKS[0] == "claims"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_into_the_repository_leads_somewhere(link):
    assert link.startswith("https://") or (ROOT / link).exists()

"""The README says what the program does: its commands exist, and its numbers are those of the committed results."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from serbench.cli.main import build_app
from serbench.reporting.formats import format_leaderboard
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records

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
TABLES = re.findall(r"<!-- from (\S+) -->\n(.*?)<!-- end -->", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def program():
    import typer.main

    return typer.main.get_command(build_app())


def test_there_are_commands_and_tables():
    assert len(COMMANDS) > 10
    assert TABLES


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_verb_and_options(program, command):
    words = shlex.split(command)[1:]
    verb = program.commands[words[0]]
    if hasattr(verb, "commands") and len(words) > 1 and words[1] in verb.commands:
        verb = verb.commands[words[1]]
    known = {option for parameter in verb.params for option in getattr(parameter, "opts", [])}
    given = {word for word in words if word.startswith("-")}
    assert given <= known, f"{sorted(given - known)} is no option of {verb.name}"


@pytest.mark.parametrize(("file", "block"), TABLES)
def test_every_table_is_part_of_the_frozen_results(file, block, tmp_path):
    # The frozen file, which no run rewrites: the tables beside it follow the last run on this machine.
    suite = Path(file).parent.name
    (tmp_path / suite).mkdir()
    shutil.copy(ROOT / "results" / suite / "frozen.parquet", tmp_path / suite)
    frozen = format_leaderboard(leaderboard(load_records(tmp_path, suite)), "md").splitlines()
    rows = [line for line in block.splitlines() if line.startswith("|")]
    assert len(rows) > 2
    missing = [row for row in rows if row not in frozen]
    assert not missing, f"not in the frozen results of {suite}: {missing}"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_into_the_repository_leads_somewhere(link):
    assert link.startswith("https://") or (ROOT / link).exists()

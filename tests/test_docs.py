"""README and pages say what the program does.

Every command line in them is tried, in fences without a language and in inline code alike:

- verbs that answer from results, and `run` with `--dry-run` added, are carried out on the committed results and on
  corpora of noise under the real names;
- the rest is read by the program's own parser alone: what downloads (`corpora get`), serves or writes at length
  (`ui`, `track`, `report`, `freeze`), fits models again (`audit --canary`), or is a verb not named here;
- of `make`, `pip`, `git` and `python` lines the targets, extras and files are looked up.

Python blocks are executed, a page's after one another. Tables and pictures are those of the committed results.
"""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from tiny_corpora import make_tiny_corpora

import serbench
from serbench.cli.main import build_app, main

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.is_file())
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`((?:serbench|make) [^`\n]+)`")
# Lines of other words are what a command answers.
PROGRAM = re.compile(r"(\.venv/bin/)?(serbench|make|pip|git|python|mkdocs) ")
CARRIED_OUT = {"leaderboard", "show", "compare", "table", "claims", "list", "plot", "check", "splits"}
# What stands for a reader's own choice, and what the tests put in its place.
STAND_INS = {
    "A": "cffde6b3",
    "B": "d93352e5",
    "ROW": "b74a8a28",
    "SUITE": "demo",
    "VERB": "run",
    "~/corpora": "{data}",
    "mine=/where/it/is": "mine={mine}",
    "cremad=/elsewhere": "cremad={data}/cremad",
}
MAKE = runpy.run_path(str(ROOT / "docs" / "make.py"))


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands_of(page: str) -> list[str]:
    text = text_of(page)
    blocks = [body for language, body in FENCE.findall(text) if language in ("", "bash")]
    lines = [re.split(r"\s+#", line)[0].strip() for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    return [*filter(PROGRAM.match, lines), *INLINE.findall(FENCE.sub("", text))]


def names_a_verb(command: str) -> bool:
    """Whether a command is a verb, or one with an option's name, as running text mentions it."""
    return re.fullmatch(r"serbench [a-z]+|serbench corpora [a-z]+|serbench compare --suite", command) is not None


def python_of(page: str, *, named: bool) -> list[str]:
    blocks = [body for language, body in FENCE.findall(text_of(page)) if language == "python"]
    return [body for body in blocks if bool(re.match(r"# \S+\.py\n", body)) is named]


COMMANDS = sorted({part for page in NAMES for line in commands_of(page) for part in line.split(" && ")})
OWN = [line for line in COMMANDS if line.removeprefix(".venv/bin/").split()[0] == "serbench"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, shared_cache) -> Path:
    """A folder as a reader has it: results of the clone, corpora, and the files that the pages name."""
    folder = tmp_path_factory.mktemp("desk")
    for path in (ROOT / "results").glob("*/frozen.parquet"):
        (folder / "results" / path.parent.name).mkdir(parents=True)
        shutil.copy(path, folder / "results" / path.parent.name)
    data = make_tiny_corpora(folder / "data")
    for label in ("calm", "angry"):
        for speaker in range(1, 7):
            path = folder / "mine" / label / f"spk{speaker}_{label}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.random.default_rng([speaker, *label.encode()]).normal(0, 0.1, 320), 16_000)
    for page in NAMES:
        for _, body in FENCE.findall(text_of(page)):
            if name := re.match(r"# (\S+\.(?:ya?ml|py))\n", body):
                (folder / Path(name[1]).name).write_text(body)
    shutil.copytree(ROOT / "examples", folder / "examples")
    table = serbench.load_corpus("ravdess_speech", data=data)
    pd.DataFrame({"utterance": table["utterance"], "a": 0.5, "b": 1.0}).to_parquet(folder / "embeddings.parquet")
    table = serbench.load_corpus("emodb", data=data)
    sides = np.where(table["speaker"].str.endswith(("03", "08")), "test", "train")
    table.assign(set=sides)[["utterance", "speaker", "set"]].to_csv(folder / "theirs.csv", index=False)
    return folder


@pytest.fixture
def at_desk(desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("SERBENCH_RESULTS", "results")
    monkeypatch.setenv("SERBENCH_DATA", str(desk / "data"))


def words_of(command: str, desk: Path) -> list[str]:
    words = [STAND_INS.get(word, word) for word in shlex.split(command)[1:]]
    return [word.format(data=desk / "data", mine=desk / "mine") for word in words]


def carried_out(words: list[str]) -> list[str] | None:
    """The words to call the program with; None where its parser alone is asked."""
    verb, *rest = words
    if verb == "run":
        return words if "--dry-run" in words or "--help" in words else [*words, "--dry-run"]
    local = verb in CARRIED_OUT and not ("plot" in words and {"speech", "overview", "map"} & set(words))
    options = {word for word in rest if word.startswith("-")}
    reads = (verb == "audit" and options <= {"--split", "--corpus"}) or (verb == "corpora" and "get" not in rest)
    return words if local or reads else None


@pytest.mark.parametrize("command", OWN)
def test_every_command_of_the_program_works(command, desk, at_desk, monkeypatch, capsys):
    words = words_of(command, desk)
    if names_a_verb(command) or (call := carried_out(words)) is None:
        parse([*(word for word in words if word[0] != "-"), "--help"] if names_a_verb(command) else words)
        return
    monkeypatch.setattr(sys, "argv", ["serbench", *call])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    # Corpora of noise are not as their design says: findings are an answer.
    findings = words[:2] == ["corpora", "verify"]
    assert said.out and (ended.value.code or 0) <= findings, said.out + said.err


def parse(words: list[str]) -> None:
    import typer.main

    command, context = typer.main.get_command(build_app()), None
    while hasattr(command, "commands") and words and words[0] in command.commands:
        name, *words = words
        command = command.commands[name]
        context = command.make_context(name, [], parent=context, resilient_parsing=True) if words else context
    # Raises for an unknown option, a value of another type, or a missing argument.
    if {"--help", "-h"} & set(words):
        assert len(words) == 1
    else:
        command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line not in OWN])
def test_every_other_command_names_what_there_is(command):
    program, *words = shlex.split(command.replace("<this repository>", "HERE"))
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if program == "make":
        subprocess.run(["make", "--dry-run", *words], cwd=ROOT, check=True, capture_output=True)
    elif program == "pip":
        extras = {name for word in words for found in re.findall(r"\[(.*?)\]", word) for name in found.split(",")}
        assert extras <= set(declared["project"]["optional-dependencies"])
        assert all((ROOT / word).is_file() for word in words if word.endswith(".txt"))
        wheels = [word for word in words if word.endswith(".whl")]
        assert all(Path(word).name == f"serbench-{serbench.__version__}-py3-none-any.whl" for word in wheels)
    elif program.endswith("python"):
        assert (ROOT / next(word for word in words if "/" in word)).exists()
    else:
        assert program in ("git", "cd", "mkdocs", "."), f"no test knows what to do with: {command}"


@pytest.mark.parametrize("page", [name for name in NAMES if python_of(name, named=False)])
def test_python_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SERBENCH_RESULTS", raising=False)
    namespace: dict = {}
    for block in python_of(page, named=False):
        exec(compile(block, page, "exec"), namespace)


@pytest.fixture(scope="module")
def results():
    with MAKE["committed"](ROOT / "results") as found:
        yield found


@pytest.mark.parametrize("page", [name for name in NAMES if "<!-- end -->" in text_of(name)])
def test_every_table_is_what_the_frozen_results_say(page, results):
    told, filled = text_of(page).splitlines(), MAKE["filled"](text_of(page), results).splitlines()
    wrong = [line for line in told if line not in filled]
    assert not wrong and len(filled) == len(told), f"python docs/make.py mends: {wrong}"


@pytest.mark.parametrize("name", sorted(MAKE["PICTURES"]))
def test_every_picture_is_of_the_frozen_results(name, results, tmp_path):
    from PIL import Image

    from serbench.reporting.figures.canvas import save

    drawn, kept = (
        np.asarray(Image.open(path).convert("L"), dtype=int)
        for path in (save(MAKE["picture"](name, results), tmp_path / name), ROOT / "docs" / "images" / name)
    )
    mends = "python docs/make.py draws it anew"
    assert drawn.shape == kept.shape, mends
    # Less than a stroke of a digit; not zero, since processors differ in the last bit.
    assert (np.abs(drawn - kept) > 64).sum() < 4, mends


def test_no_picture_is_left_over_or_drawn_by_hand():
    # That of the server's page needs a browser and a model: `docs/picture_of_page.py` takes it.
    assert {path.name for path in (ROOT / "docs" / "images").iterdir()} == {*MAKE["PICTURES"], "serve-page.png"}
    told = "".join(map(text_of, NAMES))
    assert all(f"images/{name}" in told for name in MAKE["PICTURES"])


def test_the_readme_is_short_and_begins_with_a_command_and_a_picture():
    lines = text_of("README.md").splitlines()
    assert len(lines) <= 150
    assert any(line.startswith("make run") for line in lines[:15]) and any("<img" in line for line in lines[:15])


LINKS = [(name, link) for name in NAMES for link in re.findall(r"\]\(([^)#\s]+)", FENCE.sub("", text_of(name)))]


@pytest.mark.parametrize(("page", "link"), sorted(set(LINKS)))
def test_every_link_into_the_repository_leads_somewhere(page, link):
    assert link.startswith("https://") or link.startswith("http://") or ((ROOT / page).parent / link).exists()


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocstrings")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    api = (tmp_path / "site" / "reference" / "api.html").read_text(encoding="utf-8")
    assert "load_corpus" in api and "ModelSpec" in api

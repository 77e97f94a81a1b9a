"""`serbench corpora` and `serbench corpora verify`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from serbench.cli.corpora import app
from serbench.errors import UnknownName


@pytest.fixture
def call(tmp_path, shared_cache, make_wav):
    data = tmp_path / "data"
    make_wav(data / "emodb" / "03a01Fa.wav")
    make_wav(data / "emodb" / "03a01Wa.wav")

    def run(*arguments: str):
        words = [*arguments, "--data", str(data), "--cache", str(shared_cache)]
        return CliRunner().invoke(app, words, env={"COLUMNS": "200"})

    run.data = data
    return run


def test_listing(call):
    result = call()
    assert result.exit_code == 0, result.output
    lines = {line.split()[0].rstrip(":"): line for line in result.output.splitlines() if line.strip()}
    assert "partial" in lines["emodb"]
    assert "2 of 535" in lines["emodb"]
    assert "present" in lines["synthetic"]
    assert "https://doi.org/10.5683/SP2/E8H2MF" in lines["tess"]
    assert "--corpus-path savee=DIR" in lines["savee"]


def test_a_corpus_that_cannot_be_used_does_not_hide_the_others(call, make_wav):
    make_wav(call.data / "tess" / "song.wav")
    result = call()
    assert result.exit_code == 0, result.output
    assert "unusable: no file of corpus 'tess'" in result.output
    assert "2 of 535" in result.output


def test_verify_tells_all_and_fails(call, make_wav):
    make_wav(call.data / "emodb" / "10a01Wa.wav", seed=3)
    make_wav(call.data / "emodb" / "10a01Na.wav", seed=3)
    (call.data / "emodb" / "10a02Wa.wav").write_bytes(b"nothing")
    result = call("verify", "emodb")
    assert result.exit_code == 1
    for word in ("conflicting 2", "10a01Wa", "undecodable 1", "10a02Wa", "missing"):
        assert word in result.output


def test_verify_counts_all_that_is_missing_and_says_what_is_known(call, make_wav):
    make_wav(call.data / "tess" / "OAF_back_angry.wav")
    result = call("verify", "tess")
    assert "2799 of the design's 2800 utterances have no file, such as these" in result.output
    assert "    OAF_back_disgust\n" in result.output
    assert "known of this corpus: sampling rates differ between files" in result.output


def test_verify_of_a_clean_corpus(call):
    result = call("verify", "synthetic")
    assert result.exit_code == 0, result.output
    assert "nothing found" in result.output


def test_unknown_corpus(call):
    result = call("verify", "emodbb")
    assert isinstance(result.exception, UnknownName)
    assert "did you mean 'emodb'" in str(result.exception)


def test_a_plugins_corpus_that_nobody_hands_out_names_no_command(call, tmp_path):
    (tmp_path / "own.py").write_text(
        "import dataclasses\nfrom serbench.corpora.emodb import EMODB\n"
        "MINE = dataclasses.replace(EMODB, name='mine', sources=(), steps=())\n"
    )
    result = call("--plugin", str(tmp_path / "own.py"))
    assert "mine: your own data: --corpus-path mine=PATH" in result.output

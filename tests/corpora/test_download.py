"""Getting a corpus: from a real server on loopback, however badly it behaves."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import json
import os
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
from loopback import STEMS, Resource, emodb, get, zipped

from serbench.corpora.download import space, transfer
from serbench.corpora.download.obtaining import make_plan
from serbench.corpora.download.record import is_whole
from serbench.corpora.download.status import is_unfinished
from serbench.corpora.download.transfer import Remote, fetch
from serbench.corpora.download.unpacking import unpack
from serbench.corpora.emodb import EMODB
from serbench.corpora.loading import open_corpus
from serbench.corpora.presence import absent_error
from serbench.errors import CorpusError, DownloadError
from serbench.specs import Source


def test_audio_alone_arrives_and_opens(site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive)
    said = []
    get(spec := emodb(site), circumstances, say=said.append)
    target = circumstances.data / "emodb"
    files = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert files == [".serbench-get.json", *(f"emodb/wav/{stem}.wav" for stem in STEMS)]
    assert open_corpus(spec, circumstances).findings == ()
    assert "as published" in said[0]
    assert is_whole(spec, target)
    assert not is_unfinished(target)


@pytest.mark.parametrize("ranges", [True, False], ids=["with Range", "without Range"])
def test_a_cut_connection_goes_on(ranges, site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive, cut=[2000, 1000], ranges=ranges)
    get(spec := emodb(site), circumstances)
    asked = [span for _, span in site.asked]
    assert asked[:2] == [None, "bytes=2000-"]
    assert asked[2] == ("bytes=3000-" if ranges else "bytes=1000-")
    assert open_corpus(spec, circumstances).used == 3


def test_a_download_that_was_given_up_goes_on_with_the_next_command(site, archive, circumstances):
    # The server breaks off until the program gives up: one answer with bytes, the others without any.
    site["/emodb.zip"] = Resource(archive, cut=[2000, *[0] * transfer.TRIES])
    spec = emodb(site)
    with pytest.raises(DownloadError, match="broke off after 2000 bytes") as caught:
        get(spec, circumstances)
    assert "run the same command again" in str(caught.value)
    assert not (circumstances.data / "emodb").exists()
    assert "was begun and goes on" in str(absent_error(spec, circumstances))
    site.asked.clear()
    get(spec, circumstances)
    assert site.asked == [("/emodb.zip", "bytes=2000-")]


def test_a_file_that_changed_meanwhile_comes_whole(site, archive, circumstances):
    site["/emodb.zip"] = Resource(b"old" * 2000, cut=[1500, *[0] * transfer.TRIES])
    with pytest.raises(DownloadError):
        get(emodb(site), circumstances)
    site["/emodb.zip"] = Resource(archive, tag='"2"')
    get(spec := emodb(site), circumstances)
    assert open_corpus(spec, circumstances).used == 3


def test_a_wrong_checksum_unpacks_nothing(site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive)
    with pytest.raises(DownloadError, match=r"checksum of emodb\.zip is not the published one") as caught:
        get(emodb(site, checksum="md5:" + "0" * 32), circumstances)
    assert f"{site.address}/emodb.zip" in str(caught.value)
    assert not [path for path in circumstances.data.rglob("*") if path.suffix in (".wav", ".zip")]


def test_without_a_published_checksum_the_one_seen_is_recorded(site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive)
    said = []
    get(emodb(site, checksum="", stated=""), circumstances, say=said.append)
    digits = f"sha256:{hashlib.sha256(archive).hexdigest()}"
    assert said == [f"emodb.zip: {digits} (no published checksum; recorded)"]
    record = json.loads((circumstances.data / "emodb" / ".serbench-get.json").read_text())
    assert record["files"] == [{"url": f"{site.address}/emodb.zip", "checksum": digits, "published": False}]


@pytest.mark.parametrize(
    ("status", "words"), [(404, "no such file"), (403, "refuses"), (401, "password"), (410, "withdrawn")]
)
def test_a_refusal_is_told_at_once(status, words, site, circumstances):
    site["/emodb.zip"] = Resource(status=status)
    with pytest.raises(DownloadError, match=words) as caught:
        get(emodb(site), circumstances)
    assert "--from FILE" in str(caught.value)
    assert len(site.asked) == 1


def test_a_busy_server_is_asked_again(site, archive, circumstances):
    site["/emodb.zip"] = Resource(status=503)
    with pytest.raises(DownloadError, match="busy \\(503\\)"):
        get(emodb(site), circumstances)
    assert len(site.asked) == transfer.TRIES


def test_nobody_there(site, circumstances, monkeypatch):
    spec = dataclasses.replace(EMODB, sources=(Source(url="http://127.0.0.1:9/emodb.zip"),))
    with pytest.raises(DownloadError, match="broke off after 0 bytes: no connection to the server"):
        get(spec, circumstances)


def test_nobody_there_for_a_list(site, circumstances):
    source = Source(url="http://127.0.0.1:9/api/datasets", kind="dataverse")
    with pytest.raises(DownloadError, match="list of files cannot be had: no connection to the server\n"):
        get(dataclasses.replace(EMODB, sources=(source,)), circumstances)


@pytest.mark.parametrize(("status", "words"), [(404, "there is no such file"), (503, "busy \\(503\\)")])
def test_a_list_that_is_refused(status, words, site, circumstances):
    site["/api/datasets"] = Resource(status=status)
    with pytest.raises(DownloadError, match=words):
        get(emodb(site, "/api/datasets", kind="dataverse"), circumstances)


def test_a_redirect_is_followed(site, archive, circumstances):
    site["/old"] = Resource(status=302, location="/new/emodb.zip")
    site["/new/emodb.zip"] = Resource(archive)
    get(spec := emodb(site, "/old", checksum=site["/new/emodb.zip"].md5), circumstances)
    assert open_corpus(spec, circumstances).used == 3


def test_a_silent_server_is_left_and_asked_for_the_rest(site, archive, circumstances, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.3)
    site["/emodb.zip"] = Resource(archive, stall=2.0)
    get(spec := emodb(site), circumstances)
    assert site.asked[1][1].startswith("bytes=")
    assert open_corpus(spec, circumstances).used == 3


def test_a_full_disk_is_said_before_anything_is_downloaded(site, archive, circumstances, monkeypatch):
    site["/emodb.zip"] = Resource(archive)
    monkeypatch.setattr(space, "free_space", lambda folder: 70_000_000)
    with pytest.raises(DownloadError, match=r"not enough space: 10 MB needed, and 67\.1 MB to be left; 70 MB are free"):
        get(emodb(site, size=5_000_000), circumstances)
    assert site.asked == []


def test_a_disk_that_fills_up_keeps_what_came(site, archive, circumstances, monkeypatch):
    site["/emodb.zip"] = Resource(archive)
    genuine = Path.open

    def short(self, mode="r", *arguments, **settings):
        stream = genuine(self, mode, *arguments, **settings)
        if self.suffix == ".part" and "b" in mode:
            room = [2]

            class Full:
                def __enter__(self):
                    return self

                def __exit__(self, *_):
                    stream.close()

                def write(self, block):
                    if not room[0]:
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    room[0] -= 1
                    return stream.write(block)

            return Full()
        return stream

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", short)
        with pytest.raises(DownloadError, match="the disk is full") as caught:
            get(emodb(site), circumstances)
    assert "goes on where it stopped" in str(caught.value)
    get(spec := emodb(site), circumstances)
    assert site.asked[-1][1] == "bytes=2000-"
    assert open_corpus(spec, circumstances).used == 3


@pytest.mark.parametrize("name", ["../x.wav", "emodb/../../x.wav", "/tmp/x.wav", "..\\x.wav"])
def test_a_name_that_leads_outside_unpacks_nothing(name, audio, tmp_path):
    (tmp_path / "evil.zip").write_bytes(zipped({**audio, name: b"x"}))
    with pytest.raises(DownloadError, match="write outside its folder"):
        unpack(tmp_path / "evil.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "x.wav").exists()


def test_links_of_an_archive_are_passed_over(audio, tmp_path):
    with tarfile.open(tmp_path / "pack.tar.gz", "w:gz") as pack:
        for name, content in audio.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            pack.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("emodb/wav/03a02Fa.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        pack.addfile(link)
    files = unpack(tmp_path / "pack.tar.gz", tmp_path / "out")
    assert sorted(path.stem for path in files) == list(STEMS)


@pytest.mark.parametrize("form", ["", "gz", "bz2", "xz"])
def test_a_damaged_tar_is_said(form, tmp_path):
    noise = np.random.default_rng(0)
    path = tmp_path / f"pack.tar.{form}".rstrip(".")
    with tarfile.open(path, f"w:{form}") as pack:
        for number in range(20):
            member = tarfile.TarInfo(f"{number}.wav")
            member.size = 5_000
            pack.addfile(member, io.BytesIO(noise.bytes(5_000)))
    assert len(unpack(path, tmp_path / "whole")) == 20
    content = bytearray(path.read_bytes())
    # Without compression there is no checksum but that of the members' heads.
    at = 10 * (512 + 5_120) if form == "" else len(content) // 2
    content[at : at + 8] = bytes(255 - value for value in content[at : at + 8])
    path.write_bytes(content)
    with pytest.raises(DownloadError, match="damaged") as caught:
        unpack(path, tmp_path / "out")
    assert str(path) in str(caught.value)


def test_an_archive_in_an_archive(audio, tmp_path):
    (tmp_path / "outer.zip").write_bytes(zipped({"parts/one.zip": zipped(audio), "notes.txt": b""}))
    files = unpack(tmp_path / "outer.zip", tmp_path / "out")
    assert files[0] == tmp_path / "out" / "parts" / "one" / "emodb" / "wav" / "03a01Fa.wav"
    assert len(files) == 3
    (tmp_path / "evil.zip").write_bytes(zipped({"one.zip": zipped({"../x.wav": b"x"})}))
    with pytest.raises(DownloadError, match="write outside"):
        unpack(tmp_path / "evil.zip", tmp_path / "out2")
    assert not list(tmp_path.rglob("x.wav"))


def test_only_the_asked_folder_and_the_kept_names(audio, tmp_path):
    files = {"top/Sound Source/a.wav": b"x", "top/Other/b.wav": b"x", "top/data.tsv": b"t", "top/other.tsv": b"t"}
    (tmp_path / "pack.zip").write_bytes(zipped(files))
    written = unpack(tmp_path / "pack.zip", tmp_path / "out", folder="Sound Source", keep=("*/data.tsv",))
    assert sorted(path.name for path in written) == ["a.wav", "data.tsv"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped({"readme.txt": b"x"}), "holds no audio: it has readme.txt"),
        (zipped({}), "holds no audio: it is empty"),
        (b"<html>log in</html>", "no archive that can be unpacked"),
        (zipped({"a.wav": b"x" * 5000})[:3000] + b"", "no archive|damaged"),
    ],
)
def test_archives_that_are_none(content, words, tmp_path):
    (tmp_path / "pack.zip").write_bytes(content)
    with pytest.raises(DownloadError, match=words):
        unpack(tmp_path / "pack.zip", tmp_path / "out")


def test_a_page_in_place_of_an_archive_is_fetched_again(site, archive, circumstances):
    site["/emodb.zip"] = Resource(b"<html>log in</html>")
    spec = emodb(site, checksum="", stated="")
    with pytest.raises(DownloadError, match="no archive that can be unpacked"):
        get(spec, circumstances)
    site["/emodb.zip"] = Resource(archive)
    get(spec, circumstances)
    assert open_corpus(spec, circumstances).used == 3


def test_a_damaged_member_is_said(audio, tmp_path):
    content = bytearray(zipped(audio))
    content[200] ^= 0xFF
    (tmp_path / "pack.zip").write_bytes(content)
    with pytest.raises(DownloadError, match="damaged"):
        unpack(tmp_path / "pack.zip", tmp_path / "out")


def test_two_at_once_download_once(site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive, stall=0.5)
    spec, said, errors = emodb(site), [], []

    def one() -> None:
        try:
            get(spec, circumstances, say=said.append)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(site.asked) == 1
    assert any("waiting" in text for text in said)
    assert any("meanwhile" in text for text in said)


def test_what_a_folder_has_already_stays(site, archive, circumstances, make_wav):
    site["/emodb.zip"] = Resource(archive)
    mine = make_wav(circumstances.data / "emodb" / "emodb" / "wav" / "03a01Fa.wav", seconds=1.0)
    before = mine.read_bytes()
    get(spec := emodb(site), circumstances)
    assert mine.read_bytes() == before
    assert open_corpus(spec, circumstances).used == 3


def test_an_own_copy_need_not_be_the_published_file(site, archive, circumstances, tmp_path):
    site["/emodb.zip"] = Resource(b"something else")
    (tmp_path / "mine.zip").write_bytes(archive)
    said = []
    get(spec := emodb(site), circumstances, given=str(tmp_path / "mine.zip"), say=said.append)
    assert "not the published file" in said[0]
    assert open_corpus(spec, circumstances).used == 3
    assert (tmp_path / "mine.zip").exists()


def test_another_corpus_is_recognised(site, circumstances, tmp_path, make_wav):
    names = [f"OAF_back_{emotion}.wav" for emotion in ("angry", "sad", "fear")]
    (tmp_path / "tess.zip").write_bytes(zipped({name: make_wav(tmp_path / name).read_bytes() for name in names}))
    with pytest.raises(DownloadError, match="holds no file of corpus 'emodb'; it looks like tess"):
        get(EMODB, circumstances, given=str(tmp_path / "tess.zip"))
    assert not (circumstances.data / "emodb").exists()
    for name in names:
        make_wav(circumstances.data / "emodb" / name)
    with pytest.raises(CorpusError, match="it looks like tess"):
        open_corpus(EMODB, circumstances)


@pytest.mark.parametrize("given", ["nowhere.zip", "folder", "text.zip"])
def test_an_own_copy_that_is_none(given, circumstances, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(DownloadError, match=r"no such file|a folder, not an archive|no archive"):
        get(EMODB, circumstances, given=str(tmp_path / given))


def test_lfs_objects_are_fetched_for_their_pointers(site, pointers, circumstances):
    site["/repository.zip"] = Resource(zipped(pointers))
    site["/media/wav/03a01Wa.wav"].status = 404
    spec = emodb(site, "/repository.zip", checksum="", lfs=f"{site.address}/media/")
    with pytest.raises(DownloadError, match="no such file"):
        get(spec, circumstances)
    assert not (circumstances.data / "emodb").exists()
    site["/media/wav/03a01Wa.wav"].status = 200
    site.asked.clear()
    get(spec, circumstances)
    assert ("/media/wav/03a01Fa.wav", None) not in site.asked  # it was whole already
    assert open_corpus(spec, circumstances).findings == ()


def test_a_dataverse_list_is_followed(site, audio, circumstances):
    files = []
    for number, (name, content) in enumerate(audio.items()):
        site[f"/api/access/datafile/{number}"] = Resource(content)
        md5 = hashlib.md5(content).hexdigest()
        file = {"id": number, "filename": Path(name).name, "filesize": len(content), "md5": md5}
        files.append({"directoryLabel": "wav", "dataFile": file})
    files.append({"dataFile": {"id": 99, "filename": "readme.txt", "filesize": 4, "md5": "0" * 32}})
    site["/api/datasets"] = Resource(json.dumps({"data": {"latestVersion": {"files": files}}}).encode())
    spec = emodb(site, "/api/datasets", checksum="", kind="dataverse")
    assert make_plan(spec, circumstances.corpus_root("emodb")).size == sum(map(len, audio.values()))
    get(spec, circumstances)
    assert open_corpus(spec, circumstances).used == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "cannot be had: the answer describes no data set"),
        (b'{"data": {}}', "cannot be had: the answer describes no data set"),
        (b'{"data": {"latestVersion": {"files": [{"dataFile": {"id": 1}}]}}}', "entry without"),
        (b'{"data": {"latestVersion": {"files": []}}}', "none of its 0 files is audio"),
    ],
)
def test_a_dataverse_list_that_is_none(content, words, site, circumstances):
    site["/api/datasets"] = Resource(content)
    with pytest.raises(DownloadError, match=words):
        get(emodb(site, "/api/datasets", kind="dataverse"), circumstances)


def test_a_whole_file_is_not_fetched_again(site, tmp_path):
    site["/a.zip"] = Resource(b"content")
    remote = Remote(f"{site.address}/a.zip", "a.zip", checksum=site["/a.zip"].md5)
    assert fetch(remote, tmp_path) == fetch(remote, tmp_path)
    assert len(site.asked) == 1

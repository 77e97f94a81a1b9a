"""Getting a corpus once more: after what failed, over what is damaged, and from elsewhere."""

from __future__ import annotations

import dataclasses
import json

import pytest
from loopback import STEMS, Resource, emodb, get, zipped

from serbench.corpora.download import space
from serbench.corpora.download.record import RECORD, is_whole
from serbench.corpora.emodb import EMODB
from serbench.corpora.iemocap import IEMOCAP
from serbench.corpora.loading import open_corpus
from serbench.errors import CorpusError, DownloadError


def own(tmp_path, name, files) -> str:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zipped(files))
    return str(path)


def test_an_own_copy_helps_where_the_objects_of_pointers_are_refused(site, pointers, audio, circumstances, tmp_path):
    site["/repository.zip"] = Resource(zipped(pointers))
    for name in pointers:
        site[f"/media/{name.partition('/')[2]}"].status = 403
    spec = emodb(site, "/repository.zip", checksum="", lfs=f"{site.address}/media/")
    with pytest.raises(DownloadError, match="refuses"):
        get(spec, circumstances)
    get(spec, circumstances, given=own(tmp_path, "mine.zip", audio))
    assert open_corpus(spec, circumstances).findings == ()


def test_a_wrong_copy_does_not_hide_the_right_one_of_its_name(audio, circumstances, tmp_path, make_wav):
    tess = {f"OAF_back_{label}.wav": make_wav(tmp_path / f"{label}.wav").read_bytes() for label in ("sad", "fear")}
    with pytest.raises(DownloadError, match="it looks like tess"):
        get(EMODB, circumstances, given=own(tmp_path, "one/release.zip", tess))
    get(EMODB, circumstances, given=own(tmp_path, "two/release.zip", audio))
    assert open_corpus(EMODB, circumstances).used == 3


def test_nothing_of_an_unsafe_archive_is_ever_moved_in(audio, circumstances, tmp_path):
    planted = audio[f"emodb/wav/{STEMS[0]}.wav"]
    evil = {"planted/16b10Wz.wav": planted, "inner.zip": zipped({"../x.wav": b"x"})}
    with pytest.raises(DownloadError, match="write outside its folder"):
        get(EMODB, circumstances, given=own(tmp_path, "evil.zip", evil))
    assert not list(circumstances.data.rglob("*.wav"))
    get(EMODB, circumstances, given=own(tmp_path, "evil.zip", audio))
    assert not list(circumstances.data.rglob("16b10Wz.wav"))


def test_a_part_is_whole_for_its_own_archive_alone(site, archive, audio, circumstances, tmp_path):
    site["/emodb.zip"] = Resource(archive)
    spec, root = emodb(site), circumstances.data / "emodb"
    part = own(tmp_path, "part.zip", dict(list(audio.items())[:1]))
    get(spec, circumstances, given=part)
    assert is_whole(spec, root, part)
    assert not is_whole(spec, root)
    assert not is_whole(spec, root, own(tmp_path, "other.zip", audio))
    get(spec, circumstances)
    assert is_whole(spec, root)
    assert open_corpus(spec, circumstances).used == 3


def test_what_its_owners_publish_is_whole_though_fewer_than_the_design(site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive)
    spec, root = dataclasses.replace(emodb(site), utterances=4), circumstances.data / "emodb"
    get(spec, circumstances)
    assert is_whole(spec, root)
    next(root.rglob("*.wav")).unlink()
    assert not is_whole(spec, root)


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid"], ids=["empty", "pointer"])
def test_files_without_audio_are_neither_whole_nor_kept(content, site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive)
    spec, root = emodb(site), circumstances.data / "emodb"
    for stem in STEMS:
        place = root / "emodb" / "wav" / f"{stem}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    assert not is_whole(spec, root)
    get(spec, circumstances)
    assert is_whole(spec, root)
    assert open_corpus(spec, circumstances).findings == ()


def test_a_record_that_cannot_be_read_vouches_for_nothing(site, archive, circumstances):
    site["/emodb.zip"] = Resource(archive)
    spec, root = dataclasses.replace(emodb(site), utterances=4), circumstances.data / "emodb"
    get(spec, circumstances)
    assert json.loads((root / RECORD).read_text())["utterances"] == 3
    (root / RECORD).write_text("{")
    assert not is_whole(spec, root)


def test_a_disk_that_is_too_small_for_a_size_that_only_the_server_tells(site, archive, circumstances, monkeypatch):
    site["/emodb.zip"] = Resource(archive)
    spec = emodb(site, checksum="", stated="")
    monkeypatch.setattr(space, "RESERVE", 0)
    monkeypatch.setattr(space, "free_space", lambda folder: len(archive) - 1)
    with pytest.raises(DownloadError, match="not enough space"):
        get(spec, circumstances)
    assert not list(circumstances.data.rglob("*.zip*part"))
    # Room for the archive, not for what comes out of it: what came stays for the next try.
    monkeypatch.setattr(space, "free_space", lambda folder: len(archive))
    monkeypatch.setattr("serbench.corpora.download.unpacking.require_space", _full)
    with pytest.raises(DownloadError, match="not enough space"):
        get(spec, circumstances)
    monkeypatch.undo()
    site.asked.clear()
    get(spec, circumstances)
    assert site.asked == []
    assert open_corpus(spec, circumstances).used == 3


def _full(size, folder):
    raise DownloadError("not enough space")


def test_another_corpus_is_recognised_where_labels_stand_beside_the_audio(circumstances, tmp_path, make_wav):
    root = circumstances.data / "iemocap"
    files = {name: make_wav(root / name).read_bytes() for name in ("OAF_back_sad.wav", "OAF_back_fear.wav")}
    with pytest.raises(CorpusError, match="no file of corpus 'iemocap': it looks like tess"):
        open_corpus(IEMOCAP, circumstances)
    with pytest.raises(DownloadError, match="holds no file of corpus 'iemocap'; it looks like tess"):
        get(IEMOCAP, circumstances, given=own(tmp_path, "tess.zip", files))

import concurrent.futures
import contextlib
import io
import json
import logging
import re
import socket
import struct
import time

import numpy as np
import pytest
import requests
import soundfile
import websocket

from serbench.errors import UsageError
from serbench.inference.answers import SILENCE
from serbench.inference.model import load_model
from serbench.server.limits import Limits
from serbench.server.run import is_loopback, open_port, token_for

RATE = 16_000


def tone(pitch, seconds):
    times = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.02, len(times))
    return (0.3 * np.sin(2 * np.pi * pitch * times) + noise).astype(np.float32)


def wav(signal, rate=RATE):
    stream = io.BytesIO()
    soundfile.write(stream, signal, rate, format="WAV")
    return stream.getvalue()


def post(address, content, name="a.wav", **given):
    return requests.post(f"{address}/predict", files={"file": (name, content)}, timeout=60, **given)


@pytest.fixture(scope="module")
def file(tiny_data):
    return next((tiny_data / "tiny" / "high").iterdir())


def test_an_upload_is_answered_as_predict_answers_the_file(served, trained, file):
    body = post(served, file.read_bytes(), file.name).json()
    expected = load_model(trained).predict_proba(file)
    np.testing.assert_allclose(list(body["probabilities"].values()), expected, atol=1e-9)
    assert body["label"] == "high" and body["file"] == file.name and body["note"] == "acted speech, not what you feel"
    assert "when it says high to people it has not heard, it is right" in body["worth"]


@pytest.mark.parametrize("samples", ["pcm16", "float32"])
def test_raw_samples_are_answered_too(samples, served, trained, file):
    values, rate = soundfile.read(file, dtype="int16" if samples == "pcm16" else "float32")
    given = {"rate": rate, "samples": samples}
    body = requests.post(f"{served}/predict", params=given, data=values.tobytes(), timeout=60).json()
    expected = load_model(trained).predict_proba(file)
    np.testing.assert_allclose(list(body["probabilities"].values()), expected, atol=1e-6)


def test_a_body_that_is_a_file_needs_no_form_and_windows_are_told_on_demand(served):
    signal = np.concatenate([tone(150, 6), np.zeros(5 * RATE), tone(600, 6)]).astype(np.float32)
    body = requests.post(f"{served}/predict?windows=true", data=wav(signal), timeout=60).json()
    labels = {item["start"]: item["label"] for item in body["windows"]}
    assert labels[0] == "low" and labels[7] == SILENCE and labels[13] == "high"


def test_the_model_tells_its_error_sheet(served, trained):
    body = requests.get(f"{served}/model", timeout=60).json()
    assert body["sheet"] == load_model(trained).sheet.model_dump(mode="json")
    assert requests.get(f"{served}/health", timeout=60).json() == {"status": "ok"}


def test_the_interface_describes_itself(served):
    described = requests.get(f"{served}/openapi.json", timeout=60).json()
    assert set(described["paths"]) == {"/health", "/model", "/predict"}
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["required"] == ["file"]


def test_the_interface_is_shown_without_anything_from_outside(served):
    page = requests.get(f"{served}/docs", timeout=60).text
    assert "//" not in re.sub(r"<!--.*?-->", "", page) and "'validatorUrl'" in page.replace('"', "'")
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(assets) == 3 and all(name.startswith("/docs-assets/") for name in assets)
    assert all(requests.get(served + name, timeout=60).status_code == 200 for name in assets)


def test_the_page_asks_nobody_else(served):
    page = requests.get(served, timeout=60)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("", "page.js", "page.css", "recorder.js"):
        text = requests.get(f"{served}/{name}", timeout=60).text
        assert "http://" not in text and "https://" not in text.replace("browsers give it to https pages", "")
    assert "Acted speech, not what you feel" in page.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"no audio at all", "cannot be decoded"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (wav(np.zeros(0, dtype=np.float32)), "holds no samples"),
        (wav(tone(150, 1))[:5000], "cut short"),
        (wav(np.zeros(25 * RATE, dtype=np.float32)), "lasts 25 s"),
        (wav(tone(150, 0.1), rate=200), "sampling rate of 200 Hz"),
    ],
)
def test_what_cannot_be_decoded_is_422_with_the_reason(content, reason, served):
    answer = post(served, content)
    assert answer.status_code == 422 and reason in answer.json()["detail"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"files": {"other": ("a.wav", b"x")}}, 422),
        ({"data": {"file": "text"}}, 422),
        ({"data": b"abc", "params": {"rate": 16_000}}, 422),
        ({"data": b"ab", "params": {"rate": 0}}, 422),
        ({"data": b"ab", "params": {"rate": 16_000, "samples": "int99"}}, 422),
        ({"data": b"\xff" * 400, "params": {"rate": 16_000, "samples": "float32"}}, 422),
        ({"data": b"\0" * 2_000_001}, 413),
        ({"data": (b"\0" * 1_000_000 for _ in range(3))}, 413),
        ({"data": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
    ],
)
def test_bad_requests_are_the_askers_fault(given, status, served):
    answer = requests.post(f"{served}/predict", timeout=60, **given)
    assert answer.status_code == status and answer.json()["detail"]


def test_a_token_is_asked_for(guarded, file):
    assert post(guarded, file.read_bytes()).status_code == 401
    assert post(guarded, file.read_bytes(), headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert post(guarded, file.read_bytes(), headers={"Authorization": "Bearer secret"}).status_code == 200
    assert requests.get(f"{guarded}/model", timeout=60).status_code == 401
    assert requests.get(f"{guarded}/model?token=secret", timeout=60).status_code == 200
    assert requests.get(f"{guarded}/health", timeout=60).status_code == 200
    closed = open_stream(guarded)
    assert closed.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE


def test_others_than_this_machine_need_a_token():
    assert token_for("127.0.0.1", None) is None and token_for("localhost", "mine") == "mine"
    assert len(token_for("0.0.0.0", None)) >= 24 and token_for("0.0.0.0", None) != token_for("0.0.0.0", None)
    assert is_loopback("::1") and not is_loopback("example")


def test_a_taken_or_forbidden_port_is_told(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken"):
            open_port("127.0.0.1", port)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UsageError, match="no permission to open port 80"):
        open_port("127.0.0.1", 80)


def test_an_address_of_another_machine_is_told():
    with pytest.raises(UsageError, match="cannot listen at"):
        open_port("192.0.2.1", 0)


def test_too_many_requests_are_told_to_come_again(serve, file):
    address = serve(Limits(requests=1, running=1))
    signal = wav(np.tile(tone(150, 10), 10))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(address, signal, params={"windows": True}), range(8)))
    codes = {answer.status_code for answer in answers}
    assert codes == {200, 503}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 503)
    assert post(address, file.read_bytes()).status_code == 200


def test_a_request_that_takes_too_long_is_ended(serve, file):
    address = serve(Limits(seconds=0.3))
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        assert b" 504 " in slow.recv(4096)
    assert requests.get(f"{address}/health", timeout=60).status_code == 200


def open_stream(address, rate=RATE, **given):
    return websocket.create_connection(f"{address.replace('http', 'ws')}/stream?rate={rate}", timeout=60, **given)


def pcm16(signal):
    return (32767 * np.clip(signal, -1, 1)).astype("<i2").tobytes()


def test_a_stream_is_answered_every_second(served):
    stream = open_stream(served)
    sound = pcm16(np.concatenate([tone(150, 3), np.zeros(4 * RATE), tone(600, 4)]))
    for start in range(0, len(sound), 3_001):  # odd on purpose: a sample may be cut in two
        stream.send_binary(sound[start : start + 3_001])
    answers = [json.loads(stream.recv()) for _ in range(11)]
    stream.close()
    assert [answer["end"] for answer in answers] == list(range(1, 12))
    assert answers[2]["label"] == "low" and answers[6]["label"] == SILENCE and answers[10]["label"] == "high"


@pytest.mark.parametrize("rate", [0, 10**9])
def test_a_stream_of_no_rate_is_closed(rate, served):
    assert open_stream(served, rate).recv_data()[0] == websocket.ABNF.OPCODE_CLOSE


def test_a_stream_of_text_is_closed_and_another_site_gets_none(served):
    stream = open_stream(served)
    stream.send("hello")
    assert stream.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE
    for origin in ("http://elsewhere", "null", "file://"):
        assert open_stream(served, origin=origin).recv_data()[0] == websocket.ABNF.OPCODE_CLOSE


def test_a_trickle_does_not_hold_a_stream(serve, monkeypatch):
    monkeypatch.setattr("serbench.server.stream.IDLE", 0.5)
    stream = open_stream(serve(Limits(duration=0.1)))
    stream.settimeout(0.2)
    heard = None
    for _ in range(100):
        stream.send_binary(b"\0")
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            heard = stream.recv_data()[0]
            break
    assert heard == websocket.ABNF.OPCODE_CLOSE


def test_whoever_leaves_before_the_answer_leaves_no_traceback(served, caplog):
    # The server's own log goes nowhere else.
    logging.getLogger("uvicorn.error").addHandler(caplog.handler)
    stream = open_stream(served)
    stream.send_binary(pcm16(tone(150, 3)))
    linger = struct.pack("ii", 1, 0)  # closed as by a page that is gone: no farewell
    stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    stream.sock.close()
    post(served, wav(tone(150, 1)))
    time.sleep(0.5)
    logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert "Exception in ASGI application" not in caplog.text


def test_streams_are_counted_and_given_back(serve):
    address = serve(Limits(streams=1))
    first = open_stream(address)
    time.sleep(0.2)
    assert open_stream(address).recv_data()[0] == websocket.ABNF.OPCODE_CLOSE
    first.close()
    time.sleep(0.5)
    again = open_stream(address)
    again.send_binary(pcm16(tone(150, 1)))
    assert json.loads(again.recv())["label"] == "low"


def broken_requests(count, good):
    """Malformed requests: headers, lengths, encodings and bodies that were changed at random, as raw bytes."""
    generator = np.random.default_rng(0)
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
    edge = b"----edge"
    form = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n%b\r\n--%b--\r\n'
    kinds = (
        b"multipart/form-data; boundary=" + edge, b"multipart/form-data; boundary=", b"multipart/form-data",
        b"multipart/form-data; boundary=\xff\xfe", b"multipart/form-data; charset=nosuch; boundary=" + edge,
        b"application/octet-stream", b"application/json", b"\xf0\x9f\x92\xa5", b"multipart/mixed; boundary=" + edge,
    )  # fmt: skip
    for number in range(count):
        audio = bytearray(good)
        for place in generator.integers(0, 60 if number % 3 else len(audio), size=int(generator.integers(0, 6))):
            audio[place] = generator.integers(256)
        body = bytearray(form % (edge, bytes(audio[: int(generator.integers(1, len(audio)))]), edge))
        if number % 5 == 0:
            for place in generator.integers(0, min(200, len(body)), size=8):
                body[place] = generator.integers(256)
        kind = kinds[int(generator.integers(len(kinds)))]
        length = (len(body), 0, 7, len(body) + 50, -1, 10**18)[int(generator.integers(6)) if number % 2 else 0]
        lines = [b"Content-Type: " + kind, b"Content-Length: %d" % length]
        if number % 7 == 0:
            lines.append(b"Transfer-Encoding: chunked")
        if number % 11 == 0:
            lines.append(b"Content-Encoding: gzip")
        if number % 13 == 0:
            lines.append(bytes(generator.integers(0, 256, size=20, dtype=np.uint8)))
        yield head + b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + bytes(body)


def test_a_thousand_malformed_requests_leave_it_alive(serve, file):
    address = serve(Limits(seconds=1.0, body=2_000_000))
    host, port = address.removeprefix("http://").split(":")

    def send(request):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            try:
                connection.sendall(request)
                return connection.makefile("rb").readline().split(b" ")[1:2]
            except (ConnectionError, BrokenPipeError):
                return []

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        codes = [code[0].decode() for code in pool.map(send, broken_requests(1000, file.read_bytes())) if code]
    assert len(codes) > 500 and not [code for code in codes if code == "500"], sorted(set(codes))
    assert {"400", "422"} <= set(codes)
    assert post(address, file.read_bytes()).json()["label"] == "high"

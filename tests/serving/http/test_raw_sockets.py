"""Clients that break the rules, over raw sockets, while others are answered."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from serving.follow.cache import Cache
from serving.follow.registry import Release
from tests.needs import missing
from tests.ports import free_port
from tests.serving.support import Api, api, tiny_model

SECONDS = 1.0
"""For a head, and for a body."""
PATIENCE = 30.0
"""Seconds within which the server must have answered or closed: far more than `SECONDS`."""
WISH = b'{"user_id": 1, "top_k": 2}'
HUGE = b"1" + b"0" * 400


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API with a local copy of a model, and nobody where MLflow should be."""
    folder = tmp_path_factory.mktemp("raw")
    cache = Cache(folder / "cache")
    release = Release("1", 100)
    cache.add(release, lambda scratch: tiny_model(scratch / "model", "v1"))
    cache.mark_good(release)
    with api(
        folder,
        f"http://127.0.0.1:{free_port()}",
        head_seconds=str(SECONDS),
        body_seconds=str(SECONDS),
    ) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def somebody(running: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(autouse=True)
def _others_are_answered(running: Api, somebody: httpx.Client) -> Iterator[None]:
    """Somebody else asks without pause; nothing that a test does may be felt by them."""
    ended, statuses = threading.Event(), set[int]()

    def ask() -> None:
        while True:
            statuses.add(somebody.post("/recommend", json={"user_id": 1}).status_code)
            if ended.wait(0.02):
                return

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    ended.set()
    thread.join()
    assert statuses == {200}
    assert 'status="500"' not in somebody.get("/metrics").text
    assert "unexpected error" not in running.log.read_text()


def head(length: object = None, kind: str = "application/json", more: str = "") -> bytes:
    """Return a request's head, without Content-Length if that is None."""
    measure = "" if length is None else f"Content-Length: {length}\r\n"
    lines = "POST /recommend HTTP/1.1\r\nHost: localhost\r\n"
    return f"{lines}Content-Type: {kind}\r\n{measure}{more}\r\n".encode()


def connect(running: Api) -> socket.socket:
    port = int(running.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:  # it closed with more of ours on the way
        pass
    return b"".join(parts)


def answer(running: Api, *sent: bytes, pause: float = 0) -> tuple[int, dict[str, object]]:
    """Send parts of a request; return the status and the document of the answer."""
    with connect(running) as connection:
        for part in sent:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break  # it has answered already
            time.sleep(pause)
        return parsed(one_answer(connection))


def one_answer(connection: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found or len(found.split(b"\r\n\r\n", 1)[1]) < length_of(found):
        part = connection.recv(65536)
        if not part:
            break
        found += part
    return found


def length_of(found: bytes) -> int:
    return int(found.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])


def parsed(found: bytes) -> tuple[int, dict[str, object]]:
    lines, _, body = found.partition(b"\r\n\r\n")
    status = int(lines.split(b" ", 2)[1])
    if status >= 400:
        assert b"content-type: application/problem+json" in lines.lower()
        assert json.loads(body)["status"] == status
    return status, json.loads(body)


def test_a_body_in_small_pieces_is_answered_if_it_is_there_in_time(running: Api) -> None:
    pieces = [bytes([byte]) for byte in WISH]
    status, found = answer(running, head(len(WISH)), *pieces, pause=0.01)
    assert (status, found["user_id"]) == (200, 1)


def test_a_body_that_comes_too_slowly_is_408(running: Api) -> None:
    long = WISH + b" " * 1000
    status, found = answer(running, head(len(long)), *([b" "] * 15), pause=SECONDS / 10)
    assert status == 408
    assert found["detail"] == "the body did not arrive within 1 seconds"


def test_half_a_body_and_silence_is_408_and_the_end_of_the_connection(running: Api) -> None:
    with connect(running) as connection:
        connection.sendall(head(len(WISH)) + WISH[:10])
        status, _ = parsed(received(connection))
    assert status == 408


def test_half_a_body_and_a_closed_connection_disturbs_nobody(running: Api) -> None:
    for _ in range(5):
        with connect(running) as connection:
            connection.sendall(head(len(WISH)) + WISH[:10])
    assert running.get("/health").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"POST /recommend HTTP/1.1\r\nHost: he", head()[:-2]])
def test_a_head_that_does_not_end_is_the_end_of_the_connection(running: Api, sent: bytes) -> None:
    with connect(running) as connection:
        connection.sendall(sent)
        assert received(connection) == b""


def test_the_head_of_a_second_request_may_not_take_longer_either(running: Api) -> None:
    with connect(running) as connection:
        connection.sendall(head(len(WISH)) + WISH)
        assert parsed(one_answer(connection))[0] == 200
        connection.sendall(b"POST /reco")
        assert received(connection) == b""


def test_ten_megabytes_are_413_whether_announced_or_not(running: Api) -> None:
    body = b'{"user_id": 1, "genres": ["' + b"x" * 10_000_000 + b'"]}'
    assert answer(running, head(len(body)), body)[0] == 413
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    assert answer(running, head(more="Transfer-Encoding: chunked\r\n"), chunk)[0] == 413


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"[" * 100_000, {413, 400, 422}),
        (b"[" * 99_000, {400, 422}),
        (b"[" * 49_000 + b"]" * 49_000, {400, 422}),
        (b'{"user_id":' * 9_000, {400, 422}),
        (b'{"user_id": NaN}', {422}),
        (b'{"user_id": 1, "diversity": NaN}', {422}),
        (b'{"user_id": 1, "diversity": 1e400}', {422}),
        (b'{"user_id": ' + HUGE + b"}", {422}),
        (b'{"user_id": ' + HUGE * 20 + b"}", {400, 422}),
        (b'{"user_id": 1, "ratings": [{"movieId": 1, "rating": ' + HUGE + b"}]}", {422}),
        (b'{"user_id": 1e308}', {422}),
        (b'{"user_id": "\xff"}', {400, 422}),
        (b"", {422}),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
def test_json_that_is_not_meant_well_is_refused(
    running: Api, body: bytes, statuses: set[int]
) -> None:
    status, found = answer(running, head(len(body)), body)
    assert status in statuses
    assert len(json.dumps(found)) < 2_000


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data"])
def test_another_content_type_is_refused(running: Api, kind: str) -> None:
    assert answer(running, head(len(WISH), kind), WISH)[0] == 422


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "9" * 30, f"{len(WISH)}, 5"])
def test_a_length_that_is_none_is_not_http(running: Api, length: str) -> None:
    with connect(running) as connection:
        connection.sendall(head(length) + WISH)
        status, found = parsed(received(connection))
    assert (status, found["detail"]) == (400, "Invalid HTTP request received.")


def test_a_length_too_short_spoils_only_that_connection(running: Api) -> None:
    with connect(running) as connection:
        connection.sendall(head(len(WISH) - 5) + WISH)
        found = received(connection)
    assert found.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 422 "))
    assert b"HTTP/1.1 400 Bad Request" in found


def test_a_length_too_long_is_a_body_that_does_not_arrive(running: Api) -> None:
    assert answer(running, head(len(WISH) + 5) + WISH)[0] == 408


UPGRADES = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
    "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n",
]


@pytest.mark.parametrize("more", UPGRADES)
@pytest.mark.parametrize("cut", [None, 20, -3], ids=["whole", "in the head", "in the body"])
def test_an_upgrade_is_ignored_and_the_body_read(running: Api, more: str, cut: int | None) -> None:
    request = head(len(WISH), more=more) + WISH
    parts = [request] if cut is None else [request[:cut], request[cut:]]
    status, found = answer(running, *parts, pause=0.05)
    assert (status, found["user_id"]) == (200, 1)


def test_requests_after_an_upgrade_are_answered_in_their_order(running: Api) -> None:
    chunked = f"{len(WISH):x}\r\n".encode() + WISH + b"\r\n0\r\n\r\n"
    first = head(more=UPGRADES[0] + "Transfer-Encoding: chunked\r\n") + chunked
    with connect(running) as connection:
        connection.sendall((first + head(len(WISH), more=UPGRADES[0]) + WISH) * 2)
        found = b""
        while found.count(b'"arm":"production"') < 4:
            found += connection.recv(65536)
    assert found.count(b"HTTP/1.1 200 OK") == 4


def test_connect_is_refused(running: Api) -> None:
    with connect(running) as connection:
        connection.sendall(b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
        assert parsed(received(connection))[0] == 400


def test_curl_asking_for_http2_is_answered(running: Api) -> None:
    if not shutil.which("curl"):
        missing("curl", "apt install curl")
    command = ["curl", "-sS", "--http2", "-H", "Content-Type: application/json", "-d"]
    done = subprocess.run(
        [*command, WISH.decode(), f"{running.url}/recommend"], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["user_id"] == 1


@pytest.mark.parametrize(
    "endless",
    [b"X-One: " + b"x" * 40_000_000, b"X-Many: x\r\n" * 4_000_000, b"GET /" + b"x" * 40_000_000],
    ids=["a header", "headers", "an address"],
)
def test_a_head_without_end_is_431_and_closed(running: Api, endless: bytes) -> None:
    begin = b"" if endless.startswith(b"GET") else b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    with connect(running) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(begin + endless)
        status, found = parsed(received(connection))
    assert status == 431
    assert "65536 bytes" in str(found["detail"])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("X-Long: " + "x" * 60_000 + "\r\n", 200),
        ("X-Long: " + "x" * 65_536 + "\r\n", 431),
        ("X-Many: x\r\n" * 96, 200),
        ("X-Many: x\r\n" * 98, 431),
    ],
)
@pytest.mark.parametrize("again", [False, True], ids=["first request", "second request"])
def test_a_whole_head_has_its_limits(running: Api, more: str, status: int, again: bool) -> None:
    with connect(running) as connection:
        if again:
            connection.sendall(head(len(WISH)) + WISH)
            assert parsed(one_answer(connection))[0] == 200
        connection.sendall(head(len(WISH), more=more) + WISH)
        assert parsed(one_answer(connection))[0] == status


@pytest.mark.parametrize(
    "endless", [b"X-Trailer: " + b"x" * 20_000_000, b"X-Trailer: x\r\n" * 2_000_000]
)
def test_trailers_and_extensions_of_chunks_have_an_end(running: Api, endless: bytes) -> None:
    for part in (b"1\r\n{\r\n0\r\n" + endless, b"1;" + endless):
        with connect(running) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head(more="Transfer-Encoding: chunked\r\n") + part)
            found = received(connection)
        assert found.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))

"""The API behind a real proxy that serves it under a path, in the two usual ways, and over TLS."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx
import pytest

from tests.needs import missing
from tests.ports import free_port
from tests.serving.support import HTTP, Api, api, nowhere, wait_until, with_copy

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto https;
  server {{
    listen 127.0.0.1:{stripping};
    location /films/ {{ proxy_pass http://127.0.0.1:{api}/; }}
  }}
  server {{
    listen 127.0.0.1:{keeping};
    location /films/ {{ proxy_pass http://127.0.0.1:{api}; }}
  }}
}}
"""


@dataclass(frozen=True)
class Proxied:
    """An API, and the address under which a proxy serves it."""

    api: Api
    url: str


@pytest.fixture(scope="module", params=["stripping", "keeping"])
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    if NGINX is None:
        missing("nginx", "apt install nginx")
    folder = with_copy(tmp_path_factory.mktemp("nginx"))
    (folder / "reports").mkdir()
    (folder / "reports" / "index.html").write_text("all weeks")
    ports = {"stripping": free_port(), "keeping": free_port()}
    with api(
        folder, nowhere(), root_path="/films", rate_limit="0.001", rate_burst="200",
        reports_dir=str(folder / "reports"), ratings_file=str(folder / "ratings.jsonl"),
        api_key="a key for the tests",
    ) as running:  # fmt: skip
        running.wait_until_ready()
        port = running.url.rpartition(":")[2]
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, api=port, **ports))
        command = [
            str(NGINX),
            "-c",
            str(config),
            "-e",
            str(folder / "error.log"),
            "-p",
            str(folder),
        ]
        with subprocess.Popen(command) as nginx:
            url = f"http://127.0.0.1:{ports[request.param]}/films/"
            try:
                wait_until(lambda: HTTP.get(f"{url}health").is_success, "nginx")
                yield Proxied(running, url)
            finally:
                nginx.terminate()


@pytest.mark.parametrize("page", ["docs", "", "dashboard"])
def test_all_that_a_page_names_is_found(proxied: Proxied, page: str) -> None:
    answer = HTTP.get(proxied.url + page)
    assert answer.status_code == 200
    named = re.findall(r'(?:src|href)="([^"#]+)"', answer.text)
    named += re.findall(r"url: '([^']+)'", answer.text)
    assert len(named) >= 3
    for address in named:
        found = HTTP.get(urljoin(proxied.url + page, address), follow_redirects=True)
        assert (found.status_code, address) == (200, address)


def test_the_description_names_the_path(proxied: Proxied) -> None:
    document = HTTP.get(f"{proxied.url}openapi.json").json()
    assert document["servers"] == [{"url": "/films"}]


@pytest.mark.parametrize("path", ["reports", "movies/10/", "health/"])
def test_a_redirection_leads_to_the_same_place(proxied: Proxied, path: str) -> None:
    redirected = HTTP.get(proxied.url + path, headers={"Host": "evil.example"})
    assert redirected.status_code == 307
    assert "://" not in redirected.headers["location"]
    followed = HTTP.get(proxied.url + path, follow_redirects=True)
    assert followed.status_code == 200
    assert str(followed.url).startswith(proxied.url)


def test_clients_have_limits_of_their_own(proxied: Proxied) -> None:
    greedy, modest = (
        httpx.Client(transport=httpx.HTTPTransport(local_address=address))
        for address in ("127.0.0.2", "127.0.0.3")
    )
    with greedy, modest:
        statuses = [greedy.get(f"{proxied.url}version").status_code for _ in range(201)]
        assert statuses == [200] * 200 + [429]
        assert modest.get(f"{proxied.url}version").status_code == 200
        spoofed = greedy.get(f"{proxied.url}version", headers={"X-Forwarded-For": "192.0.2.1"})
        assert spoofed.status_code == 429


def test_a_session_is_of_the_path_and_secure(proxied: Proxied) -> None:
    cookie = HTTP.get(proxied.url).headers["set-cookie"]
    assert {"Secure", "Path=/films"} <= set(cookie.split("; "))


def test_without_a_proxy_the_path_is_served_too(proxied: Proxied) -> None:
    for path in ("/films/health", "/health", "/films/reports/", "/reports/", "/films/pages/api.js"):
        assert proxied.api.get(path).status_code == 200
    assert proxied.api.get("/filmsx/health").status_code == 404


def test_a_head_without_end_behind_a_proxy_is_refused(proxied: Proxied) -> None:
    port = int(proxied.url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(
            b"GET /films/health HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n"
        )
        assert b" 431 " in connection.recv(65536)

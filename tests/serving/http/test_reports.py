from pathlib import Path

import httpx
import pytest

from serving.app import create_app
from serving.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    app = create_app(Settings(reports_dir=tmp_path / "reports", cache_dir=tmp_path / "cache"))
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.mark.anyio
async def test_pages_written_later_are_served(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.get("/reports/2024-01-01.html")).status_code == 404
    folder = tmp_path / "reports"
    (folder / "index.html").write_text("all weeks")
    (folder / "2024-01-01.html").write_text("a week")
    index = await client.get("/reports/")
    assert (index.status_code, index.text) == (200, "all weeks")
    assert index.headers["content-type"].startswith("text/html")
    assert (await client.get("/reports/2024-01-01.html")).text == "a week"


@pytest.mark.anyio
async def test_nothing_outside_the_folder_is_served(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "secret.html").write_text("secret")
    answer = await client.get("/reports/%2e%2e/secret.html")
    assert answer.status_code == 404

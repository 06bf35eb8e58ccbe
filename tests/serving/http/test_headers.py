from pathlib import Path

import httpx
import pytest

from serving.app import create_app
from serving.http.headers import secured
from serving.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        cache_dir=tmp_path, reports_dir=tmp_path, ratings_file=tmp_path / "ratings.jsonl"
    )


def client(settings: Settings) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(settings))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def test_a_page_may_load_nothing_from_elsewhere() -> None:
    page = dict(secured([(b"content-type", b"text/html; charset=utf-8")]))
    assert page[b"content-security-policy"].startswith(b"default-src 'self';")
    assert b"content-security-policy" not in dict(secured([(b"content-type", b"image/png")]))


async def test_pages_and_answers_are_told_apart(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>A page")
    async with client(settings) as asking:
        page, answer = await asking.get("/reports/page.html"), await asking.get("/health")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://mine.example", True), ("https://other.example", False)]
)
async def test_only_named_origins_may_call(settings: Settings, origin: str, allowed: bool) -> None:
    named = settings.model_copy(update={"cors_origins": ("https://mine.example",)})
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Content-Type",
    }
    async with client(named) as asking:
        preflight = await asking.options("/recommend", headers=asked)
        answer = await asking.get("/health", headers={"Origin": origin})
    assert (preflight.status_code == 200) is allowed
    assert ("access-control-allow-origin" in answer.headers) is allowed


async def test_without_the_setting_no_origin_may_call(settings: Settings) -> None:
    async with client(settings) as asking:
        answer = await asking.get("/health", headers={"Origin": "https://mine.example"})
    assert "access-control-allow-origin" not in answer.headers

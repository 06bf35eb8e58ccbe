from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

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
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


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


async def test_every_refusal_carries_the_headers_that_a_foreign_page_needs(
    settings: Settings,
) -> None:
    named = settings.model_copy(
        update={"cors_origins": ("https://mine.example",), "rate_limit": 0.001, "rate_burst": 2}
    )
    app = create_app(named)

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
        answers = [
            await asking.get(path, headers={"Origin": "https://mine.example"})
            for path in ("/broken", "/nowhere", "/version")
        ]
    assert [answer.status_code for answer in answers] == [500, 404, 429]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "https://mine.example"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert answer.headers["x-request-id"]


async def test_a_missing_key_is_answered_with_how_to_send_it(settings: Settings) -> None:
    named = settings.model_copy(update={"api_key": SecretStr("a key for the tests")})
    async with client(named) as asking:
        answer = await asking.post("/reload-model")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "APIKey")


async def test_a_browser_asks_about_files_before_it_uses_them_again(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "week.html").write_text("<p>A report")
    async with client(settings) as asking:
        for path in (
            "/reports/week.html",
            "/pages/home.js",
            "/swagger/swagger-ui.css",
            "/docs",
            "/",
        ):
            answer = await asking.get(path)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-cache"
            if tag := answer.headers.get("etag"):
                again = await asking.get(path, headers={"If-None-Match": tag})
                assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/reports", "reports/"),
        ("/reports/2024", "2024/"),
        ("/recommend/", "../recommend"),
        ("/movies/?query=a%20b", "../movies?query=a%20b"),
        ("/movies/1/", "../1"),
    ],
)
async def test_redirections_are_relative(
    settings: Settings, tmp_path: Path, path: str, location: str
) -> None:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "index.html").write_text("<p>A year")
    async with client(settings) as asking:
        answer = await asking.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, location)

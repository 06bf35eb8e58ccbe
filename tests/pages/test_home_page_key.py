"""The home page of a service that has an API key: its visitors need none to keep their stars."""

from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from tests.pages.conftest import serving_site
from tests.pages.test_home_page import keep_stars

KEY = "a key for the tests"


def test_stars_are_kept_without_the_key_and_it_is_nowhere_in_the_page(
    browser: Browser, tmp_path: Path
) -> None:
    with serving_site(tmp_path, api_key=SecretStr(KEY)) as site:
        site.serve(1)
        known = httpx.get(f"{site.url}/movies?query=fargo").json()["movies"][0]
        rating = {"user_id": 8, "movieId": known["movieId"], "rating": 4.0}
        assert httpx.post(f"{site.url}/ratings", json=rating).status_code == 401
        context = browser.new_context(base_url=site.url, reduced_motion="reduce")
        page = context.new_page()
        seen: list[str] = []
        page.on("response", lambda answer: seen.append(answer.url))
        page.goto("/")
        keep_stars(page, 8, [known])
        page.reload()
        page.get_by_role("button", name="Keep 1 film for user 8").click()
        expect(page.locator("#save-text")).to_contain_text("Kept.")
        assert page.evaluate("document.cookie") == ""
        ratings = httpx.get(f"{site.url}/users/8").json()["ratings"]
        assert [m["title"] for m in ratings if m["source"] == "live"] == ["Fargo (1996)"]
        assert all(KEY not in httpx.get(url).text for url in seen if "woff2" not in url)
        context.close()

"""The page "/" in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from playwright.sync_api import Browser, Page, Route, expect

from tests.pages.conftest import Site, Watched

CARDS = "#picks .card"


@pytest.fixture(autouse=True)
def _a_model(site: Site) -> None:
    if site.registry.version is None:
        site.serve(1)


def titles(page: Page) -> list[str]:
    return page.locator(f"{CARDS} .title").all_inner_texts()


def find_and_rate(page: Page, query: str, key: str) -> None:
    """Search, take the first film, give it stars: with the keyboard alone."""
    before = page.locator("#rated .rated-row").count()
    page.get_by_role("combobox", name="Find a film").focus()
    page.keyboard.type(query)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#rated .rated-row")).to_have_count(before + 1)
    with page.expect_response("**/recommend"):
        page.keyboard.press(key)
    expect(page.locator("#picks")).to_have_attribute("aria-busy", "false")


def test_search_rate_and_the_recommendations_follow(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Which of these do you know?")).to_be_visible()
    expect(page.locator(CARDS)).to_have_count(12)
    before = titles(page)
    find_and_rate(page, "matirx", "5")
    expect(page.get_by_role("heading", name="For you")).to_be_visible()
    expect(page.locator("#rated .title")).to_have_text("The Matrix 1999")
    after = titles(page)
    assert after != before
    assert "The Matrix" not in after
    reasons = page.locator(f"{CARDS} .reason").all_inner_texts()
    assert "Because of The Matrix (5 stars)." in reasons
    expect(page.locator("#status")).to_contain_text("The Matrix: 5 stars. For you: ")
    find_and_rate(page, "toy stroy", "1")
    assert titles(page) != after
    page.reload()
    expect(page.locator("#rated .rated-row")).to_have_count(2)  # kept in this browser
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("heading", name="Which of these do you know?")).to_be_visible()


def test_a_click_gives_half_stars_and_the_rated_film_leaves_the_list(page: Page) -> None:
    page.goto("/")
    row = page.locator(CARDS).first.locator(".star-row")
    expect(row).to_be_visible()
    name = titles(page)[0]
    box = row.bounding_box()
    assert box
    row.click(position={"x": box["width"] * 0.67, "y": box["height"] / 2})
    expect(page.locator("#rated .star-number")).to_have_text("3.5")
    slider = page.locator("#rated").get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "3.5 stars")
    expect(
        page.locator(f"{CARDS} .title", has_text=re.compile(f"^{re.escape(name)}$"))
    ).to_have_count(0)
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "4 stars")


def test_genres_and_variety_change_the_list(page: Page) -> None:
    page.goto("/")
    find_and_rate(page, "alien", "5")
    page.get_by_role("button", name="Comedy").click()
    expect(page.locator("#picks-text")).to_contain_text("Comedy only")
    for genres in page.locator(f"{CARDS} .genre-names").all_inner_texts():
        assert "Comedy" in genres
    with page.expect_response("**/recommend"):
        page.get_by_role("button", name="Comedy").click()
    expect(page.locator("#picks-text")).not_to_contain_text("Comedy")
    dial = page.get_by_role("slider", name="Variety")
    dial.focus()
    with page.expect_request("**/recommend") as asked:
        page.keyboard.press("End")
    sent = asked.value.post_data_json
    assert sent
    assert sent["diversity"] == 1
    expect(dial).to_have_attribute("aria-valuetext", "as varied as it gets")


def test_years_narrow_the_list(page: Page) -> None:
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(12)
    page.get_by_label("Years from").fill("2001")
    expect(page.locator("#picks-text")).to_contain_text(", from 2001 on.")
    years = page.locator(f"{CARDS} .year").all_inner_texts()
    assert years
    assert all(int(year) >= 2001 for year in years)
    page.get_by_label("to", exact=True).fill("20")  # half a year is none
    with page.expect_request("**/recommend") as asked:
        page.get_by_label("to", exact=True).fill("2005")
    sent = asked.value.post_data_json
    assert sent
    assert (sent["year_from"], sent["year_to"]) == (2001, 2005)
    expect(page.locator("#picks-text")).to_contain_text(", 2001 to 2005.")
    assert set(page.locator(f"{CARDS} .title").all_inner_texts()) == {"Spirited Away", "Amélie"}
    page.get_by_label("to", exact=True).fill("1990")
    expect(page.locator("#notice")).to_contain_text("Nothing is left")
    page.get_by_label("Years from").fill("")
    expect(page.locator("#picks-text")).to_contain_text(", up to 1990.")
    expect(page.locator("#notice")).to_be_hidden()


def test_more_like_this_can_be_rated_and_closed(page: Page) -> None:
    page.goto("/")
    like = page.locator(CARDS).first.get_by_role("button", name="More like")
    like.click()
    sheet = page.get_by_role("dialog", name="More like")
    expect(sheet.locator(".card").first).to_be_visible()
    sheet.get_by_role("slider").first.focus()
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.locator("#rated .rated-row")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_somebody_of_the_data(page: Page, site: Site) -> None:
    page.goto("/")
    page.get_by_role("button", name="Choose a user").click()
    users = page.get_by_role("dialog", name="Choose a user")
    users.get_by_label("Number").fill("4")
    page.keyboard.press("Enter")
    expect(users.get_by_role("alert")).to_contain_text("knows no user with the number 4")
    users.get_by_label("Number").fill("5")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="For user 5")).to_be_visible()
    expect(page.locator("#who-text")).to_contain_text("4 films rated in the data")
    find_and_rate(page, "casablanca", "4")
    page.get_by_role("button", name="Keep 1 film for user 5").click()
    expect(page.locator("#save-text")).to_contain_text("Kept.")
    known = httpx.get(f"{site.url}/users/5").json()["ratings"]
    assert [m["title"] for m in known if m["source"] == "live"] == ["Casablanca (1942)"]


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(12)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("combobox").focus()
    page.keyboard.type("a")
    expect(page.get_by_role("option").first).to_be_visible()
    expect(page.get_by_role("combobox")).to_have_attribute("aria-activedescendant", "found-0")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("combobox")).to_have_attribute("aria-activedescendant", "found-1")
    expect(page.locator("#found-1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    card = page.locator(CARDS).nth(2)
    card.get_by_role("slider").focus()
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="For you")).to_be_visible()
    expect(page.locator(CARDS).nth(2).get_by_role("slider")).to_be_focused()


def test_a_new_model_is_shown_without_a_reload(page: Page, site: Site) -> None:
    page.goto("/")
    find_and_rate(page, "up", "5")
    corner = page.locator("#model")
    before = site.registry.version or 0
    expect(corner).to_contain_text(f"Model {before}")
    page.evaluate("window.here = true")
    old = titles(page)
    site.serve(before + 1)
    expect(corner).to_contain_text(f"Model {before + 1}")
    expect(corner).to_contain_text("new just now")
    expect(page.locator("#model-news")).to_contain_text(f"in place of model {before}")
    expect(page.locator("#status")).to_contain_text(f"Model {before + 1} answers now.")
    assert titles(page) != old
    assert page.evaluate("window.here")
    corner.locator("summary").click()
    expect(page.locator("#model-facts")).to_contain_text("random")


def test_titles_are_shown_and_not_obeyed(page: Page) -> None:
    page.goto("/")
    find_and_rate(page, "bold quoted", "5")
    expect(page.locator("#rated .title")).to_contain_text('<b>Bold</b> & "Quoted"')
    assert page.locator("main b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 820])
def test_the_page_fits_in_both_schemes(
    browser: Browser, site: Site, watched: Watched, scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=site.url, viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    page = context.new_page()
    watched.watch(page)
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", ground))) < 60) is (scheme == "dark")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, summary")]
            .filter((e) => e.checkVisibility())
            .filter((e) => !(e.innerText || e.ariaLabel || e.labels?.length))
            .map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    doubled = page.evaluate(
        """() => [...document.querySelectorAll("[id]")].map((e) => e.id)
            .filter((id, i, all) => all.indexOf(id) < i)"""
    )
    assert doubled == []
    context.close()
    assert watched.complaints == []


def test_the_service_goes_away_and_the_stars_stay(page: Page, watched: Watched) -> None:
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(12)
    page.route("**/recommend", lambda route: route.abort())
    page.get_by_role("button", name="Drama").click()
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    page.unroute("**/recommend")
    expect(page.locator("#notice")).to_be_hidden()
    watched.complaints.clear()  # the browser's own, of the request that failed


def test_a_status_that_stays_is_not_asked_for_again(page: Page, watched: Watched) -> None:
    page.clock.install()
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(12)
    asked: list[int] = []
    status = 422

    def refuse(route: Route) -> None:
        asked.append(status)
        route.fulfill(status=status, json={"detail": f"refused with {status}"})

    page.route("**/recommend", refuse)
    for status, times in ((422, 1), (401, 1), (429, 2), (500, 2)):
        asked.clear()
        with page.expect_response("**/recommend"):
            page.locator("#clear").dispatch_event("click")
        expect(page.locator("#notice")).to_have_text(f"refused with {status}")
        if times > 1:
            with page.expect_response("**/recommend"):
                page.clock.fast_forward(4000)
        else:
            page.clock.fast_forward(4000)
            page.evaluate("() => fetch('health')")  # behind whatever the page had asked
        assert asked == [status] * times
    page.unroute("**/recommend")
    page.locator("#clear").dispatch_event("click")
    expect(page.locator("#notice")).to_be_hidden()
    watched.complaints.clear()  # the browser's own, of the answers


def test_of_very_many_stars_the_latest_count(page: Page) -> None:
    page.goto("/")
    keep_stars(page, 0, [{"movieId": n, "title": f"Film {n}"} for n in range(1001, 2002)])
    with page.expect_response("**/recommend") as answered:
        page.reload()
    assert answered.value.status == 200
    sent = answered.value.request.post_data_json
    assert sent
    assert [rating["movieId"] for rating in sent["ratings"]] == list(range(1002, 2002))
    expect(page.locator("#rated-title")).to_have_text("Your stars: 1001 films")


def test_a_film_that_the_model_lacks_does_not_end_the_keeping(
    page: Page, site: Site, watched: Watched
) -> None:
    page.goto("/")
    known = httpx.get(f"{site.url}/movies?query=fargo").json()["movies"][0]
    lacking = {"movieId": 999_999, "title": "Lost (1920)"}
    keep_stars(page, 8, [lacking, known])
    page.reload()
    page.get_by_role("button", name="Keep 2 films for user 8").click()
    expect(page.locator("#save-text")).to_contain_text("Kept 1 of 2 films: the model does not know")
    ratings = httpx.get(f"{site.url}/users/8").json()["ratings"]
    assert [m["title"] for m in ratings if m["source"] == "live"] == ["Fargo (1996)"]
    watched.complaints.clear()  # the browser's own, of the answer 404


def keep_stars(page: Page, person: int, movies: list[dict[str, Any]]) -> None:
    """Put four stars for each movie into the browser, as if a person had given them before."""
    stars = [{"genres": "Drama", **movie, "rating": 4} for movie in movies]
    page.evaluate(
        """([person, stars]) => {
            localStorage.setItem("cinematch.person", person);
            localStorage.setItem(`cinematch.stars.${person}`, JSON.stringify(stars));
        }""",
        [person, stars],
    )


def test_an_answer_given_up_half_way_is_no_answer(page: Page, site: Site) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"recom'
        await asyncio.sleep(60)

    app = site.server.config.app
    assert isinstance(app, FastAPI)
    app.add_api_route("/half", lambda: StreamingResponse(half()), methods=["POST"])
    page.goto("/")
    page.route("**/recommend", lambda route: route.continue_(url=f"{site.url}/half"))
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.evaluate(
            """async () => {
                const api = await import("/pages/api.js");
                window.question = new AbortController();
                window.outcome = api.recommend({ user_id: 0 }, question.signal).then(
                    () => "answered", (error) => error.name);
            }"""
        )
    assert page.evaluate("() => { question.abort(); return outcome; }") == "AbortError"

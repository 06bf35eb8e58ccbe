"""The page "/" before there is a model."""

from playwright.sync_api import Page, expect

from tests.pages.conftest import Site, Watched


def test_the_page_waits_for_the_first_model(page: Page, site: Site, watched: Watched) -> None:
    page.goto("/")
    expect(page.locator("#model")).to_contain_text("No model yet")
    expect(page.locator("#notice")).to_contain_text("No model answers yet")
    site.serve(1)
    expect(page.locator("#picks .card")).to_have_count(12)
    expect(page.get_by_role("button", name="Comedy")).to_be_visible()
    watched.complaints.clear()  # the browser's own, of the answer 503

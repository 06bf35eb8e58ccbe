"""`/docs`: every route can be tried out, and no other server is asked."""

from playwright.sync_api import Page, expect

from tests.pages.conftest import Site


def test_the_routes_are_listed_and_can_be_tried_out(page: Page, site: Site) -> None:
    site.serve(1)
    page.goto("/docs")
    expect(page.locator(".opblock-summary-path", has_text="/recommend").first).to_be_visible()
    page.locator(".opblock-summary", has_text="/health").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").first).to_contain_text("healthy")

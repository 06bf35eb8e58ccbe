"""The dashboard and its tables as CSV, from a snapshot on disk."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from playwright.sync_api import Page, expect

from serving.app import create_app
from serving.pages.dashboard import Figure, views
from serving.platform.snapshot import COLUMNS, FILE, Snapshot
from serving.settings import Settings
from tests.pages.conftest import Site

AT = "2024-02-05T06:30:00+00:00"


def row(table: str, **values: Any) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS[table]) | values


def drift_of(week: str, ks: float) -> list[dict[str, Any]]:
    return [
        row(
            "drift", week=week, view=view, test="rating_distribution_ks", score=ks, threshold=0.05,
            alert=ks > 0.05 and view == "cumulative", verdict="any",
        )
        for view in ("cumulative", "per_batch")
    ]  # fmt: skip


def document() -> dict[str, Any]:
    batch = {"status": "completed", "ratings": 4_796, "loaded_at": AT}
    return {
        "written_at": AT,
        "overview": {"ratings": 64_750, "waiting": 0, "users": 365, "movies": 9_125, "weeks": 2},
        "tables": {
            "batches": [
                row("batches", week="2024-01-15", batch_id="batch_w3", status="failed", ratings=0,
                    notes="<script>alert(1)</script>", loaded_at=AT),
                row("batches", week="2024-01-08", batch_id="batch_w2", injected="shift +1.0",
                    **batch),
                row("batches", week="2024-01-01", batch_id="batch_w1", **batch),
            ],
            "drift": drift_of("2024-01-08", 0.09) + drift_of("2024-01-01", 0.01),
            "performance": [
                row("performance", week="2024-01-08", version="1", rmse=1.11, own_rmse=0.98,
                    mae=0.98, own_mae=0.75, computed_at=AT),
            ],
            "decisions": [
                row("decisions", decided_at=AT, decision="no_action", reason="=1+1", buffer_size=2),
            ],
            "promotions": [
                row("promotions", decided_at=AT, week="2024-01-08", version="2", from_version="1",
                    promoted=True, reason="better"),
            ],
            "models": [
                row("models", version="2", week="2024-01-08", trained_at=AT, ratings=44_366,
                    rmse=0.96241, mae=0.72, precision_at_10=0.27),
            ],
            "stars": [row("stars", stars=4.0, ratings=3), row("stars", stars=4.5, ratings=1)],
        },
    }  # fmt: skip


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


@pytest.fixture
def client(reports: Path, tmp_path: Path) -> httpx.AsyncClient:
    settings = Settings(
        reports_dir=reports, cache_dir=tmp_path / "cache", ratings_file=tmp_path / "ratings.jsonl"
    )
    transport = httpx.ASGITransport(app=create_app(settings))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_before_anything_was_written(client: httpx.AsyncClient) -> None:
    page = await client.get("/dashboard")
    assert page.status_code == 200
    assert "Nothing to show yet" in page.text
    assert (await client.get("/dashboard/batches.csv")).status_code == 404


@pytest.mark.anyio
async def test_a_spoilt_file_is_named(client: httpx.AsyncClient, reports: Path) -> None:
    (reports / FILE).write_text('{"written_at": ')
    assert "is not the dashboard&#39;s data" in (await client.get("/dashboard")).text
    refused = await client.get("/dashboard/batches.csv")
    assert refused.status_code == 503


@pytest.mark.anyio
async def test_every_table_is_a_csv_of_all_its_rows(
    client: httpx.AsyncClient, reports: Path
) -> None:
    (reports / FILE).write_text(json.dumps(document()))
    for table, columns in COLUMNS.items():
        answer = await client.get(f"/dashboard/{table}.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert f"cinematch-{table}.csv" in answer.headers["content-disposition"]
        found = list(csv.reader(io.StringIO(answer.text)))
        assert found[0] == list(columns)
        assert len(found) == 1 + len(document()["tables"][table])
    formula = (await client.get("/dashboard/decisions.csv")).text
    assert ",'=1+1" in formula
    unknown = await client.get("/dashboard/secrets.csv")
    assert unknown.status_code == 404


def heights(figure: Figure) -> list[float]:
    """Return the heights of the bars, as shares of the highest."""
    bars = [
        float(one.attrib["height"])
        for one in ElementTree.fromstring(str(figure.picture)).iter("rect")
        if one.get("class") == "total"
    ]
    return [bar / max(bars) for bar in bars]


def test_what_the_charts_say(reports: Path) -> None:
    (reports / FILE).write_text(json.dumps(document()))
    found = Snapshot.read(reports)
    assert found
    shown = views(found)
    assert shown["alerts"] == ["Kolmogorov-Smirnov distance"]
    (drift,) = shown["drift"]
    assert drift.description.replace("\N{NARROW NO-BREAK SPACE}", " ") == (
        "9.0 % in the week of 2024-01-08, above the threshold of 5 %."
    )
    assert [style for style, _ in drift.key] == ["total", "alone", "threshold-line", "marked"]
    assert heights(shown["volume"]) == pytest.approx([1, 1])
    assert heights(shown["stars"]) == pytest.approx([1, 1 / 3], abs=0.01)
    assert shown["volume"].key == [("marked", "drift injected on purpose")]
    assert shown["trained"]["rmse"] == 0.96241


def test_the_page_in_a_browser(page: Page, site: Site) -> None:
    (site.folder / "reports" / FILE).write_text(json.dumps(document()))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/dashboard")
    for name in ("Overview", "Drift monitoring", "Pipeline status"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_role("img", name="Kolmogorov-Smirnov distance")).to_be_visible()
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    expect(page.get_by_role("link", name="Dashboard")).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of batches").click()
    assert "batch_w2" in download.value.path().read_text()

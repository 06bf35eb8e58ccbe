"""The dashboard's data, from a real warehouse to what serving reads."""

import json
from collections.abc import Callable

from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.operations.pages import write_pages
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.statements import scalar
from serving.pages.dashboard import views
from serving.platform.snapshot import COLUMNS, Snapshot
from tests.pipeline.support import week


def test_what_the_platform_writes_is_what_serving_reads(
    warehouse: str, arrive: Callable[[int], None], settings: Settings
) -> None:
    arrive(1)
    arrive(2)
    with connect(warehouse) as connection:
        for number in (1, 2):
            check_week(connection, week(number), settings.drift)
        write_pages(connection, settings)
        users = scalar(connection, b'SELECT count(DISTINCT "userId") FROM user_counts')
    found = Snapshot.read(settings.reports_dir)
    assert found
    batches = found.tables["batches"]
    assert [row["batch_id"] for row in batches] == ["batch_w2", "batch_w1", "baseline"]
    assert found.overview["waiting"] == batches[0]["ratings"] + batches[1]["ratings"]
    assert found.overview["ratings"] == sum(row["ratings"] for row in batches)
    assert found.overview["users"] == users
    assert found.overview["weeks"] == 2
    assert len(found.tables["drift"]) == 2 * 2 * 3  # weeks, views, tests
    assert found.tables["drift"][0]["week"] == str(week(2))
    assert sum(row["ratings"] for row in found.tables["stars"]) == found.overview["ratings"]
    for table, rows in found.tables.items():
        assert all(set(row) == set(COLUMNS[table]) for row in rows)
    assert len(views(found)["drift"]) == 3
    leftovers = [path.name for path in settings.reports_dir.iterdir() if path.name[0] == "."]
    assert leftovers == []
    text = (settings.reports_dir / "dashboard.json").read_text()
    assert json.loads(text)["tables"]["promotions"] == []

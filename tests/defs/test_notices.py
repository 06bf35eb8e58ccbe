"""Notices against a fake webhook: shapes, dedup, cool-down, a webhook that is down."""

import datetime
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.operations.sensors import notice_sensor
from cinematch_dagster.defs.partitions import range_tags
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.pipeline.operations.notices import Notice, due, pagerduty, slack
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.drift.alerts import AlertRow, record_alerts
from cinematch_dagster.warehouse.registry.promotions import Promotion, record_promotion

WEEK = datetime.date(2024, 1, 8)
SECRET = "T000-secret-of-the-tests"
DRIFT = Notice("drift", "2024-01-08", "Drift", "ks 0.1 > <b>", "http://127.0.0.1/x")


class Webhook:
    def __init__(self, server: HTTPServer) -> None:
        self.status, self.got = 200, list[Any]()
        self.url = server.url_for(f"/services/{SECRET}")
        server.expect_request(f"/services/{SECRET}").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        if self.status == 200:
            self.got.append(request.get_json())
        return Response(status=self.status)

    @property
    def titles(self) -> list[str]:
        return [body["blocks"][0]["text"]["text"] for body in self.got]


@pytest.fixture
def webhook(
    platform_settings: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> Webhook:
    assert platform_settings.is_dir()
    webhook = Webhook(httpserver)
    monkeypatch.setenv("CINEMATCH_NOTICES__WEBHOOK_URL", webhook.url)
    load_settings.cache_clear()
    return webhook


class Sensor:
    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None

    def tick(self) -> str:
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources=RESOURCES,
            definitions=defs,
        ) as context:
            result = notice_sensor.evaluate_tick(context)
        self.cursor = result.cursor
        return str(result.skip_message)


@pytest.fixture
def sensor(webhook: Webhook, instance: dg.DagsterInstance) -> Sensor:
    """The sensor after its first look."""
    sensor = Sensor(instance)
    sensor.tick()
    assert webhook.got == []
    return sensor


def alert(dsn: str, week: datetime.date = WEEK) -> None:
    row = AlertRow(week, "cumulative", "rating_mean", 0.2, 0.1, True, "sha")
    with connect(dsn) as connection:
        record_alerts(connection, [row])


def promote(dsn: str, version: str, run: str) -> None:
    promotion = Promotion(version, None, WEEK, True, f"why {version}", run, "", None, {})
    with connect(dsn) as connection:
        record_promotion(connection, promotion)


@dg.op
def breaks() -> None:
    raise dg.Failure("the disk is full\nand more")


@dg.job
def breaking() -> None:
    breaks()


def test_each_kind_is_told_once(
    sensor: Sensor, webhook: Webhook, warehouse_dsn: str, instance: dg.DagsterInstance
) -> None:
    breaking.execute_in_process(instance=instance, raise_on_error=False)
    alert(warehouse_dsn)
    promote(warehouse_dsn, "1", "a")
    promote(warehouse_dsn, "2", "b")
    promote(warehouse_dsn, "1", "c")
    assert sensor.tick() == "5 told, 0 told already"
    assert webhook.titles == [
        "breaking failed",
        "Drift in week 2024-01-08",
        "Version 1 is in production",
        "Version 2 is in production",
        "Version 1 is back in production",
    ]
    assert webhook.got[0]["blocks"][1]["text"]["text"].endswith("the disk is full")
    assert "rating_mean 0.2000 &gt; 0.1" in webhook.got[1]["text"]
    assert sensor.tick() == "0 told, 0 told already"
    assert len(webhook.got) == 5


def test_failures_are_told_in_whatever_order_their_runs_end_and_each_stretch_of_weeks_by_itself(
    sensor: Sensor, webhook: Webhook, instance: dg.DagsterInstance
) -> None:
    stretches = [("2024-01-01", "2024-01-08"), ("2024-01-22", "2024-01-22")]
    runs = [
        instance.create_run_for_job(breaking, tags=range_tags(*map(datetime.date.fromisoformat, s)))
        for s in stretches
    ]
    for run in reversed(runs):
        instance.report_run_failed(run)
    assert sensor.tick() == "2 told, 0 told already"
    assert webhook.titles == [
        "breaking 2024-01-01 to 2024-01-08 failed",
        "breaking 2024-01-22 failed",
    ]
    assert sensor.tick() == "0 told, 0 told already"


def test_the_same_subject_is_told_again_only_after_the_cool_down(
    sensor: Sensor, webhook: Webhook, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        alert(warehouse_dsn)
        sensor.tick()
    alert(warehouse_dsn, WEEK + datetime.timedelta(weeks=1))
    sensor.tick()
    assert webhook.titles == ["Drift in week 2024-01-08", "Drift in week 2024-01-15"]
    monkeypatch.setenv("CINEMATCH_NOTICES__COOLDOWN_MINUTES", "0")
    load_settings.cache_clear()
    alert(warehouse_dsn)
    sensor.tick()
    assert len(webhook.got) == 3


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_is_down_delays_the_notice_and_nothing_else(
    sensor: Sensor, webhook: Webhook, warehouse_dsn: str, status: int
) -> None:
    webhook.status = status
    alert(warehouse_dsn)
    assert sensor.tick() == f"1 notices wait: the webhook answered {status} (expected 2xx)"
    webhook.status = 200
    sensor.tick()
    assert webhook.titles == ["Drift in week 2024-01-08"]


def test_a_webhook_that_is_gone_is_no_failure_and_its_address_stays_secret(
    sensor: Sensor,
    warehouse_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CINEMATCH_NOTICES__WEBHOOK_URL", f"http://127.0.0.1:1/{SECRET}")
    load_settings.cache_clear()
    alert(warehouse_dsn)
    said = sensor.tick()
    assert said == "1 notices wait: the webhook did not answer: ConnectError"
    assert SECRET not in caplog.text + str(sensor.cursor) + repr(load_settings())


def test_the_address_is_not_logged_when_a_notice_is_sent(
    sensor: Sensor, webhook: Webhook, warehouse_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alert(warehouse_dsn)
    sensor.tick()
    assert len(webhook.got) == 1
    assert SECRET not in caplog.text


@dg.asset
def unreachable() -> None:
    raise ConnectionError("Postgres refused\nand more")


@dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="unsound", blocking=True)])
def unsound() -> Iterator[dg.MaterializeResult[None]]:
    failed = dg.AssetCheckResult(check_name="sound", passed=False)
    yield dg.MaterializeResult(check_results=[failed])


@pytest.mark.parametrize(
    ("asset", "told"),
    [(unreachable, "unreachable: ConnectionError: Postgres refused"), (unsound, "unsound: sound")],
)
def test_a_failure_says_what_was_raised_first_or_which_check_failed(
    sensor: Sensor,
    webhook: Webhook,
    instance: dg.DagsterInstance,
    asset: dg.AssetsDefinition,
    told: str,
) -> None:
    dg.materialize([asset], instance=instance, raise_on_error=False)
    sensor.tick()
    assert webhook.got[0]["blocks"][1]["text"]["text"].endswith(told)


def test_without_a_webhook_nothing_is_looked_at(
    platform_settings: Path, instance: dg.DagsterInstance
) -> None:
    assert platform_settings.is_dir()
    assert Sensor(instance).tick() == "notices.webhook_url is not set"


def test_the_shape_of_slack() -> None:
    body = slack(DRIFT)
    assert body["text"] == "Drift: ks 0.1 &gt; &lt;b&gt;"
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "context"]
    assert "<http://127.0.0.1/x|Open>" in body["blocks"][2]["elements"][0]["text"]


def test_the_shape_of_pagerduty() -> None:
    body = pagerduty(DRIFT, "key")
    assert (body["routing_key"], body["event_action"]) == ("key", "trigger")
    assert body["dedup_key"] == "drift:2024-01-08"
    assert body["payload"]["severity"] == "warning"
    assert set(body["payload"]) >= {"summary", "source", "severity"}


def test_of_one_key_the_newest_is_told() -> None:
    other = Notice("drift", "2024-01-08", "Drift again", "", "")
    assert due([DRIFT, other], {}, now=100.0, cooldown=60) == [other]
    assert due([DRIFT], {"drift:2024-01-08": 41.0}, now=100.0, cooldown=60) == []
    assert due([DRIFT], {"drift:2024-01-08": 40.0}, now=100.0, cooldown=60) == [DRIFT]

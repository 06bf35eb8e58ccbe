"""What Prometheus reads beside the API's own figures, and that the shipped dashboard fits it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from serving.app import create_app
from serving.follow.loader import Served
from serving.platform.figures import PlatformFigures
from serving.platform.snapshot import COLUMNS, FILE
from serving.settings import ROOT, Settings
from serving.telemetry import metrics

MONITORING = ROOT / "workflow_config" / "monitoring"
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def drift_row(week: str, test: str, score: float, alert: bool = False) -> dict[str, object]:
    return {
        "week": week, "view": "cumulative", "test": test, "score": score, "threshold": 0.05,
        "alert": alert, "verdict": "drift detected" if alert else "no drift",
    }  # fmt: skip


def write(folder: Path, drift: list[dict[str, object]]) -> Path:
    tables = {name: list[object]() for name in COLUMNS} | {"drift": list[object](drift)}
    found = {
        "written_at": "2024-01-16T00:00:00+00:00", "overview": {"ratings": 1234}, "tables": tables,
    }  # fmt: skip
    (folder / FILE).write_text(json.dumps(found))
    return folder


def platform(folder: Path) -> dict[str, float]:
    """From a sample's name and labels to its value."""
    registry = CollectorRegistry()
    registry.register(PlatformFigures(folder))
    return {
        " ".join(
            [sample.name, *map(sample.labels.__getitem__, sorted(sample.labels))]
        ): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_the_newest_weeks_drift_is_told(tmp_path: Path) -> None:
    rows = [
        drift_row("2024-01-15", "ks", 0.07, alert=True),
        drift_row("2024-01-15", "mean", -0.01),
        drift_row("2024-01-08", "ks", 0.01),
    ]
    assert platform(write(tmp_path, rows)) == {
        "cinematch_dashboard_written_timestamp_seconds": 1705363200,
        "cinematch_platform_ratings": 1234,
        "cinematch_drift_week_timestamp_seconds": 1705276800,
        "cinematch_drift_score ks cumulative": 0.07,
        "cinematch_drift_score mean cumulative": -0.01,
        "cinematch_drift_threshold ks cumulative": 0.05,
        "cinematch_drift_threshold mean cumulative": 0.05,
        "cinematch_drift_alert ks cumulative": 1,
        "cinematch_drift_alert mean cumulative": 0,
    }


def test_before_the_first_week_there_is_no_drift(tmp_path: Path) -> None:
    assert "cinematch_drift_week_timestamp_seconds" not in platform(write(tmp_path, []))


def test_without_the_file_or_with_another_there_are_no_figures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert platform(tmp_path) == {}
    assert not caplog.records
    (tmp_path / FILE).write_text("{}")
    assert platform(tmp_path) == {}
    assert FILE in caplog.text


def shown() -> Iterator[str]:
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield from re.findall(r"cinematch_\w+", target["expr"])


@pytest.mark.anyio
async def test_the_dashboard_names_only_what_metrics_has_and_all_of_it(
    tmp_path: Path, served: Served
) -> None:
    write(tmp_path, [drift_row("2024-01-15", "ks", 0.07)])
    settings = Settings(
        cache_dir=tmp_path, reports_dir=tmp_path, ratings_file=tmp_path / "ratings.jsonl"
    )
    app = create_app(settings)
    app.state.loader.served = served
    metrics.model_loaded("production", "3", served.model.info.trained_at)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        text = (await client.get("/metrics")).text
    known = {
        name + suffix
        for line in text.splitlines()
        if line.startswith("# TYPE cinematch_") and not line.endswith("_created gauge")
        for _, _, full, kind in [line.split()]
        for name in [full.removesuffix("_total")]
        for suffix in SUFFIXES[kind]
    }
    assert set(shown()) <= known
    families = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
                for name in known} - {"cinematch_drift_threshold"}  # fmt: skip
    assert families <= {name.removesuffix("_bucket") for name in shown()}


def test_prometheus_asks_where_make_up_answers() -> None:
    config = (MONITORING / "prometheus.yml").read_text()
    defaults = Settings.model_fields
    assert f'targets: ["{defaults["host"].default}:{defaults["port"].default}"]' in config
    assert "metrics_path: /metrics" in config

"""`weekly_performance` inside Dagster runs, on a real Postgres and with a local copy of a model."""

import datetime
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.drift.assets import NO_MODEL, PERFORMANCE_CHECK
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.retraining.sensors import drift_alert_sensor
from cinematch_dagster.drift import Level
from cinematch_dagster.drift.page.performance_panel import NO_MODEL as NO_MODEL_SENTENCE
from cinematch_dagster.pipeline.operations.pages import write_pages
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.registry.promotions import (
    Promotion,
    in_production,
    record_promotion,
)
from cinematch_dagster.warehouse.training.model_metrics import record_metrics
from serving.follow.cache import Cache
from serving.follow.registry import Release
from tests.serving.hand_made import hand_made

Run = Callable[..., dg.ExecuteInProcessResult]
Drop = Callable[..., Path]
Promote = Callable[[float, float], None]


@pytest.fixture
def promote(warehouse_dsn: str, loaded_baseline: Path, monkeypatch: pytest.MonkeyPatch) -> Promote:
    """Promote, for week zero, a model that was tested with some RMSE and MAE; 10 % worse alerts.

    It knows none of the weeks' users and movies: it expects 3.5 stars of everybody.
    """

    monkeypatch.setenv("CINEMATCH_DRIFT__PERFORMANCE_THRESHOLD", "0.1")
    load_settings.cache_clear()

    def run(rmse: float, mae: float) -> None:
        own = {"rmse": rmse, "mae": mae}
        with connect(warehouse_dsn) as connection:
            record_metrics(
                connection,
                mlflow_run_id="run",
                week=datetime.date(2023, 12, 25),
                rmse=rmse,
                mae=mae,
                precision_at_10=0.1,
                data_size=1,
                notes="the first",
            )
            record_promotion(
                connection,
                Promotion(
                    version="7",
                    from_version=None,
                    week=datetime.date(2023, 12, 25),
                    promoted=True,
                    reason="the first",
                    mlflow_run_id="run",
                    dagster_run_id="run",
                    buffer_policy="merge",
                    scores={"standing": {"challenger": own}},
                ),
            )
            promotion = in_production(connection)
        assert promotion is not None
        assert promotion.decided_at is not None
        release = Release("7", int(promotion.decided_at.timestamp() * 1_000))
        hand_made().write(Cache(loaded_baseline.parent / "models").folder(release))

    return run


def metadata(instance: dg.DagsterInstance, week: str) -> dict[str, object]:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey("weekly_performance"), asset_partitions=[week]), limit=1
    ).records
    assert records[0].asset_materialization is not None
    return {k: v.value for k, v in records[0].asset_materialization.metadata.items()}


def check(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    return next(
        c for c in result.get_asset_check_evaluations() if c.check_name == PERFORMANCE_CHECK
    )


def text_of(page: Path) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.read_text()).split())


def performance_alerts(dsn: str) -> list[tuple[object, ...]]:
    with connect(dsn) as connection:
        return connection.execute(
            "SELECT week::text, feature_name, round(drift_score::numeric, 4)::float8,"
            " alert_triggered FROM drift_alerts WHERE feature_name LIKE 'performance%' ORDER BY id"
        ).fetchall()


def test_without_a_model_the_week_says_so_and_is_reported_on(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance, warehouse_dsn: str
) -> None:
    drop(1, low=True)
    result = run_weeks(1, 1)
    assert result.success
    assert metadata(instance, "2024-01-01") == {
        "verdict": NO_MODEL,
        "reasons": "no version was promoted for an earlier week",
        "alerts": 0,
    }
    assert check(result).passed
    assert check(result).description == NO_MODEL
    assert performance_alerts(warehouse_dsn) == []


def test_without_a_model_nothing_of_mlflow_is_imported(drop: Drop, tmp_path: Path) -> None:
    drop(1)
    program = """
import sys
import warnings

warnings.simplefilter("ignore")
import dagster as dg
from cinematch_dagster.defs.drift.assets import weekly_performance
from cinematch_dagster.defs.ingestion.assets import ratings_buffer
from cinematch_dagster.defs.resources import RESOURCES

result = dg.materialize(
    [ratings_buffer, weekly_performance],
    partition_key="2024-01-01",
    resources=RESOURCES,
)
assert result.success
print([name for name in sys.modules if name.partition("_")[0] == "mlflow"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr[-2_000:]


def test_the_figures_of_a_range_of_weeks_worked_by_hand(
    drop: Drop,
    run_weeks: Run,
    promote: Promote,
    instance: dg.DagsterInstance,
    warehouse_dsn: str,
) -> None:
    promote(1.4, 1.3)
    drop(1)  # 1 to 5 stars: errors 2.5, 1.5, 0.5, 0.5, 1.5
    drop(2, drifted=True)  # 4 and 5 stars: errors 0.5 and 1.5
    drop(3, low=True)  # 1 and 2 stars: errors 2.5 and 1.5
    result = run_weeks(1, 3)
    assert result.success
    quiet, better, worse = (metadata(instance, f"2024-01-{day:02}") for day in (1, 8, 15))
    assert (quiet["rmse (overall)"], quiet["mae (overall)"]) == (1.5, 1.3)
    assert quiet["performance_rmse (change)"] == pytest.approx(1.5 / 1.4 - 1)
    assert quiet["performance_mae (change)"] == 0
    assert quiet["version"] == "7"
    assert quiet["rmse (the version's own test)"] == 1.4
    assert (quiet["rows (overall)"], quiet["rows (warm_user)"]) == (2_000, 0)
    assert (quiet["users (new_movie)"], quiet["hit_rate_at_10 (new_movie)"]) == (800, 0)
    assert "| new_user | 2,000 | 1.5000 | 1.3000 | 800 | 0.0000 |" in str(quiet["slices"])
    assert [week["verdict"] for week in (quiet, better, worse)] == [
        Level.NO_DRIFT,
        Level.NO_DRIFT,
        Level.DRIFT,
    ]
    assert worse["reasons"] == "RMSE +47.3%, MAE +53.8%"
    assert performance_alerts(warehouse_dsn) == [
        ("2024-01-01", "performance_rmse", 0.0714, False),
        ("2024-01-01", "performance_mae", 0.0, False),
        ("2024-01-08", "performance_rmse", 0.0, False),
        ("2024-01-08", "performance_mae", 0.0, False),
        ("2024-01-15", "performance_rmse", 0.4725, True),
        ("2024-01-15", "performance_mae", 0.5385, True),
    ]
    assert not check(result).passed
    assert check(result).severity is dg.AssetCheckSeverity.WARN
    assert check(result).metadata["week"].value == "2024-01-15"


def test_the_pages_tell_what_was_measured_without_predicting_again(
    drop: Drop, run_weeks: Run, promote: Promote, warehouse_dsn: str
) -> None:
    drop(1)
    run_weeks(1, 1)
    settings = load_settings()
    with connect(warehouse_dsn) as connection:
        write_pages(connection, settings)
    page = settings.reports_dir / "2024-01-01.html"
    assert NO_MODEL_SENTENCE in text_of(page)
    promote(1.3, 1.3)
    run_weeks(1, 1)
    with connect(warehouse_dsn) as connection:
        write_pages(connection, settings)
    assert "RMSE is 15.4 % higher and MAE is 0.0 % higher" in text_of(page)
    shutil.rmtree(settings.state_dir / "models")
    page.unlink()
    with connect(warehouse_dsn) as connection:
        write_pages(connection, settings)
    assert "New users 2,000 1.500 1.300 0.0 % of 800" in text_of(page)


def test_a_worse_model_alone_leads_to_a_retraining_in_the_same_tick(
    drop: Drop,
    run_weeks: Run,
    promote: Promote,
    instance: dg.DagsterInstance,
    warehouse_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEMATCH_RETRAINING__MINIMUM_BUFFER", "2000")
    monkeypatch.setenv("CINEMATCH_DRIFT__PERFORMANCE_THRESHOLD", "0.1")
    load_settings.cache_clear()
    promote(1.3, 1.3)
    drop(1)  # the ratings are those of the baseline; only the model is off
    assert run_weeks(1, 1).success
    with dg.build_sensor_context(
        instance=instance, resources=RESOURCES, definitions=defs
    ) as context:
        (request,) = drift_alert_sensor.evaluate_tick(context).run_requests or ()
    assert request.partition_key == "2024-01-01"
    assert "worst performance_rmse 0.1538 > 0.1" in request.tags["cinematch/reason"]
    with connect(warehouse_dsn) as connection:
        used = connection.execute(
            "SELECT a.feature_name FROM retraining_decisions d"
            " JOIN drift_alerts a ON a.id = ANY (d.alert_ids)"
        ).fetchall()
    assert used == [("performance_rmse",)]

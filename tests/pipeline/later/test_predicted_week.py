"""Weeks predicted by what was in production, on a real Postgres and a real MLflow server."""

import datetime
import shutil
from pathlib import Path

import dagster as dg
import pytest

from cinematch_dagster.defs.drift.assets import drift_report, weekly_performance
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.demo import measured
from cinematch_dagster.drift import Level
from cinematch_dagster.pipeline.drift.predicted_week import check_performance, week_performance
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.retraining import decide
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings, load_settings
from cinematch_dagster.warehouse.registry.promotions import Promotion
from cinematch_dagster.warehouse.retraining.decisions import open_alerts
from serving.follow.registry import Registry, RegistryError, Release
from serving.model import ModelError
from tests.pipeline.support import Arrive, Register, Train, rows, week
from tests.serving.hand_made import change_arrays

NAMES = ("performance_rmse", "performance_mae")


def copies(settings: Settings) -> list[Path]:
    """The folders of the versions that were fetched."""
    return [path for path in (settings.state_dir / "models").iterdir() if path.is_dir()]


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The sample profile, whose own threshold is larger, with the default one."""
    assert settings.drift.performance_threshold > 0.1
    monkeypatch.setenv("CINEMATCH_DRIFT__PERFORMANCE_THRESHOLD", "0.1")
    load_settings.cache_clear()
    return load_settings()


def test_a_week_is_compared_with_the_test_of_the_version_that_it_found(
    warehouse: str, settings: Settings, arrive: Arrive, first: Promotion
) -> None:
    arrive(1)
    found = check_performance(warehouse, week(1), settings)
    assert found is not None
    assert found.version == first.version
    ((rmse, mae),) = rows(warehouse, "SELECT rmse, mae FROM model_metrics")
    assert (found.own.rmse, found.own.mae) == (rmse, mae)
    overall, warm, new = found.scores.overall, found.scores.warm_user, found.scores.new_user
    assert warm is not None
    assert new is not None
    assert overall.rows == warm.rows + new.rows == 4_796
    assert warm.rows == 472  # computed independently with pandas
    assert rows(
        warehouse,
        "SELECT week, feature_name, view, drift_score, threshold, alert_triggered, evidence"
        " FROM drift_alerts ORDER BY id",
    ) == [
        (week(1), name, "per_batch", test.score, 0.10, test.triggered, found.input_digest)
        for name, test in zip(NAMES, found.verdict.tests, strict=True)
    ]


@pytest.mark.slow  # one more training
def test_the_same_figures_after_a_merge_and_a_later_promotion(
    warehouse: str,
    settings: Settings,
    arrive: Arrive,
    first: Promotion,
    train_week: Train,
    register_week: Register,
) -> None:
    for number in (1, 2, 3):
        arrive(number)
    before = [week_performance(warehouse, week(number), settings) for number in (1, 2, 3)]
    train_week(3)
    second = register_week(3)
    assert second.promoted
    arrive(4)
    assert rows(warehouse, "SELECT DISTINCT batch_id FROM ratings_buffer") == [("batch_w4",)]
    after = [week_performance(warehouse, week(number), settings) for number in (1, 2, 3, 4)]
    assert after[:3] == before
    assert [found and found.version for found in after] == [
        first.version,
        first.version,
        first.version,
        second.version,
    ]
    assert rows(warehouse, "SELECT count(*) FROM drift_alerts") == [(0,)]


def test_a_version_is_fetched_once_and_then_does_without_the_registry(
    warehouse: str,
    settings: Settings,
    arrive: Arrive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in (1, 2):
        arrive(number)
    nobody = settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:1"})
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError):
        check_performance(warehouse, week(1), nobody)
    assert copies(settings) == []
    assert check_performance(warehouse, week(1), settings) is not None
    assert check_performance(warehouse, week(2), nobody) is not None
    assert len(copies(settings)) == 1
    assert rows(warehouse, "SELECT week, count(*) FROM drift_alerts GROUP BY 1 ORDER BY 1") == [
        (week(1), 2),
        (week(2), 2),
    ]


@pytest.mark.slow  # whole runs in Dagster
def test_a_broken_model_fails_the_run_and_reports_nothing(
    warehouse: str,
    settings: Settings,
    arrive: Arrive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrive(1)
    assert week_performance(warehouse, week(1), settings) is not None

    def break_copy() -> None:
        (copy,) = copies(settings)
        change_arrays(copy, rating_user_bias=None)

    def broken(self: Registry, release: Release, folder: Path) -> Path:
        found = download(self, release, folder)
        change_arrays(found, rating_user_bias=None)
        return found

    def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [weekly_performance, drift_report],
            partition_key=week(1).isoformat(),
            instance=instance,
            resources=RESOURCES,
            raise_on_error=False,
        )

    break_copy()
    download = Registry.download
    with dg.DagsterInstance.ephemeral() as instance:
        with monkeypatch.context() as patch:  # what MLflow hands out is broken as well
            patch.setattr(Registry, "download", broken)
            failed = run(instance)
        assert not failed.success
        assert failed.get_asset_materialization_events() == []
        assert failed.get_asset_check_evaluations() == []
        assert rows(warehouse, "SELECT count(*) FROM drift_alerts") == [(0,)]
        failure = failed.failure_data_for_node("weekly_performance")
        assert failure is not None
        assert failure.error is not None
        assert failure.error.cause is not None
        assert failure.error.cause.cls_name == ModelError.__name__
        assert run(instance).success
        # A copy that broke here alone is thrown away and fetched again, by the run's own retry.
        break_copy()
        assert run(instance).success


def test_alerts_open_and_are_used_up_together_with_those_of_the_ratings(
    warehouse: str, settings: Settings, arrive: Arrive
) -> None:
    for number in range(1, 7):
        arrive(number)

    def check() -> None:
        found = check_performance(warehouse, week(6), settings)
        assert found is not None
        assert found.verdict.level is Level.DRIFT
        with connect(warehouse) as connection:
            check_week(connection, week(6), settings.drift)

    check()
    with connect(warehouse) as connection:
        alerts = open_alerts(connection)
        assert [alert.feature_name for alert in alerts] == [*NAMES, "rating_distribution_ks"]
        decision = decide.evaluate(
            connection,
            [week(6)],
            "2024-02-05:1",
            datetime.datetime.now(datetime.UTC),
            settings.retraining,
            settings.drift,
        )
    assert (decision.decision, decision.target_week) == ("trigger_actual", week(6))
    assert decision.alert_ids == tuple(alert.id for alert in alerts)
    check()  # the same evidence, found again
    with connect(warehouse) as connection:
        assert open_alerts(connection) == []


def test_too_few_ratings_alert_nobody(warehouse: str, settings: Settings, arrive: Arrive) -> None:
    arrive(6)
    careful = settings.model_copy(
        update={"drift": settings.drift.model_copy(update={"count_threshold": 4_798})}
    )
    found = check_performance(warehouse, week(6), careful)
    assert found is not None
    assert found.verdict.level is Level.INSUFFICIENT
    assert rows(warehouse, "SELECT max(drift_score) > 0.1, bool_or(alert_triggered) FROM"
        " drift_alerts") == [(True, False)]  # fmt: skip


def test_the_story_s_report_has_each_week_s_performance(
    warehouse: str, settings: Settings, arrive: Arrive, first: Promotion
) -> None:
    arrive(6)
    found = check_performance(warehouse, week(6), settings)
    assert found is not None
    with connect(warehouse) as connection:
        check_week(connection, week(6), settings.drift)
    shutil.rmtree(settings.state_dir / "models")  # nothing is predicted again
    told = measured.weeks(lambda: connect(warehouse))
    assert told[-1]["performance"] == {
        "version": first.version,
        "rmse": found.scores.overall.rmse,
        "mae": found.scores.overall.mae,
        "against": {"rmse": found.own.rmse, "mae": found.own.mae},
        "alert": True,
    }

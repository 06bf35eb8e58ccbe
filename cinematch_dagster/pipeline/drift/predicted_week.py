"""Predict a week with the model that it found, and say what drift has cost."""

import datetime
from pathlib import Path

from cinematch_dagster.drift import Errors, judge_errors
from cinematch_dagster.drift.performance import WeekPerformance
from cinematch_dagster.pipeline.drift.input_digest import performance_digest
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.recommenders.evaluation.week_performance import score_week
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.drift import alerts
from cinematch_dagster.warehouse.drift.verdicts import Verdict, record_verdict
from cinematch_dagster.warehouse.drift.weekly_performance import record_performance
from cinematch_dagster.warehouse.ingestion.metadata import loaded_batch
from cinematch_dagster.warehouse.registry.promotions import Promotion, in_production
from cinematch_dagster.warehouse.training.model_metrics import own_errors
from cinematch_dagster.warehouse.training.training_data import week_ratings
from serving.follow.cache import Cache
from serving.follow.registry import Registry, Release
from serving.model.recommender import Model, ModelError


def week_performance(dsn: str, week: datetime.date, settings: Settings) -> WeekPerformance | None:
    """Predict a loaded week with the version promoted last for an earlier week; None without one.

    A function of history alone: it gives the same figures whenever it is computed, also after the
    week was merged.

    Raises:
        IngestionError: the week isn't loaded, or its ratings are gone.
        LoadError, ModelError: the version can't be fetched, or its files are broken.
        ValueError: a prediction is not finite.
    """
    with connect(dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        promotion = in_production(connection, before=week)
        if promotion is None:
            return None
        batch = loaded_batch(connection, week)
        ratings = week_ratings(connection, batch)
        own = Errors(*own_errors(connection, promotion.mlflow_run_id))
    scores = score_week(_model(promotion, settings), ratings)
    return WeekPerformance(
        version=promotion.version,
        own=own,
        scores=scores,
        verdict=judge_errors(
            Errors(scores.overall.rmse, scores.overall.mae),
            own,
            scores.overall.rows,
            settings.drift,
        ),
        policy=settings.drift,
        input_digest=performance_digest(promotion.version, batch.sha256),
    )


def check_performance(dsn: str, week: datetime.date, settings: Settings) -> WeekPerformance | None:
    """Compute a week's performance, and write its scores and one row for each of its tests."""
    found = week_performance(dsn, week, settings)
    if found is not None:
        with connect(dsn) as connection:
            record_performance(connection, week, found)
            alerts.record_alerts(connection, _rows(week, found))
            record_verdict(connection, _verdict(week, found, settings))
    return found


def _verdict(week: datetime.date, found: WeekPerformance, settings: Settings) -> Verdict:
    return Verdict.decided(
        week,
        "performance",
        found.verdict,
        settings.drift,
        n=found.scores.overall.rows,
        version=found.version,
        input_digest=found.input_digest,
    )


def _model(promotion: Promotion, settings: Settings) -> Model:
    """Return a promoted version, from its local copy when there is one."""
    assert promotion.decided_at is not None
    # A promotion's moment tells versions apart, and doesn't have to be asked from the registry.
    release = Release(promotion.version, created=int(promotion.decided_at.timestamp() * 1_000))
    cache = Cache(settings.state_dir / "models")
    folder = cache.add(release, lambda scratch: _fetch(release, scratch, settings))
    try:
        model = Model.load(folder)
    except ModelError:
        cache.discard(release)  # the next try fetches it once more
        raise
    cache.mark_good(release)
    return model


def _fetch(release: Release, folder: Path, settings: Settings) -> Path:
    # Here, so that a week without a model, or with a local copy of it, does without MLflow.
    from cinematch_dagster.pipeline.registry.versions import MODEL_NAME, PRODUCTION

    registry = Registry(settings.tracking_uri, MODEL_NAME, PRODUCTION)
    return registry.download(release, folder)


def _rows(week: datetime.date, found: WeekPerformance) -> list[alerts.AlertRow]:
    overall, own, verdict = found.scores.overall, found.own, found.verdict
    notes = (
        f"{verdict.level.value}; version {found.version}: RMSE {overall.rmse:.4f} against "
        f"{own.rmse:.4f}, MAE {overall.mae:.4f} against {own.mae:.4f}; {overall.rows} ratings"
    )
    return [
        alerts.AlertRow(
            week=week,
            view="per_batch",
            feature_name=test.feature_name,
            drift_score=test.score,
            threshold=test.threshold,
            alert_triggered=test.triggered,
            input_digest=found.input_digest or "",
            notes=notes,
        )
        for test in verdict.tests
    ]

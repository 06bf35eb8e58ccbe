"""Register the challenger, compare it with the champion, promote or keep.

The table `promotions` is the truth about what is in production; MLflow's aliases and tags follow
it. So a step that dies anywhere can simply be run again.
"""

import datetime
import json
from collections.abc import Mapping

import psycopg
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from cinematch_dagster.pipeline.registry.comparison import (
    Registered,
    compare,
    decision_scores,
    draw,
)
from cinematch_dagster.pipeline.registry.retention import delete_old_versions
from cinematch_dagster.pipeline.registry.versions import (
    CANDIDATE,
    MODEL_NAME,
    STAGE_TAG,
    RegistrationError,
    follow_promotions,
    is_gone,
    logged_model,
)
from cinematch_dagster.pipeline.training.data import read_training_data
from cinematch_dagster.pipeline.training.log import FAILED_CHECKS
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.metadata import loads_through
from cinematch_dagster.warehouse.registry import promotions
from cinematch_dagster.warehouse.registry.promotions import Promotion
from cinematch_dagster.warehouse.schema import lock_ratings, lock_registry
from cinematch_dagster.warehouse.training import model_metrics

TAG_LENGTH = 5_000
"""Characters that a tag of a version in MLflow may have."""


def register(dsn: str, week: datetime.date, settings: Settings, dagster_run_id: str) -> Promotion:
    """Decide on the newest model trained for a week; a decision once made stays.

    Raises:
        RegistrationError: no model was trained for that week; it has failed checks; or meanwhile
            something else went into production, or ratings of that week or an earlier one came.
    """
    client = MlflowClient(settings.tracking_uri)
    with connect(dsn) as connection:
        run_id = model_metrics.latest_run(connection, week)
        if run_id is None:
            raise RegistrationError(
                f"week {week} has no trained model: materialize trained_model first"
            )
        decided = promotions.promotion_of_run(connection, run_id)
    if decided is None:
        _refuse_failed_checks(client, run_id, week)
        challenger = Registered(_version_of(client, run_id), run_id, week)
        decided = _decide(dsn, settings, client, challenger, dagster_run_id)
    _explain(client, decided)
    with connect(dsn) as connection:
        lock_registry(connection)  # a rollback meanwhile would be undone, or lose its version
        present = promotions.in_production(connection)
        if decided.promoted or (present and not is_gone(client, present.version)):
            follow_promotions(client, connection)
        delete_old_versions(client, connection, settings.promotion.keep_versions)
    return decided


def _version_of(client: MlflowClient, run_id: str) -> str:
    """Return the registered version of a run's model; register it if it has none yet."""
    if not client.search_registered_models(f"name = '{MODEL_NAME}'"):
        client.create_registered_model(MODEL_NAME, description="What the API serves.")
    known = client.search_model_versions(f"name = '{MODEL_NAME}' and run_id = '{run_id}'")
    version = known[0] if known else _create_version(client, run_id)
    client.set_registered_model_alias(MODEL_NAME, CANDIDATE, version.version)
    client.set_model_version_tag(MODEL_NAME, version.version, STAGE_TAG, "Staging")
    return str(version.version)


def _create_version(client: MlflowClient, run_id: str) -> ModelVersion:
    model = logged_model(client, run_id)
    return client.create_model_version(
        MODEL_NAME, model.artifact_location, run_id, model_id=model.model_id
    )


def _decide(
    dsn: str,
    settings: Settings,
    client: MlflowClient,
    challenger: Registered,
    dagster_run_id: str,
) -> Promotion:
    with connect(dsn) as connection:
        champion = promotions.in_production(connection)
        loads = loads_through(connection, challenger.week)
    lost = champion if champion and is_gone(client, champion.version) else None
    data = read_training_data(dsn, challenger.week)
    contenders, verdict = compare(data, settings, client, challenger, None if lost else champion)
    draw(client, challenger.run_id, contenders)
    promotion = Promotion(
        version=challenger.version,
        from_version=champion.version if champion else None,
        week=challenger.week,
        promoted=verdict.promoted,
        reason=_first_instead_of(lost) + verdict.reason,
        mlflow_run_id=challenger.run_id,
        dagster_run_id=dagster_run_id,
        buffer_policy=settings.promotion.buffer_policy if verdict.promoted else None,
        scores=decision_scores(contenders, verdict),
    )
    with connect(dsn) as connection:
        lock_registry(connection)
        lock_ratings(connection)
        _refuse_news(connection, promotion, champion, loads)
        _record(connection, promotion)
    return promotion


def _first_instead_of(lost: Promotion | None) -> str:
    """Say that there was no champion to compare with, where MLflow has it no more."""
    if lost is None:
        return ""
    return f"Version {lost.version} in production is gone from MLflow, so this is a first model. "


def _refuse_failed_checks(client: MlflowClient, run_id: str, week: datetime.date) -> None:
    """Refuse before there is a version, which the API could follow as the candidate."""
    failed = client.get_run(run_id).data.tags.get(FAILED_CHECKS)
    if failed:
        raise RegistrationError(
            f"the model of week {week} has failed {failed} (expected every check of "
            "trained_model to pass)"
        )


def _refuse_news(
    connection: psycopg.Connection,
    promotion: Promotion,
    champion: Promotion | None,
    loads: Mapping[str, str],
) -> None:
    """Refuse a decision that rests on another production, or on other ratings, than there are.

    A promotion would move ratings out of the buffer that the challenger was not trained on.
    """
    present = promotions.in_production(connection)
    if present != champion:
        raise RegistrationError(
            f"version {promotion.version} was compared with version {promotion.from_version}, and "
            f"meanwhile version {present.version if present else None} went into production "
            "(expected no other change: register it again)"
        )
    now = loads_through(connection, promotion.week)
    if now != loads:
        names = ", ".join(sorted(name for name, _ in now.items() ^ loads.items()))
        raise RegistrationError(
            f"{names} arrived while version {promotion.version} of week {promotion.week} was "
            "compared (expected no load of that week or an earlier one: train it again)"
        )


def _record(connection: psycopg.Connection, promotion: Promotion) -> None:
    """Write the decision, and move the buffer after a promotion."""
    promotions.record_promotion(connection, promotion)
    if promotion.buffer_policy:
        promotions.merge_buffer(
            connection, promotion.week, promotion.version, promotion.buffer_policy
        )


def _explain(client: MlflowClient, decided: Promotion) -> None:
    """Put the decision on the version in MLflow: promoted or kept, why, and each rule."""
    tags = {
        "gate": "promoted" if decided.promoted else "kept",
        "gate_reason": decided.reason,
        "gate_rules": json.dumps(decided.scores["rules"]),
    }
    for name, text in tags.items():
        client.set_model_version_tag(MODEL_NAME, decided.version, name, text[:TAG_LENGTH])

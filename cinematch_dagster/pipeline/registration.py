"""Station 4: register the challenger, compare it with the champion, promote or keep.

The table `promotions` is the truth about what is in production; MLflow's aliases and tags follow
it. So a step that dies anywhere can simply be run again.
"""

import datetime
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from cinematch_dagster.pipeline.reports import write_pages
from cinematch_dagster.pipeline.training import TrainingData, read_training_data
from cinematch_dagster.recommenders import (
    Contender,
    Scores,
    Thresholds,
    Verdict,
    decide,
    evaluate,
)
from cinematch_dagster.recommenders.baseline import fit_baseline
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.settings import PromotionSettings, Settings
from cinematch_dagster.warehouse import promotions
from cinematch_dagster.warehouse.connection import connect
from cinematch_dagster.warehouse.promotions import Promotion
from serving.model import Model
from serving.registry import Registry, Release

MODEL_NAME = "cinematch_recommender"
PRODUCTION = "production"
CANDIDATE = "candidate"
STAGE_TAG = "stage"


class RegistrationError(RuntimeError):
    """There is nothing to register, or the registry lacks what it should have."""


def register(dsn: str, week: datetime.date, settings: Settings, dagster_run_id: str) -> Promotion:
    """Decide on the newest model trained for a week; a decision once made stays.

    Raises:
        RegistrationError: no model was trained for that week.
    """
    client = MlflowClient(settings.tracking_uri)
    with connect(dsn) as connection:
        run_id = promotions.latest_run(connection, week)
        if run_id is None:
            raise RegistrationError(
                f"week {week} has no trained model: materialize trained_model first"
            )
        decided = promotions.promotion_of_run(connection, run_id)
    if decided is None:
        version = _version_of(client, run_id)
        decided = _decide(dsn, week, settings, version, run_id, dagster_run_id)
    with connect(dsn) as connection:
        follow_promotions(client, connection)
        write_pages(connection, [week], settings)  # the decision stands on the week's page
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
    outputs = client.get_run(run_id).outputs
    if outputs is None or not outputs.model_outputs:
        raise RegistrationError(f"MLflow run {run_id} has logged no model")
    model = client.get_logged_model(outputs.model_outputs[0].model_id)
    return client.create_model_version(
        MODEL_NAME, model.artifact_location, run_id, model_id=model.model_id
    )


def _decide(
    dsn: str,
    week: datetime.date,
    settings: Settings,
    version: str,
    run_id: str,
    dagster_run_id: str,
) -> Promotion:
    data = read_training_data(dsn, week)
    with connect(dsn) as connection:
        champion = promotions.in_production(connection)
    registry = Registry(settings.tracking_uri, MODEL_NAME, PRODUCTION)
    contenders = {"challenger": _contender(registry, version, week, data)}
    if champion:
        contenders["champion"] = _contender(registry, champion.version, champion.week, data)
    interactions = Interactions.from_frame(data.ratings, data.movies["movieId"].to_numpy())
    verdict = decide(
        contenders["challenger"],
        contenders.get("champion"),
        evaluate(fit_baseline(interactions), data.standing, data.ratings),
        _thresholds(settings.promotion),
    )
    promotion = Promotion(
        version=version,
        from_version=champion.version if champion else None,
        week=week,
        promoted=verdict.promoted,
        reason=verdict.reason,
        mlflow_run_id=run_id,
        dagster_run_id=dagster_run_id,
        buffer_policy=settings.promotion.buffer_policy if verdict.promoted else None,
        scores=_scores(contenders, verdict),
    )
    with connect(dsn) as connection:
        promotions.record_promotion(connection, promotion)
        if verdict.promoted:
            promotions.merge_buffer(connection, week, version, settings.promotion.buffer_policy)
    return promotion


def _contender(
    registry: Registry, version: str, week: datetime.date, data: TrainingData
) -> Contender:
    """Score a registered version as it would be served, on the rows of `data`."""
    with tempfile.TemporaryDirectory(prefix="cinematch-") as folder:
        model = Model.load(registry.download(Release(version, created=0), Path(folder)))
        held_out = evaluate(model, data.held_out, data.ratings) if len(data.held_out) else None
        return Contender(week, held_out, evaluate(model, data.standing, data.ratings))


def _thresholds(settings: PromotionSettings) -> Thresholds:
    return Thresholds(**settings.model_dump(exclude={"buffer_policy"}))


def _scores(contenders: dict[str, Contender], verdict: Verdict) -> dict[str, Any]:
    """Return every number behind the decision: both models on both sets of rows, each rule."""

    def on(rows: str) -> dict[str, Any]:
        found: dict[str, Scores | None] = {n: getattr(c, rows) for n, c in contenders.items()}
        return {name: asdict(scores) for name, scores in found.items() if scores}

    return {
        "held_out": on("held_out"),
        "standing": on("standing"),
        "rules": [asdict(rule) for rule in verdict.rules],
    }


def follow_promotions(client: MlflowClient, connection: psycopg.Connection) -> None:
    """Point the alias and the stage tags at what `promotions` says is in production."""
    newest = promotions.in_production(connection)
    if newest is None:
        return
    for version in client.search_model_versions(f"name = '{MODEL_NAME}'"):
        stage = "Production" if version.version == newest.version else "None"
        if version.tags.get(STAGE_TAG) != stage:
            client.set_model_version_tag(MODEL_NAME, version.version, STAGE_TAG, stage)
    client.set_registered_model_alias(MODEL_NAME, PRODUCTION, newest.version)

"""Score the challenger, the champion and the floor on the same rows, and judge."""

import datetime
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from cinematch_dagster.pipeline.registry.versions import MODEL_NAME, PRODUCTION
from cinematch_dagster.pipeline.training.data import TrainingData
from cinematch_dagster.recommenders import plots
from cinematch_dagster.recommenders.evaluation import (
    FoldScores,
    Predictor,
    evaluate_fold,
    unrated,
)
from cinematch_dagster.recommenders.gate import Contender, Thresholds, Verdict, audit, decide
from cinematch_dagster.recommenders.gate.words import plain
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.rating.baseline import fit_floor
from cinematch_dagster.settings import PromotionSettings, Settings
from cinematch_dagster.warehouse.registry.promotions import Promotion
from serving.follow.registry import Registry
from serving.model.artifact import Artifact
from serving.model.recommender import Model


@dataclass(frozen=True)
class Registered:
    """A registered version with the MLflow run that trained it, and for which week."""

    version: str
    run_id: str
    week: datetime.date


def compare(
    data: TrainingData,
    settings: Settings,
    client: MlflowClient,
    challenger: Registered,
    champion: Promotion | None,
) -> tuple[dict[str, Contender], Verdict]:
    """Score every contender on the rows of `data`, its training ratings folded in, and judge.

    What the champion was trained on and the warehouse has no more, as after the policy 'archive',
    is neither tested nor recommended.
    """
    registry = Registry(settings.tracking_uri, MODEL_NAME, PRODUCTION)
    artifact = _fetch(registry, challenger.version)
    interactions = Interactions.from_frame(data.ratings, data.movies["movieId"].to_numpy())
    predictors: dict[str, tuple[Predictor, datetime.date]] = {
        "challenger": (Model(artifact), challenger.week),
        "floor": (fit_floor(interactions), challenger.week),
    }
    gone = None
    if champion:
        old = _fetch(registry, champion.version)
        predictors["champion"] = (Model(old), champion.week)
        gone = unrated(trained_on(old), data.ratings)
        data = replace(
            data, held_out=unrated(data.held_out, gone), standing=unrated(data.standing, gone)
        )
    contenders = {
        name: _contender(predictor, week, data, gone)
        for name, (predictor, week) in predictors.items()
    }
    noted = client.get_run(challenger.run_id).data.params.get("data_sha256")
    honest = audit(
        trained_on(artifact),
        data.ratings,
        {"held_out": data.held_out, "standing": data.standing},
        same_hash=noted == data.sha256,
    )
    verdict = decide(
        contenders["challenger"],
        contenders.get("champion"),
        contenders["floor"],
        honest,
        _thresholds(settings.promotion),
    )
    return contenders, verdict


def draw(client: MlflowClient, run_id: str, contenders: dict[str, Contender]) -> None:
    """Log both models beside each other to the challenger's run, where two were compared."""
    new, champion = contenders["challenger"].held_out, contenders.get("champion")
    if new and champion and champion.held_out:
        figure = plots.champion_against_challenger(new, champion.held_out)
        client.log_figure(run_id, figure, "plots/champion_against_challenger.png")


def decision_scores(contenders: dict[str, Contender], verdict: Verdict) -> dict[str, Any]:
    """Return every number behind the decision: all scores on both sets of rows, each rule."""

    def on(rows: str) -> dict[str, Any]:
        found = {name: getattr(contender, rows) for name, contender in contenders.items()}
        return {name: plain(scores) for name, scores in found.items() if scores}

    return {
        "held_out": on("held_out"),
        "standing": on("standing"),
        "rules": [asdict(rule) for rule in verdict.rules],
        "basis": verdict.basis,
        "ndcg_interval": verdict.interval,
        "rmse_gain_interval": verdict.rmse_gain,
    }


def trained_on(artifact: Artifact) -> pd.DataFrame:
    """Return the ratings that an artifact says it was trained on: userId, movieId, rating."""
    arrays = artifact.arrays
    return pd.DataFrame(
        {
            "userId": np.repeat(arrays.user_ids, np.diff(arrays.rated_offsets)),
            "movieId": arrays.movie_ids[arrays.rated_movies],
            "rating": arrays.rated_halves / 2,
        }
    )


def _fetch(registry: Registry, version: str) -> Artifact:
    """Read a registered version; its files are mapped, and go when they are no longer used."""
    with tempfile.TemporaryDirectory(prefix="cinematch-") as folder:
        return Artifact.read(registry.download(registry.release_of(version), Path(folder)))


def _contender(
    predictor: Predictor, week: datetime.date, data: TrainingData, gone: pd.DataFrame | None
) -> Contender:
    """Score a predictor on the rows of `data`; coverage is of today's catalogue."""

    def on(rows: pd.DataFrame) -> FoldScores:
        return evaluate_fold(
            predictor,
            rows,
            data.ratings,
            catalogue_size=len(data.movies),
            no_candidates=gone,
        )

    return Contender(week, on(data.held_out) if len(data.held_out) else None, on(data.standing))


def _thresholds(settings: PromotionSettings) -> Thresholds:
    return Thresholds(**settings.model_dump(exclude={"buffer_policy", "keep_versions"}))

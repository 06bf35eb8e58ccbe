"""What the API is compared with: FastAPI alone, and the first version's way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import surprise
from fastapi import FastAPI

from serving.http.schemas.recommendations import Recommendations, RecommendRequest
from serving.model.artifact import Artifact

CONSTANT = "CINEMATCH_BENCH_CONSTANT"
"""Variable that names a file with the one answer of the bare framework."""
MODEL = "CINEMATCH_BENCH_MODEL"
"""Variable that names the folder of the model that the first version's way serves."""


def bare() -> FastAPI:
    """Return FastAPI with one route: the request is validated, a constant is serialized."""
    app = FastAPI()
    text = Path(os.environ[CONSTANT]).read_text(encoding="utf-8")
    constant = Recommendations.model_validate(json.loads(text.replace("movieId", "movie_id")))

    @app.post("/recommend")
    async def recommend(_wish: RecommendRequest) -> Recommendations:
        return constant

    return app


def first_version() -> FastAPI:
    """Return an API that predicts one movie after the other, sorts, and looks up the titles."""
    app = FastAPI()
    artifact = Artifact.read(Path(os.environ[MODEL]))
    algorithm = surprise_model(artifact)
    movies = artifact.arrays.movie_ids.tolist()
    titles = dict(zip(movies, artifact.titles.to_pylist(), strict=True))

    @app.post("/recommend")
    def recommend(wish: dict[str, Any]) -> dict[str, Any]:
        predictions = [algorithm.predict(wish["user_id"], movie) for movie in movies]
        predictions.sort(key=lambda p: p.est, reverse=True)
        top = predictions[: wish["top_k"]]
        return {"recommendations": [{"title": titles[p.iid], "rating": p.est} for p in top]}

    return app


def surprise_model(artifact: Artifact) -> surprise.SVD:
    """Return Surprise's SVD with the factors of the rating head."""
    head: Any = artifact.rating
    users, movies = artifact.arrays.user_ids.tolist(), artifact.arrays.movie_ids.tolist()
    trainset = surprise.Trainset(
        ur=dict.fromkeys(range(len(users)), ()),
        ir=dict.fromkeys(range(len(movies)), ()),
        n_users=len(users),
        n_items=len(movies),
        n_ratings=artifact.info.n_ratings,
        rating_scale=(0.5, 5),
        raw2inner_id_users={user: row for row, user in enumerate(users)},
        raw2inner_id_items={movie: row for row, movie in enumerate(movies)},
    )
    trainset._global_mean = head.global_mean
    algorithm = surprise.SVD(n_factors=head.movie_factors.shape[1])
    algorithm.trainset = trainset
    algorithm.bu, algorithm.bi, algorithm.pu, algorithm.qi = (
        np.asarray(array, dtype=np.float64)
        for array in (head.user_bias, head.movie_bias, head.user_factors, head.movie_factors)
    )
    return algorithm

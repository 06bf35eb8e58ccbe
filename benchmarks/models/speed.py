"""Seconds and memory beside Surprise's own loops, both on the same ratings in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import surprise

from benchmarks.common.timing import GB, in_child, medians, memory_now, memory_peak, seconds
from benchmarks.models.quality import defaults
from cinematch_dagster.recommenders.algorithms import Hyperparameters
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.metrics import rmse
from cinematch_dagster.recommenders.ranking.als import Als
from cinematch_dagster.recommenders.ranking.popularity import fit_popularity
from cinematch_dagster.recommenders.ranking.top_n import make_lists
from cinematch_dagster.recommenders.rating.compiled_svd import descend
from cinematch_dagster.recommenders.rating.svd import Learnt, Svd, placed
from cinematch_dagster.recommenders.rating.trainset import RATING_SCALE, ArrayTrainset
from cinematch_dagster.recommenders.scorer import scorer
from serving.model.scoring.scorer import Scorer
from serving.model.scoring.top import best

OURS, SURPRISE = "ours", "surprise"
TOP: Final = 10
Figures = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is timed.

    Attributes:
        epochs: of SVD; the seconds are proportional to them.
        pairs: predicted in one evaluation.
        movies: of the catalogue that one user's list is made from.
        profile: ratings of the person who is folded in.
        sampled: users for whom Surprise's loop over all of them is timed.
        rounds: how often each way is timed, in turns.
        calls: of one user's list and of one fold-in, for their median.
    """

    epochs: int = 10
    pairs: int = 100_000
    movies: int = 60_000
    profile: int = 20
    sampled: int = 10
    rounds: int = 3
    calls: int = 300


def loading(ratings: Path, rounds: int) -> Figures:
    """Time the way from a frame to Surprise's training set, and its memory beyond the frame."""
    found: dict[str, list[tuple[float, float]]] = {OURS: [], SURPRISE: []}
    for _ in range(rounds):
        for way, results in found.items():
            results.append(in_child(_load, ratings, way))
    return {
        what: _pair({way: statistics.median(r[place] for r in all_) for way, all_ in found.items()})
        for place, what in enumerate(("seconds", "gb"))
    }


def _load(path: Path, way: str) -> tuple[float, float]:
    frame = pd.read_parquet(path)
    make = _arrays if way == OURS else _dataset
    make(frame.head(1_000))  # everything is imported by then
    before = memory_now()
    taken = seconds(lambda: make(frame))
    return taken, (memory_peak() - before) / GB


def _arrays(frame: pd.DataFrame) -> surprise.Trainset:
    columns = (frame[name].to_numpy() for name in ("userId", "movieId", "rating"))
    return ArrayTrainset(*columns)


def _dataset(frame: pd.DataFrame) -> surprise.Trainset:
    reader = surprise.Reader(rating_scale=RATING_SCALE)
    columns = frame[["userId", "movieId", "rating"]]
    return surprise.Dataset.load_from_df(columns, reader).build_full_trainset()


def fitting(ratings: pd.DataFrame, size: Size) -> Figures:
    """Time SVD's passes, then predictions of held out pairs: Surprise's, and ours of its model."""
    held_out = ratings.sample(min(size.pairs, len(ratings) // 10), random_state=0)
    interactions = Interactions.from_frame(ratings.drop(held_out.index))
    trainset, h = ArrayTrainset.of(interactions), defaults()
    algorithm = _surprise(h, size.epochs)
    _descend(trainset, h, 1)  # compiled by then
    fit = {
        OURS: lambda: seconds(lambda: _descend(trainset, h, size.epochs)),
        SURPRISE: lambda: seconds(lambda: algorithm.fit(trainset)),
    }
    figures: Figures = {"fit": _pair(medians(fit, size.rounds))}
    theirs = _scorer(interactions, trainset, _learnt(algorithm), h)
    ours = _scorer(interactions, trainset, _descend(trainset, h, size.epochs), h)
    triples = list(held_out[["userId", "movieId", "rating"]].itertuples(index=False, name=None))
    users, movies, stars = (held_out[c].to_numpy() for c in ("userId", "movieId", "rating"))
    evaluate = {
        OURS: lambda: seconds(lambda: rmse(stars, theirs.predict(users, movies))),
        SURPRISE: lambda: seconds(
            lambda: surprise.accuracy.rmse(algorithm.test(triples), verbose=False)
        ),
    }
    figures["evaluation"] = _pair(medians(evaluate, size.rounds))
    away = np.abs(ours.predict(users, movies) - theirs.predict(users, movies))
    return figures | {"pairs": len(held_out), "largest_difference": float(away.max())}


def one_user(size: Size) -> Figures:
    """Time one user's list out of a large catalogue, and one fold-in, a call at a time.

    The ratings are random: the time does not depend on them. Surprise predicts every movie and
    sorts; the platform scores the catalogue with its ranking head, fold-in included, and picks.
    """
    ratings = _random(size)
    interactions, h = Interactions.from_frame(ratings), defaults()
    trainset = ArrayTrainset.of(interactions)
    algorithm = _surprise(h, 1).fit(trainset)
    ranking = _quick().fit(interactions, h.seed)
    rating = placed(_learnt(algorithm), trainset, interactions, _svd(h).regularization)
    movies = interactions.movie_ids
    profiles = [interactions.profiles.take(np.array([u])) for u in range(size.calls)]
    users = interactions.user_ids[: size.sampled].tolist()
    lists = {
        OURS: _p50(lambda p: best(ranking.scores(p)[0], TOP), profiles),
        SURPRISE: _p50(lambda u: _surprise_list(algorithm, u, movies), users),
    }
    return {
        "movies": size.movies,
        "list": _pair(lists),
        "stars_fold_in": _p50(rating.fold_in, profiles),
        "order_fold_in": _p50(ranking.vectors, profiles),
    }


def all_users(ratings: pd.DataFrame, size: Size) -> Figures:
    """Time everybody's list, with reasons; Surprise's loop for some, extrapolated to all.

    What users have rated is left out both ways.
    """
    interactions, h = Interactions.from_frame(ratings), defaults()
    algorithm = _surprise(h, 1).fit(ArrayTrainset.of(interactions))
    ranking = _quick().fit(interactions, h.seed)
    rated = interactions.movie_ids[interactions.movie_counts > 0]
    sampled = np.linspace(0, len(interactions.user_ids) - 1, size.sampled).astype(int)

    def loop() -> None:
        for row in sampled.tolist():
            seen = interactions.movie_ids[interactions.profiles.rated(row)]
            _surprise_list(algorithm, interactions.user_ids[row], np.setdiff1d(rated, seen))

    ways = {
        OURS: lambda: seconds(lambda: make_lists(interactions, ranking, TOP)),
        SURPRISE: lambda: seconds(loop) * len(interactions.user_ids) / len(sampled),
    }
    counts = {"users": len(interactions.user_ids), "movies": len(rated)}
    return {"lists": _pair(medians(ways, size.rounds)), **counts}


def _pair(found: Mapping[str, float]) -> Figures:
    """Return what both ways took, and how many times more Surprise's did."""
    return {**found, "ratio": found[SURPRISE] / max(found[OURS], 1e-9)}


def _p50(work: Callable[[Any], object], arguments: list[Any]) -> float:
    work(arguments[0])
    return statistics.median(seconds(lambda a=a: work(a)) for a in arguments)  # type: ignore[misc]


def _surprise(h: Hyperparameters, epochs: int) -> Any:
    return surprise.SVD(
        n_factors=_svd(h).factors,
        n_epochs=epochs,
        lr_all=_svd(h).learning_rate,
        reg_all=_svd(h).regularization,
        init_std_dev=_svd(h).init_std,
        random_state=h.seed,
    )


def _descend(trainset: ArrayTrainset, h: Hyperparameters, epochs: int) -> Learnt:
    steps = _svd(h).learning_rate, _svd(h).regularization, _svd(h).init_std
    return Learnt(*descend(trainset, _svd(h).factors, epochs, *steps, h.seed, "float32"))


def _learnt(algorithm: Any) -> Learnt:
    return Learnt(algorithm.bu, algorithm.bi, algorithm.pu, algorithm.qi)


def _scorer(
    interactions: Interactions, trainset: ArrayTrainset, learnt: Learnt, h: Hyperparameters
) -> Scorer:
    rating = placed(learnt, trainset, interactions, _svd(h).regularization)
    return scorer(interactions, rating, fit_popularity(interactions, half_life_days=365.0))


def _surprise_list(algorithm: Any, user: int, movies: npt.NDArray[np.integer]) -> list[Any]:
    predictions = [algorithm.predict(user, movie) for movie in movies.tolist()]
    return sorted(predictions, key=lambda p: p.est, reverse=True)[:TOP]


def _svd(h: Hyperparameters) -> Svd:
    if not isinstance(h.rating, Svd):
        raise TypeError(f"the default rating head is {h.rating.algorithm}: svd was expected")
    return h.rating


def _quick() -> Als:
    """Return the default sizes with one alternation: scoring takes as long."""
    return Als(iterations=1)


def _random(size: Size) -> pd.DataFrame:
    """Return ratings, `size.profile` by each user, in which each movie is rated."""
    random = np.random.default_rng(0)
    n_users = max(size.calls, -(-size.movies // size.profile))
    offsets = random.integers(size.movies, size=n_users)[:, np.newaxis]
    steps = np.arange(size.profile) * (size.movies // size.profile)
    drawn = (offsets + steps) % size.movies
    every = np.arange(n_users * size.profile).reshape(drawn.shape) % size.movies
    return pd.DataFrame(
        {
            "userId": np.repeat(np.arange(2 * n_users), size.profile).astype(np.int32),
            "movieId": np.concatenate((drawn, every)).ravel().astype(np.int32),
            "rating": random.integers(1, 11, 2 * drawn.size).astype(np.float32) / 2,
            "timestamp": np.zeros(2 * drawn.size, dtype=np.int64),
        }
    )

"""What is made of movies that nobody rated: a tenth of all movies, hidden from training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from cinematch_dagster.recommenders.algorithm import RankingAlgorithm, RatingAlgorithm
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.recommenders.evaluation import random_split
from cinematch_dagster.recommenders.evaluation.predictor import Scorer as Order
from cinematch_dagster.recommenders.evaluation.ranking import Ranked, rank, relevant_pairs
from cinematch_dagster.recommenders.features import movie_features
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.metrics import hit, ndcg, rmse
from cinematch_dagster.recommenders.ranking.cold_start import ColdStart
from cinematch_dagster.recommenders.ranking.popularity import Popularity
from cinematch_dagster.recommenders.rating.knn_baseline import Baseline
from cinematch_dagster.recommenders.scorer import scorer
from serving.model.id_index import find_all
from serving.model.scoring.scorer import Scorer

HIDDEN_SHARE: Final = 0.1
TEST_SHARE: Final = 0.1
Figures = dict[str, float]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Chance:
    """Any order of some movies, drawn for each user."""

    movie_ids: npt.NDArray[np.int32]
    candidates: Mask
    random: np.random.Generator

    def predict(self, user_ids: npt.NDArray[np.integer], _: object) -> npt.NDArray[np.float32]:
        """Return nothing of interest."""
        return np.zeros(len(user_ids), dtype=np.float32)

    def scores(self, user_ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """Return random scores of the candidates, -inf for all others."""
        drawn = self.random.random((len(user_ids), len(self.movie_ids)), dtype=np.float32)
        return np.where(self.candidates, drawn, np.float32(-np.inf))


@dataclass(frozen=True)
class Hidden:
    """Ratings without those of the hidden movies, and these.

    Attributes:
        interactions: trained on; the catalogue has the hidden movies, too.
        train: the same as a frame.
        test: not trained on, of movies that are not hidden.
        new: every rating of a hidden movie by a user of `train`.
        hidden: which movies of the catalogue are hidden.
    """

    interactions: Interactions
    train: pd.DataFrame
    test: pd.DataFrame
    new: pd.DataFrame
    hidden: Mask

    @classmethod
    def of(cls, ratings: pd.DataFrame, seed: int) -> Hidden:
        """Hide movies by chance, and split what is left."""
        catalogue = np.unique(ratings["movieId"].to_numpy())
        size = max(1, int(len(catalogue) * HIDDEN_SHARE))
        drawn = np.random.default_rng(seed).choice(catalogue, size, replace=False)
        new = ratings["movieId"].isin(drawn)
        train, test = random_split(ratings[~new], TEST_SHARE, seed)
        interactions = Interactions.from_frame(train, catalogue)
        known = ratings["userId"].isin(interactions.user_ids)
        return cls(interactions, train, test, ratings[new & known], np.isin(catalogue, drawn))


def heads(name: str) -> tuple[RatingAlgorithm, RankingAlgorithm]:
    """Return an algorithm with its defaults, and the cheapest one for the other head."""
    rating, ranking = RATING_HEADS.get(name, Baseline), RANKING_HEADS.get(name, Popularity)
    return rating.model_validate({}), ranking.model_validate({})


def measure_cold(algorithm: str, ratings: pd.DataFrame, movies: pd.DataFrame, seed: int) -> Figures:
    """Fit one algorithm without the hidden movies, and look at what is guessed of them.

    Stars: the error on their ratings, without and with the guess. Order: for the users who liked
    some of them, their order of the hidden movies; and what guesses do to everybody's lists.
    """
    data = Hidden.of(ratings, seed)
    catalogue = movies.set_index("movieId").reindex(data.interactions.movie_ids)
    features = movie_features(catalogue["title"].fillna(""), catalogue["genres"].fillna(""))
    guesses = ColdStart.of(features, data.interactions.movie_counts)
    stars = algorithm in RATING_HEADS
    chosen, order = heads(algorithm)
    rating, ranking = chosen.fit(data.interactions, seed), order.fit(data.interactions, seed)
    without = scorer(data.interactions, rating, ranking)
    guessed = scorer(data.interactions, guesses.into(rating), guesses.into(ranking))
    guessed = replace(guessed, candidates=np.ones_like(guessed.candidates))
    return _stars(data, without, guessed) if stars else _order(data, without, guessed, seed)


def _stars(data: Hidden, without: Scorer, guessed: Scorer) -> Figures:
    users, movies, stars = (data.new[c].to_numpy() for c in ("userId", "movieId", "rating"))
    return {
        "cold_rmse_without": rmse(stars, without.predict(users, movies)),
        "cold_rmse": rmse(stars, guessed.predict(users, movies)),
    }


def _order(data: Hidden, without: Scorer, guessed: Scorer, seed: int) -> Figures:
    liked, later = (relevant_pairs(rows, data.train) for rows in (data.new, data.test))
    among = rank(replace(guessed, candidates=data.hidden), liked, data.train)
    random = np.random.default_rng(seed)
    by_chance = rank(Chance(guessed.movie_ids, data.hidden, random), liked, data.train)
    lists = rank(guessed, later, data.train)
    return {
        "cold_place": _place(among, guessed, data.hidden),
        "cold_ndcg": _ndcg(among),
        "cold_ndcg_chance": _ndcg(by_chance),
        "cold_hit_rate": float(hit(among.hits).mean()),
        "cold_hit_rate_chance": float(hit(by_chance.hits).mean()),
        "cold_listed": float(np.isin(lists.lists, guessed.movie_ids[data.hidden]).mean()),
        "warm_ndcg_without": _ndcg(rank(without, later, data.train)),
        "warm_ndcg": _ndcg(lists),
    }


def _ndcg(ranked: Ranked) -> float:
    return float(ndcg(ranked.hits, ranked.relevant).mean())


def _place(ranked: Ranked, order: Order, hidden: Mask) -> float:
    """Return where liked movies stand among the hidden: 1 the best, 0 the last, mean of users."""
    columns = find_all(order.movie_ids[hidden], (ranked.wanted & 0xFFFFFFFF).astype(np.int32))
    rows = np.searchsorted(ranked.users, ranked.wanted >> 32)
    places = (rankdata(order.scores(ranked.users)[:, hidden], axis=1) - 1) / (hidden.sum() - 1)
    sums = np.bincount(rows, places[rows, columns])
    return float((sums / ranked.relevant).mean())

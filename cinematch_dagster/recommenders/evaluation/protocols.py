"""How a predictor is tested: as it is, or with what users have rated since folded in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.recommenders.evaluation.predictor import Predictor, Scorer
from cinematch_dagster.recommenders.evaluation.ranking import Ranked, rank, relevant_pairs
from cinematch_dagster.recommenders.evaluation.scores import FoldScores, RankingScores
from cinematch_dagster.recommenders.evaluation.slices import slice_masks
from cinematch_dagster.recommenders.evaluation.splits import halves
from cinematch_dagster.recommenders.evaluation.summary import by_user, rating_scores, slice_scores
from cinematch_dagster.recommenders.metrics import (
    average_precision,
    coverage,
    diversity,
    novelty,
    popularity_bias,
    reciprocal_rank,
)
from cinematch_dagster.recommenders.metrics.rating import errors
from serving.model.id_index import find_all

Vectors = npt.NDArray[np.floating]


def evaluate_static(
    predictor: Scorer,
    test: pd.DataFrame,
    known: pd.DataFrame,
    *,
    vectors: Vectors | None = None,
    seed: int = 0,
) -> FoldScores:
    """Score a predictor without folding anything in.

    Behind a cut in time this measures cold start above all: look at the slices.

    Args:
        predictor: trained on `known`, or on some of it.
        test: ratings frame that it was not trained on.
        known: the ratings at the cut; no candidates, and what cold and popular mean.
        vectors: of the predictor's catalogue for `diversity`, (n_movies, g); none, no such figure.
        seed: of the bootstrap.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    return _score(predictor, test, known, known, vectors, len(predictor.movie_ids), seed)


def evaluate_fold(
    predictor: Predictor,
    test: pd.DataFrame,
    known: pd.DataFrame,
    *,
    vectors: Vectors | None = None,
    catalogue_size: int | None = None,
    no_candidates: pd.DataFrame | None = None,
    seed: int = 0,
) -> FoldScores:
    """Score a predictor by the fold protocol: what it makes of users once they have rated.

    Each test user's known ratings and the earlier half of the test ratings are folded in, the movie
    side stays as trained; the later half is predicted, and to be found in the catalogue. Two
    predictors that are given the same `known` and `test` stand at the same cut, whatever each was
    trained on.

    Args:
        predictor: trained on `known`, on some of it, or on that and `no_candidates`.
        test: ratings frame held out from it, in time order within each user.
        known: the ratings at the cut, of all users: those of test users are folded in, and all say
            what cold, popular and novel mean.
        vectors: as in `evaluate_static`.
        catalogue_size: movies that coverage is a share of; None for those the predictor knows. Two
            predictors that know different movies are compared by the same number.
        no_candidates: userId and movieId of what is never to be found, beside what is known: of
            two predictors that are compared, what one was trained on and `known` lacks.
        seed: of the bootstrap.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    support, target = halves(test)
    profiles = pd.concat([known[known["userId"].isin(test["userId"])], support])
    folded = fold_in(predictor, profiles)
    at_the_cut = pd.concat([known, support])
    size = catalogue_size or len(folded.movie_ids)
    return _score(folded, target, known, at_the_cut, vectors, size, seed, no_candidates)


def fold_in(predictor: Predictor, profiles: pd.DataFrame) -> Scorer:
    """Fold in a ratings frame; of a pair's ratings the last one counts."""
    last = profiles.drop_duplicates(["userId", "movieId"], keep="last")
    return predictor.fold_in(
        last["userId"].to_numpy(), last["movieId"].to_numpy(), last["rating"].to_numpy()
    )


def _score(
    predictor: Scorer,
    target: pd.DataFrame,
    trained: pd.DataFrame,
    known: pd.DataFrame,
    vectors: Vectors | None,
    catalogue_size: int,
    seed: int,
    no_candidates: pd.DataFrame | None = None,
) -> FoldScores:
    predicted = predictor.predict(target["userId"].to_numpy(), target["movieId"].to_numpy())
    wrong = errors(target["rating"].to_numpy(), predicted)
    gone = no_candidates is not None and len(no_candidates) > 0
    rated = pd.concat([known, no_candidates]) if gone else known
    ranked = rank(predictor, relevant_pairs(target, rated), rated)
    beyond = _beyond(ranked, predictor.movie_ids, trained, vectors, catalogue_size)
    return FoldScores(
        rating=rating_scores(target, wrong),
        ranking=RankingScores(
            users=ranked.users,
            **by_user(ranked),
            coverage=beyond.pop("coverage"),
            novelty=beyond.pop("novelty"),
        ),
        slices=slice_scores(target, wrong, ranked, slice_masks(target, trained, known), seed),
        figures=beyond,
    )


def _beyond(
    ranked: Ranked,
    movie_ids: npt.NDArray[np.int32],
    trained: pd.DataFrame,
    vectors: Vectors | None,
    catalogue_size: int,
) -> dict[str, float]:
    """Return the means of what no slice has."""
    lists = find_all(movie_ids, ranked.lists)
    rated = find_all(movie_ids, trained["movieId"].to_numpy())
    counts = np.bincount(rated[rated >= 0], minlength=len(movie_ids))
    per_user = {
        "map_at_10": average_precision(ranked.hits, ranked.relevant),
        "mrr_at_10": reciprocal_rank(ranked.hits),
        "novelty": novelty(lists, counts, trained["userId"].nunique()),
        "popularity_bias": popularity_bias(lists, counts),
    }
    if vectors is not None:
        per_user["diversity"] = diversity(lists, vectors)
    figures = {name: _mean(values) for name, values in per_user.items()}
    return figures | {"coverage": coverage(lists, catalogue_size)}


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean of the users for whom there is a figure, 0 without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0

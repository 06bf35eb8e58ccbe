import tomllib

import numpy as np
import optuna
import pandas as pd
import pytest

from cinematch_dagster.recommenders.algorithm import RankingAlgorithm, RatingAlgorithm
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.recommenders.evaluation import evaluate_fold
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.als import Als
from cinematch_dagster.recommenders.ranking.ease import Ease
from cinematch_dagster.recommenders.ranking.item_knn import ItemKnn
from cinematch_dagster.recommenders.ranking.popularity import Popularity
from cinematch_dagster.recommenders.rating.knn_baseline import Baseline, KnnBaseline
from cinematch_dagster.recommenders.rating.svd import Svd
from cinematch_dagster.recommenders.rating.svdpp import Svdpp
from cinematch_dagster.recommenders.scorer import scorer
from cinematch_dagster.recommenders.tuning.search import (
    CUTS,
    Objective,
    Pruned,
    TuningError,
    as_toml,
    time_folds,
)
from cinematch_dagster.settings import TrainingSettings

QUICK: list[RatingAlgorithm | RankingAlgorithm] = [
    Svd(factors=20, epochs=20), Svdpp(epochs=10), KnnBaseline(),
    Als(factors=32, iterations=5), Ease(), ItemKnn(), Popularity(),
]  # fmt: skip
NAMES = [quick.algorithm for quick in QUICK]


@pytest.fixture(scope="module")
def ratings() -> pd.DataFrame:
    """600 ratings of 30 users and 40 movies, in the order of time; tastes differ."""
    random = np.random.default_rng(0)
    pairs = random.permutation(30 * 40)[:600]
    users, movies = pairs // 40 + 1, pairs % 40 + 1
    liked = (users % 2 == movies % 2) + random.random(600)
    return pd.DataFrame(
        {
            "userId": users.astype(np.int32),
            "movieId": movies.astype(np.int32),
            "rating": np.clip(np.round(liked * 4) / 2 + 1, 0.5, 5).astype(np.float32),
            "timestamp": 1_000_000 + 60 * np.arange(600),
        }
    )


def objective(ratings: pd.DataFrame, present: RatingAlgorithm | RankingAlgorithm) -> Objective:
    return Objective(present, 42, time_folds(ratings))


def test_every_algorithm_but_one_is_searched() -> None:
    kinds = {**RATING_HEADS, **RANKING_HEADS}
    assert {name for name, kind in kinds.items() if kind.search} == set(kinds) - {"baseline"}
    assert set(NAMES) == set(kinds) - {"baseline"}


def test_what_ships_is_in_the_ranges(ratings: pd.DataFrame) -> None:
    for quick in QUICK:
        assert objective(ratings, quick.model_validate({})).is_current_in_range
    assert not objective(ratings, Svd(factors=1_000)).is_current_in_range


def test_another_seed_or_another_fixed_value_is_another_study(ratings: pd.DataFrame) -> None:
    folds = time_folds(ratings)
    study = Objective(Svd(), 42, folds).fixed_sha256
    assert Objective(Svd(factors=7), 42, folds).fixed_sha256 == study
    assert Objective(Svd(init_std=0.5), 42, folds).fixed_sha256 != study
    assert Objective(Svd(), 43, folds).fixed_sha256 != study


def test_folds_are_tested_on_what_follows_their_training_rows(ratings: pd.DataFrame) -> None:
    folds = time_folds(ratings)
    assert [len(fold.train) for fold in folds] == [round(600 * share) for share in CUTS]
    assert [len(fold.test) for fold in folds] == [60, 60, 60]
    for fold in folds:
        assert fold.train["timestamp"].max() < fold.test["timestamp"].min()
    assert folds[-1].test.index[-1] == ratings.index[-1]


def test_too_few_ratings_and_an_algorithm_without_hyperparameters_are_refused(
    ratings: pd.DataFrame,
) -> None:
    with pytest.raises(TuningError, match="99 training ratings are too few"):
        time_folds(ratings[:99])
    with pytest.raises(TuningError, match="'baseline' has nothing to tune: one of svd, "):
        objective(ratings, Baseline())


@pytest.mark.parametrize("quick", QUICK, ids=NAMES)
def test_a_fold_is_worth_what_the_fold_protocol_says(
    ratings: pd.DataFrame, quick: RatingAlgorithm | RankingAlgorithm
) -> None:
    tuned = objective(ratings, quick)
    fold, stars = tuned.folds[0], isinstance(quick, RatingAlgorithm)
    interactions = Interactions.from_frame(fold.train)
    rating = (quick if isinstance(quick, RatingAlgorithm) else Baseline()).fit(interactions, 42)
    other = quick if isinstance(quick, RankingAlgorithm) else Popularity()
    ranking = other.fit(interactions, 42)
    found = evaluate_fold(scorer(interactions, rating, ranking), fold.test, fold.train)
    expected = found.rating.rmse if stars else float(found.ranking.ndcg_at_10.mean())
    assert tuned.measure(quick, fold) == pytest.approx(expected, rel=1e-6)
    assert (tuned.metric, tuned.direction) == (
        ("rmse", "minimize") if stars else ("ndcg_at_10", "maximize")
    )


def test_the_same_choice_is_worth_the_same_and_the_mean_of_its_folds(
    ratings: pd.DataFrame,
) -> None:
    tuned = objective(ratings, QUICK[0])
    chosen = optuna.trial.FixedTrial(tuned.current)
    value = tuned(chosen)
    assert value == tuned(optuna.trial.FixedTrial(tuned.current))
    folds = [tuned.measure(tuned.present, fold) for fold in tuned.folds]
    assert value == pytest.approx(np.mean(folds))


def test_a_hopeless_trial_is_given_up_before_its_last_fold(ratings: pd.DataFrame) -> None:
    class Hopeless(optuna.trial.FixedTrial):
        steps = 0

        def report(self, value: float, step: int) -> None:
            assert np.isfinite(value)
            self.steps = step + 1

        def should_prune(self) -> bool:
            return self.steps == 2

    trial = Hopeless(objective(ratings, QUICK[0]).current)
    with pytest.raises(Pruned):
        objective(ratings, QUICK[0])(trial)
    assert trial.steps == 2


def test_the_lines_for_a_profile_are_settings() -> None:
    text = as_toml("rating", "svd", {"factors": 120, "learning_rate": 0.00351})
    assert text == (
        '[training.rating]\nalgorithm = "svd"\nfactors = 120\nlearning_rate = 0.00351\n'
    )
    read = TrainingSettings.model_validate(tomllib.loads(text)["training"]).rating
    assert read == Svd(factors=120, learning_rate=0.00351)
    lines = tomllib.loads(as_toml("ranking", "als", {"alpha": 1e-05}))
    assert lines["training"]["ranking"] == {"algorithm": "als", "alpha": 1e-05}

import tomllib
from dataclasses import replace

import numpy as np
import optuna
import pandas as pd
import pytest

from cinematch_dagster.recommenders.algorithms import (
    RANKING_HEADS,
    RATING_HEADS,
    Hyperparameters,
)
from cinematch_dagster.recommenders.evaluation import evaluate_fold
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.scorer import scorer
from cinematch_dagster.recommenders.tuning.search import (
    CUTS,
    SEARCH,
    Objective,
    Pruned,
    TuningError,
    as_toml,
    time_folds,
)
from cinematch_dagster.settings import TrainingSettings

QUICK = TrainingSettings(
    svd_factors=20, svd_epochs=20, als_factors=32, als_iterations=5, svdpp_epochs=10
)


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


def objective(ratings: pd.DataFrame, algorithm: str) -> Objective:
    settings = QUICK.model_dump(exclude={"held_out_share"})
    return Objective(algorithm, Hyperparameters(**settings), time_folds(ratings))


def test_every_algorithm_is_searched_over_settings_that_it_has() -> None:
    assert set(SEARCH) == {*RATING_HEADS, *RANKING_HEADS} - {"baseline"}
    for algorithm, ranges in SEARCH.items():
        for name, found in ranges.items():
            assert name.startswith(algorithm.removesuffix("_baseline"))
            for bound in (found.low, found.high):
                TrainingSettings.model_validate({name: bound})


def test_what_ships_is_in_the_ranges(ratings: pd.DataFrame) -> None:
    shipped = Hyperparameters(**TrainingSettings().model_dump(exclude={"held_out_share"}))
    for algorithm in SEARCH:
        assert Objective(algorithm, shipped, time_folds(ratings)).is_current_in_range
    far = replace(shipped, svd_factors=1_000)
    assert not Objective("svd", far, time_folds(ratings)).is_current_in_range


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
        objective(ratings, "baseline")


@pytest.mark.parametrize("algorithm", sorted(SEARCH))
def test_a_fold_is_worth_what_the_fold_protocol_says(ratings: pd.DataFrame, algorithm: str) -> None:
    tuned = objective(ratings, algorithm)
    fold, h = tuned.folds[0], tuned.hyperparameters
    stars = algorithm in RATING_HEADS
    interactions = Interactions.from_frame(fold.train)
    rating = RATING_HEADS[algorithm if stars else "baseline"](interactions, h)
    ranking = RANKING_HEADS["popularity" if stars else algorithm](interactions, h)
    found = evaluate_fold(scorer(interactions, rating, ranking), fold.test, fold.train)
    expected = found.rating.rmse if stars else float(found.ranking.ndcg_at_10.mean())
    assert tuned.measure(h, fold) == pytest.approx(expected, rel=1e-6)
    assert (tuned.metric, tuned.direction) == (
        ("rmse", "minimize") if stars else ("ndcg_at_10", "maximize")
    )


def test_the_same_choice_is_worth_the_same_and_the_mean_of_its_folds(
    ratings: pd.DataFrame,
) -> None:
    tuned = objective(ratings, "svd")
    chosen = optuna.trial.FixedTrial(tuned.current)
    value = tuned(chosen)
    assert value == tuned(optuna.trial.FixedTrial(tuned.current))
    folds = [tuned.measure(tuned.hyperparameters, fold) for fold in tuned.folds]
    assert value == pytest.approx(np.mean(folds))


def test_a_hopeless_trial_is_given_up_before_its_last_fold(ratings: pd.DataFrame) -> None:
    class Hopeless(optuna.trial.FixedTrial):
        steps = 0

        def report(self, value: float, step: int) -> None:
            assert np.isfinite(value)
            self.steps = step + 1

        def should_prune(self) -> bool:
            return self.steps == 2

    trial = Hopeless(objective(ratings, "svd").current)
    with pytest.raises(Pruned):
        objective(ratings, "svd")(trial)
    assert trial.steps == 2


def test_the_lines_for_a_profile_are_settings() -> None:
    text = as_toml({"svd_factors": 120, "svd_learning_rate": 0.00351})
    assert text == "[training]\nsvd_factors = 120\nsvd_learning_rate = 0.00351\n"
    assert TrainingSettings(**tomllib.loads(text)["training"]).svd_factors == 120
    assert tomllib.loads(as_toml({"als_alpha": 1e-05}))["training"] == {"als_alpha": 1e-05}

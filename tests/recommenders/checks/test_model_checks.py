import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.recommenders.checks.model_checks import (
    answers_everybody,
    beats_baseline,
    check_model,
)
from cinematch_dagster.recommenders.evaluation import Scores, evaluate_static
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.fit import Trained, fit
from serving.model import Model
from serving.model.selfcheck import check
from tests.recommenders.frames import SMALL, TRAINED_AT, WEEK, movies_frame, ratings_frame
from tests.serving.hand_made import change_arrays, saved_arrays

NAMES = [
    "predictions_in_range",
    "beats_baseline",
    "answers_everybody",
    "leaves_out_rated",
    "same_in_any_order",
    "more_stars_raise_similar",
    "genre_finds_its_kind",
]
GENRES = pd.Series({2: "Comedy"})


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "model"))


def failed(folder: Path, training: pd.DataFrame, scores: Scores) -> list[str]:
    baseline = replace(scores, rmse=scores.rmse + 0.1)
    checks = check_model(Model.load(folder), training, GENRES, scores, baseline)
    assert [check.name for check in checks] == NAMES
    return [check.name for check in checks if not check.passed]


@pytest.fixture
def scores(model: Model, ratings: pd.DataFrame) -> Scores:
    return Scores.of(evaluate_static(model, ratings, ratings))


def change(folder: Path, name: str, index: Any, value: float) -> None:
    array = saved_arrays(folder)[name]
    array[index] = value
    change_arrays(folder, **{name: array})


def test_a_good_model_passes(folder: Path, ratings: pd.DataFrame, scores: Scores) -> None:
    assert failed(folder, ratings, scores) == []


def test_a_rated_movie_in_a_list_is_found(
    folder: Path, ratings: pd.DataFrame, scores: Scores
) -> None:
    rated = int(saved_arrays(folder)["rated_movies"][0])
    change(folder, "list_movies", (0, 3), rated + 1)
    assert failed(folder, ratings, scores) == ["leaves_out_rated"]


def test_a_prediction_that_overflows_is_found(
    folder: Path, ratings: pd.DataFrame, scores: Scores
) -> None:
    rated = int(saved_arrays(folder)["rated_movies"][0])
    change(folder, "rating_user_factors", 0, 6e4)
    change(folder, "rating_movie_factors", (rated, slice(0, 2)), 3e38)
    change(folder, "rating_movie_factors", (rated, slice(2, 4)), -3e38)
    with np.errstate(over="ignore", invalid="ignore"):
        assert "predictions_in_range" in failed(folder, ratings, scores)


def test_stars_that_run_away_are_found_though_they_are_cut(
    folder: Path, ratings: pd.DataFrame, scores: Scores
) -> None:
    change(folder, "rating_user_bias", 0, 1e6)
    assert "predictions_in_range" in failed(folder, ratings, scores)


def test_a_user_who_has_rated_everything_is_no_fault(tmp_path: Path) -> None:
    frame = ratings_frame(*((1, movie, 4.0) for movie in range(10, 16)), (2, 10, 5.0), (3, 11, 1.0))
    export(fit(frame, movies_frame(), SMALL), tmp_path, week=WEEK, trained_at=TRAINED_AT)
    model = Model.load(tmp_path)
    assert model.recommend(1, 10).recommendations == ()
    assert (model.left(1), model.left(2), model.left(-1)) == (0, 5, 6)
    check(model)
    found = answers_everybody(model)
    assert found.passed
    assert found.detail == "5 movies for a known user, 6 for an unknown one."


def test_a_user_without_a_list_is_found(folder: Path) -> None:
    change(folder, "list_movies", 0, 0)
    check = answers_everybody(Model.load(folder))
    assert not check.passed
    assert check.detail == "0 movies for a known user, 10 for an unknown one."


@pytest.mark.parametrize(("rmse", "passed"), [(0.9, True), (1.0, False), (1.1, False)])
def test_a_model_has_to_beat_the_sanity_floor(rmse: float, passed: bool, scores: Scores) -> None:
    check = beats_baseline(replace(scores, rmse=rmse), replace(scores, rmse=1.0))
    assert check.passed is passed
    assert check.detail == f"RMSE {rmse:.4f}, the baseline predictor's 1.0000."


def test_on_its_training_data_a_model_beats_the_sanity_floor(
    trained: Trained, scores: Scores, ratings: pd.DataFrame
) -> None:
    assert scores.rmse < evaluate_static(trained.baseline, ratings, ratings).rating.rmse

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.movielens import load, movie_features

SAMPLE = Path(__file__).parents[2] / "data"


def movies(*genres: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "movieId": np.arange(1, len(genres) + 1),
            "title": [f"Movie {n} (2000)" for n in range(1, len(genres) + 1)],
            "genres": genres,
        }
    )


def vectors(frame: pd.DataFrame) -> np.ndarray:
    return np.array(frame["pca_features"].tolist())


def test_two_genres_that_exclude_each_other_are_one_axis() -> None:
    # Multi-hot rows (1, 0) and (0, 1), centred: ±(1/2, -1/2), of length 1/√2 on the one axis.
    frame, explained = movie_features(movies("Action", "Action", "Drama", "Drama"))
    first = vectors(frame)[:, 0]
    assert np.abs(first) == pytest.approx([0.5**0.5] * 4, abs=1e-6)
    assert first[0] == first[1] == -first[2] == -first[3]
    assert explained == pytest.approx([1.0] + [0.0] * 9)


def test_a_component_points_towards_its_largest_loading() -> None:
    # Drama varies most and alone loads the first component: with it the score is positive.
    frame, _ = movie_features(movies("Drama", "(no genres listed)", "Drama", None, "Drama|War"))
    first = vectors(frame)[:, 0]
    assert (first[[0, 2, 4]] > 0).all()
    assert (first[[1, 3]] < 0).all()


def test_no_genres_is_not_a_genre() -> None:
    some = movies("Drama", "War", "(no genres listed)", None, "")
    got = vectors(movie_features(some).frame)
    assert (got[2] == got[3]).all()
    assert (got[2] == got[4]).all()
    centre = np.array([0.2, 0.2])  # of the multi-hot columns Drama and War
    assert np.linalg.norm(got[2]) == pytest.approx(np.linalg.norm(centre), abs=1e-6)


@pytest.mark.parametrize("genres", ["", None, "(no genres listed)", "Drama", "Drama|War"])
@pytest.mark.parametrize("n", [1, 3])
def test_genres_that_never_differ_are_zeros(genres: str | None, n: int) -> None:
    frame, explained = movie_features(movies(*[genres] * n))
    assert vectors(frame).tolist() == [[0.0] * 10] * n
    assert explained.tolist() == [0.0] * 10


def test_the_same_genres_give_the_same_vector_in_any_order() -> None:
    frame, _ = movie_features(movies("Drama|War", "Comedy", "War|Drama", "Comedy|War", "Drama|War"))
    got = vectors(frame)
    assert (got[0] == got[2]).all()
    assert (got[0] == got[4]).all()
    assert (got[0] != got[1]).any()


def test_movies_come_by_id_whatever_their_order() -> None:
    some = movies("Drama|War", "Comedy", "Drama", "Comedy|War")
    expected, _ = movie_features(some)
    found, _ = movie_features(some[::-1])
    pd.testing.assert_frame_equal(found, expected)
    assert list(found) == ["movieId", "title", "genres", "pca_features"]
    assert found["movieId"].tolist() == [1, 2, 3, 4]


def test_sample_movies_have_ten_floats_and_equal_genres_equal_vectors() -> None:
    raw = load("sample", SAMPLE).movies
    frame, explained = movie_features(raw)
    got = vectors(frame)
    assert got.shape == (9125, 10)
    assert np.isfinite(got).all()
    by_set = frame["genres"].map(lambda text: tuple(sorted(text.split("|"))))
    distinct = pd.DataFrame(got).groupby(by_set).nunique()
    assert (distinct == 1).all(axis=None)
    assert explained.shape == (10,)
    assert (np.diff(explained) <= 0).all()
    assert explained.sum() == pytest.approx(0.8356, abs=5e-5)


def test_sample_features_are_the_leading_axes_of_the_covariance() -> None:
    frame, explained = movie_features(load("sample", SAMPLE).movies)
    hot = frame["genres"].str.get_dummies("|").drop(columns="(no genres listed)").to_numpy(float)
    centred = hot - hot.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred / (len(hot) - 1))
    axes = axes[:, ::-1][:, :10]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), range(10)])
    assert vectors(frame) == pytest.approx(centred @ axes, abs=1e-6)
    assert explained == pytest.approx(values[::-1][:10] / values.sum())

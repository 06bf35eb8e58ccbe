"""The protocols on hand-made predictors, and their intervals against scipy's."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from scipy import stats
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from cinematch_dagster.recommenders.evaluation import (
    FoldScores,
    evaluate_fold,
    evaluate_sequential,
    evaluate_static,
    halves,
    random_split,
)
from cinematch_dagster.recommenders.evaluation.bootstrap import (
    percentile_interval,
    resampled_sums,
)
from cinematch_dagster.recommenders.evaluation.slices import slice_masks
from cinematch_dagster.recommenders.evaluation.standing import Scores
from cinematch_dagster.recommenders.fit import Trained
from serving.model import Model
from tests.recommenders.frames import random_ratings, ratings_frame, ratings_frames

Ids = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float32]


class LastStars:
    """Predicts 3 stars, or the mean of what was folded in; ranks movies 1 ... 20 by their ids."""

    movie_ids = np.arange(1, 21, dtype=np.int32)

    def __init__(self, known: "pd.DataFrame | None" = None) -> None:
        self.known = known
        self.calls: list[pd.DataFrame] = []

    def predict(self, user_ids: Ids, movie_ids: Ids) -> Floats:
        assert len(user_ids) == len(movie_ids)
        if self.known is None:
            return np.full(len(user_ids), 3.0, dtype=np.float32)
        means = self.known.groupby("userId")["rating"].mean()
        return pd.Series(user_ids).map(means).fillna(3.0).to_numpy(dtype=np.float32)

    def scores(self, user_ids: Ids) -> Floats:
        return np.tile(self.movie_ids.astype(np.float32), (len(user_ids), 1))

    def fold_in(self, user_ids: Ids, movie_ids: Ids, stars: Floats) -> "LastStars":
        given = pd.DataFrame({"userId": user_ids, "movieId": movie_ids, "rating": stars})
        self.calls.append(given)
        return LastStars(given)


KNOWN = ratings_frame((1, 20, 5.0), (2, 3, 4.0), (9, 4, 2.0))
TEST = ratings_frame((1, 1, 4.0), (3, 2, 2.0), (1, 19, 5.0), (1, 5, 3.0), (3, 18, 4.0))


class TestFold:
    def test_five_rows_worked_by_hand(self) -> None:
        # Support: user 1's movie 1 (of 3 rows) and user 3's movie 2. Targets 19 and 5; 18.
        predictor = LastStars()
        found = evaluate_fold(predictor, TEST, KNOWN)
        (profiles,) = predictor.calls
        assert profiles.to_numpy().tolist() == [[1, 20, 5], [1, 1, 4], [3, 2, 2]]
        errors = np.array([4.5 - 5, 4.5 - 3, 2 - 4])
        assert found.rating.rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
        assert found.rating.mae == pytest.approx(np.abs(errors).mean())
        assert found.rating.rows == 3
        # Without 20, user 1's list begins with 19; user 3's is 20, 19, 18.
        assert found.ranking.users.tolist() == [1, 3]
        assert found.ranking.ndcg_at_10.tolist() == [1.0, 0.5]
        assert found.ranking.precision_at_10.tolist() == [0.1, 0.1]
        assert found.ranking.recall_at_10.tolist() == [1.0, 1.0]
        assert found.ranking.hit.tolist() == [1.0, 1.0]
        assert found.ranking.coverage == 11 / 20
        assert found.figures["mrr_at_10"] == pytest.approx((1 + 1 / 3) / 2)
        assert found.figures["map_at_10"] == pytest.approx((1 + 1 / 3) / 2)

    def test_what_was_given_as_support_is_no_candidate(self) -> None:
        test = ratings_frame((1, 20, 5.0), (1, 19, 5.0))
        assert evaluate_fold(LastStars(), test, KNOWN[1:]).ranking.ndcg_at_10.tolist() == [1.0]

    def test_what_another_was_trained_on_is_nobodys_candidate(self) -> None:
        gone = ratings_frame((1, 19, 2.0), (3, 20, 2.0))
        found = evaluate_fold(LastStars(), TEST, KNOWN, no_candidates=gone)
        assert found.ranking.users.tolist() == [3]  # user 1 has nothing left to find
        assert found.ranking.ndcg_at_10.tolist() == pytest.approx([1 / np.log2(3)])  # 19, then 18
        assert found.rating.rows == 3
        assert (found.rating.counts.tolist(), found.rating.squared.tolist()) == ([2, 1], [2.5, 4])

    def test_both_contenders_stand_at_the_same_cut(
        self, model: Model, trained: Trained, ratings: pd.DataFrame
    ) -> None:
        # A champion that was trained on less is told what the challenger's training has.
        test = random_ratings(seed=3, users=40, movies=25, n=200)
        one, other = (evaluate_fold(p, test, ratings) for p in (model, trained.baseline))
        assert one.rating.rows == other.rating.rows
        assert (one.ranking.users == other.ranking.users).all()
        assert {n: s.rows for n, s in one.slices.items()} == {
            n: s.rows for n, s in other.slices.items()
        }

    def test_coverage_is_a_share_of_the_catalogue_that_is_named(
        self, model: Model, ratings: pd.DataFrame
    ) -> None:
        test = random_ratings(seed=3, users=40, movies=27, n=300)
        own = evaluate_fold(model, test, ratings)
        larger = evaluate_fold(model, test, ratings, catalogue_size=10 * len(model.movie_ids))
        assert larger.ranking.coverage == pytest.approx(own.ranking.coverage / 10)

    def test_the_same_seed_gives_the_same_intervals(
        self, trained: Trained, ratings: pd.DataFrame
    ) -> None:
        test = random_ratings(seed=3, users=40, movies=25, n=200)
        one, two, other = (
            evaluate_fold(trained.baseline, test, ratings, seed=seed).slices["all"]
            for seed in (1, 1, 2)
        )
        assert one == two
        assert one.intervals != other.intervals


def test_static_figures_are_those_of_the_short_form(model: Model, ratings: pd.DataFrame) -> None:
    test = random_ratings(seed=3, users=40, movies=27, n=300)
    found = evaluate_static(model, test, ratings)
    predicted = model.predict(test["userId"].to_numpy(), test["movieId"].to_numpy())
    short = Scores.of(found)
    assert short.rmse == pytest.approx(root_mean_squared_error(test["rating"], predicted))
    assert short.mae == pytest.approx(mean_absolute_error(test["rating"], predicted))
    assert (short.rows, short.users) == (300, len(found.ranking.users))
    assert short.precision_at_10 == pytest.approx(found.ranking.precision_at_10.mean())
    whole = found.slices["all"]
    assert (whole.rmse, whole.mae) == pytest.approx((found.rating.rmse, found.rating.mae))
    assert whole.ndcg_at_10 == pytest.approx(found.ranking.ndcg_at_10.mean())
    assert whole.hit_rate == pytest.approx(found.ranking.hit.mean())
    assert 0 < found.ranking.coverage <= 1
    assert found.ranking.novelty > 0


def test_each_rating_is_predicted_from_those_before_it() -> None:
    test = ratings_frame((1, 1, 4.0), (3, 2, 2.0), (1, 19, 5.0), (1, 5, 3.0), (3, 18, 4.0))
    found = evaluate_sequential(LastStars(), test, KNOWN)
    errors = np.array([5 - 4, 3 - 2, 4.5 - 5, 14 / 3 - 3, 2 - 4])  # the stranger's first is 3
    assert found.rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert found.mae == pytest.approx(np.abs(errors).mean())
    assert found.rows == 5


def test_patience_predicts_more_at_once() -> None:
    rows = [(1, movie, 1.0 + movie % 5) for movie in range(1, 19)]
    rounds = {}
    for patience in (0.0, 1.0):
        predictor = LastStars()
        evaluate_sequential(predictor, ratings_frame(*rows), KNOWN, patience=patience)
        rounds[patience] = len(predictor.calls)
    assert rounds == {0.0: 18, 1.0: 6}  # 0, 1, 2 to 3, 4 to 7, 8 to 15, 16 to 17


@given(ratings_frames())
def test_halves_are_by_user_and_in_time(ratings: pd.DataFrame) -> None:
    support, target = halves(ratings)
    assert sorted([*support.index, *target.index]) == list(range(len(ratings)))
    sizes = ratings["userId"].value_counts()
    for user, rows in target.groupby("userId"):
        earlier = support[support["userId"] == user]
        assert len(rows) == math.ceil(sizes[user] / 2)
        assert earlier["timestamp"].max() < rows["timestamp"].min() or earlier.empty


def test_a_random_split_is_one(ratings: pd.DataFrame) -> None:
    train, test = random_split(ratings, 0.1, seed=1)
    assert (len(train), len(test)) == (315, 35)
    assert sorted([*train.index, *test.index]) == list(range(350))
    assert not random_split(ratings, 0.1, seed=2)[1].equals(test)
    assert random_split(ratings, 0.1, seed=1)[1].equals(test)


class TestSlices:
    @pytest.fixture
    def masks(self) -> dict[str, list[int]]:
        # Movies by ratings: 1 has 5, 2 has 3, 3 and 4 one each; users 1 to 5 have 2 each.
        pairs = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (1, 2), (2, 2), (3, 2), (4, 3), (5, 4)]
        trained = ratings_frame(*((u, m, 3.0) for u, m in pairs))
        since = ratings_frame(*((1, m, 3.0) for m in (5, 6, 7)))
        target = ratings_frame((1, 1, 3.0), (2, 3, 3.0), (9, 2, 3.0), (9, 8, 3.0), (3, 8, 3.0))
        masks = slice_masks(target, trained, pd.concat([trained, since]))
        return {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()}

    def test_worked_by_hand(self, masks: dict[str, list[int]]) -> None:
        assert {name: rows for name, rows in masks.items() if rows} == {
            "all": [0, 1, 2, 3, 4],
            "warm": [0, 1],
            "cold_user": [2, 3],
            "cold_movie": [3, 4],
            "activity_1_to_4": [1, 4],
            "activity_5_to_19": [0],
            "popularity_head": [0],
            "popularity_middle": [2],
            "popularity_tail": [1, 3, 4],
        }

    @pytest.mark.parametrize("seed", range(3))
    def test_bands_add_up(self, trained: Trained, ratings: pd.DataFrame, seed: int) -> None:
        test = random_ratings(seed=seed, users=45, movies=35, n=300)
        slices = evaluate_static(trained.baseline, test, ratings).slices
        popularity = [s for n, s in slices.items() if n.startswith("popularity")]
        activity = [s for n, s in slices.items() if n.startswith("activity")]
        assert sum(s.rows for s in popularity) == len(test)
        assert sum(s.rows for s in [*activity, slices["cold_user"]]) == len(test)
        squares = sum(s.rows * s.rmse**2 for s in popularity if s.rmse is not None)
        assert math.sqrt(squares / len(test)) == pytest.approx(slices["all"].rmse)

    def test_an_empty_slice_has_no_figures(self, trained: Trained, ratings: pd.DataFrame) -> None:
        found = evaluate_static(trained.baseline, ratings.head(9), ratings).slices["cold_user"]
        assert (found.rows, found.users, found.rmse, found.ndcg_at_10) == (0, 0, None, None)
        assert found.intervals == {}

    def test_every_figure_lies_in_its_interval(
        self, trained: Trained, ratings: pd.DataFrame
    ) -> None:
        test = random_ratings(seed=5, users=45, movies=35, n=400)
        found: FoldScores = evaluate_static(trained.baseline, test, ratings)
        for scores in found.slices.values():
            for name, (low, high) in scores.intervals.items():
                assert low - 1e-12 <= getattr(scores, name) <= high + 1e-12


class TestBootstrap:
    def test_intervals_are_those_of_scipy(self) -> None:
        values = np.random.default_rng(2).gamma(2.0, size=80)
        sums = resampled_sums(values[:, np.newaxis], seed=1, replicates=20_000)
        ours = percentile_interval(sums[:, 0] / 80)
        theirs = stats.bootstrap(
            (values,),
            np.mean,
            method="percentile",
            n_resamples=20_000,
            rng=np.random.default_rng(3),
        ).confidence_interval
        assert ours == pytest.approx((theirs.low, theirs.high), abs=0.02)

    def test_all_columns_see_the_same_draws(self) -> None:
        values = np.random.default_rng(2).normal(size=50)
        sums = resampled_sums(np.column_stack([values, 3 * values, np.ones(50)]), seed=1)
        np.testing.assert_allclose(sums[:, 1], 3 * sums[:, 0])
        assert (sums[:, 2] == 50).all()

    def test_blocks_make_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        values = np.random.default_rng(2).normal(size=(30, 2))
        whole = resampled_sums(values, seed=4, replicates=100)
        block = "cinematch_dagster.recommenders.evaluation.bootstrap._BLOCK"
        monkeypatch.setattr(block, 7 * 30)
        np.testing.assert_allclose(resampled_sums(values, seed=4, replicates=100), whole)


def test_the_sanity_floor_folds_in_a_bias(trained: Trained, ratings: pd.DataFrame) -> None:
    floor = trained.baseline
    users, movies = ratings["userId"].to_numpy(), ratings["movieId"].to_numpy()
    folded = floor.fold_in(users, movies, ratings["rating"].to_numpy())
    np.testing.assert_allclose(folded.user_bias, floor.user_bias, atol=1e-5)
    stranger = floor.fold_in(np.array([-7]), floor.movie_ids[:1], np.array([5.0], dtype=np.float32))
    residual = 5 - floor.global_mean - floor.movie_bias[0]
    assert stranger.user_bias[stranger.user_ids == -7] == pytest.approx(residual / 16)
    np.testing.assert_array_equal(stranger.predict(users, movies), floor.predict(users, movies))
    np.testing.assert_array_equal(stranger.scores(users), floor.scores(users))

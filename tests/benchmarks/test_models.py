import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from benchmarks.common import pages
from benchmarks.common.pages import render
from benchmarks.common.results import Measured, Results
from benchmarks.models import __main__ as program
from benchmarks.models import quality, speed
from benchmarks.models.cold import Hidden, _place
from benchmarks.models.quality import Case, cases, measure
from benchmarks.models.speed import Size
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS, Hyperparameters
from cinematch_dagster.recommenders.evaluation.ranking import Ranked
from cinematch_dagster.recommenders.ranking.als import Als
from cinematch_dagster.recommenders.rating.svd import Svd
from cinematch_dagster.recommenders.rating.svdpp import Svdpp
from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

TINY = Size(epochs=2, pairs=200, movies=300, profile=5, sampled=2, rounds=1, calls=10)


class QuickSvd(Svd):
    factors: int = 8
    epochs: int = 3


class QuickSvdpp(Svdpp):
    factors: int = 4
    epochs: int = 1


class QuickAls(Als):
    factors: int = 8
    iterations: int = 2


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder as ml-1m's: 30 users, 40 movies, 900 ratings in the order of time."""
    random = np.random.default_rng(0)
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    pairs = random.permutation(30 * 40)[:900]
    lines = [
        f"{pair // 40 + 1}::{pair % 40 + 1}::{random.integers(1, 6)}::{978_300_000 + 60 * n}"
        for n, pair in enumerate(pairs.tolist())
    ]
    (folder / "ratings.dat").write_text("\n".join(lines) + "\n")
    movies = [f"{n}::Film {n} (1999)::Drama" for n in range(1, 41)]
    (folder / "movies.dat").write_text("\n".join(movies) + "\n")
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models, but for what runs in a process of its own."""
    monkeypatch.setitem(RATING_HEADS, "svd", QuickSvd)
    monkeypatch.setitem(RATING_HEADS, "svdpp", QuickSvdpp)
    monkeypatch.setitem(RANKING_HEADS, "als", QuickAls)
    small = Hyperparameters(rating=QuickSvd(), ranking=QuickAls())
    monkeypatch.setattr(quality, "Hyperparameters", lambda: small)


def test_small_data_gets_every_algorithm_and_seed_large_data_one_of_the_slow() -> None:
    everything = {*RATING_HEADS, *RANKING_HEADS}
    small = cases("d", 100, 2, frozenset())
    assert {(c.algorithm, c.seeds) for c in small if c.split == "random"} == {
        (name, 2) for name in everything
    }
    assert {c.algorithm for c in small if c.split == "time"} == everything
    assert {c.seeds for c in small if c.split != "random"} == {1}
    slow = {"svdpp", "knn_baseline"}
    large = [c for c in cases("d", 1_000_000, 2, frozenset()) if c.split == "random"]
    assert {c.algorithm for c in large if c.seeds == 2} == everything - slow
    assert {c.algorithm for c in large[-2:]} == slow
    left = cases("d", 100, 1, frozenset({"svdpp"}))
    assert {c.algorithm for c in left} == everything - {"svdpp"}


@pytest.mark.parametrize("algorithm", [*RATING_HEADS, *RANKING_HEADS])
@pytest.mark.parametrize("split", ["random", "time"])
def test_an_algorithm_has_its_own_figures_and_no_others(
    source: Path, algorithm: str, split: quality.Split
) -> None:
    found = measure(Case("d", split, algorithm), quality.read(source))
    assert found.pop("seeds") == 1
    stars = algorithm in RATING_HEADS
    kinds = {name.partition("_")[2] for name in found} - {"seconds"}
    assert kinds == ({"rmse", "mae"} if stars else {"precision", "ndcg"})
    protocols = {name.partition("_")[0] for name in found} - {"fit"}
    later = {"static", "fold", "sequential"} if stars else {"static", "fold"}
    assert protocols == ({"static"} if split == "random" else later)
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("algorithm", ["svd", "baseline", "als", "item_knn", "popularity"])
def test_hidden_movies_have_figures_of_their_own(source: Path, algorithm: str) -> None:
    found = measure(Case("d", "cold", algorithm), quality.read(source))
    kept = json.loads((pages.BENCHMARKS / "models" / "results.json").read_text())
    known = kept[f"quality/sample/cold/{algorithm}"]["figures"]
    assert set(found) == set(known)
    assert all(np.isfinite(value) for value in found.values())


def test_of_a_hidden_movie_nothing_is_trained_on(source: Path) -> None:
    ratings = quality.read(source).ratings
    data = Hidden.of(ratings, seed=0)
    hidden = data.interactions.movie_ids[data.hidden]
    assert len(hidden) == 4
    assert not set(hidden) & {*data.train["movieId"], *data.test["movieId"]}
    assert set(data.new["movieId"]) == set(hidden)
    assert len(data.train) + len(data.test) + len(data.new) == len(ratings)


def test_a_liked_movie_s_place_among_the_hidden_is_1_at_the_top_and_0_at_the_end() -> None:
    class Ids:
        movie_ids = np.arange(5, dtype=np.int32)

        def scores(self, user_ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
            return np.tile(np.arange(5, dtype=np.float32), (len(user_ids), 1))

    hidden = np.array([False, False, True, True, True])
    users = np.array([7, 8], dtype=np.int32)
    nothing = np.zeros((2, 10), dtype=np.bool_)
    lists = np.full((2, 10), -1, dtype=np.int32)
    wanted = (np.array([7, 8, 8]) << 32) + np.array([4, 2, 3])
    ranked = Ranked(users, lists, nothing, wanted)
    assert _place(ranked, Ids(), hidden) == pytest.approx((1 + 0.25) / 2)  # type: ignore[arg-type]


def test_means_are_over_the_seeds_from_42_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "measure_once", lambda _case, _data, seed: {"x": float(seed)})
    nothing = quality.Data(pd.DataFrame(), pd.DataFrame())
    assert measure(Case("d", "random", "svd", 3), nothing) == {"x": 43.0, "seeds": 3}


MEASURED: Measured = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}


def test_targets_are_met_or_missed_by_so_much(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.json")
    svd = {"static_rmse": 0.830, "static_mae": 0.665, "fit_seconds": 1.0, "seeds": 1}
    als = {"static_precision": 0.2, "static_ndcg": 0.29, "fit_seconds": 1.0, "seeds": 1}
    results.keep("quality/ml-1m/random/svd", svd, MEASURED)
    results.keep("quality/ml-1m/random/als", als, MEASURED)
    text = render("models/targets", results)
    assert "| random: RMSE, `svd` | 0.8300 | at most 0.84: met |" in text
    assert "| random: MAE, `svd` | 0.6650 | at most 0.66: missed by 0.0050 |" in text
    assert "| random: Precision@10, `als` | 0.2000 | at least 0.2: met |" in text
    assert "| random: NDCG@10, `als` | 0.2900 | at least 0.3: missed by 0.0100 |" in text
    assert text.count("\n|") == 2 + 4
    assert text.count("ml-1m:") == 1
    assert "ml-latest-small" not in text
    for part in ("cold", "quality", "speed", "summary"):  # whatever is known
        assert "undefined" not in render(f"models/{part}", results).lower()


def test_the_compiled_fit_and_the_vectorised_predictions_are_those_of_surprise() -> None:
    random = np.random.default_rng(0)
    pairs = random.permutation(60 * 50)[:2_000]
    ratings = pd.DataFrame(
        {
            "userId": (pairs // 50 + 1).astype(np.int32),
            "movieId": (pairs % 50 + 1).astype(np.int32),
            "rating": random.integers(1, 11, 2_000).astype(np.float32) / 2,
            "timestamp": np.arange(2_000),
        }
    )
    found = speed.fitting(ratings, TINY)
    assert found["fit"]["ratio"] == found["fit"]["surprise"] / found["fit"]["ours"]
    assert found["pairs"] == 200
    assert found["largest_difference"] < 2e-3  # single precision, factors kept in half


def test_both_ways_to_a_training_set_are_the_same() -> None:
    frame = pd.DataFrame(
        {
            "userId": [3, 1, 3],
            "movieId": [7, 7, 9],
            "rating": np.array([5, 2.5, 4], dtype=np.float32),
        }
    )
    ours, theirs = speed._arrays(frame), speed._dataset(frame)
    assert isinstance(ours, ArrayTrainset)
    assert list(ours.all_ratings()) == list(theirs.all_ratings())
    assert ours.to_raw_uid(0) == theirs.to_raw_uid(0)


def test_the_random_ratings_of_one_users_list_are_of_every_movie_and_no_pair_twice() -> None:
    ratings = speed._random(TINY)
    assert ratings["movieId"].nunique() == TINY.movies
    assert not ratings.duplicated(["userId", "movieId"]).any()
    assert (ratings["userId"].value_counts() == TINY.profile).all()


def test_loading_has_targets_with_25_million_ratings_and_jobs_stand_in_their_order(
    tmp_path: Path,
) -> None:
    results = Results(tmp_path / "results.json")
    loading = {
        "seconds": {"ours": 2.0, "surprise": 80.0, "ratio": 40.0},
        "gb": {"ours": 1.0, "surprise": 7.0, "ratio": 7.0},
    }
    job = {"fit": 50.0, "write": 5.0, "score": 2.5, "check": 1.0, "curve": 9.0}
    job |= {"model_mb": 1.0, "rows": 1}
    for rows, gigabytes in ((25_000_000, 9.0), (1_000_000, 1.0)):
        results.keep(f"speed/{rows}/loading", loading, MEASURED)
        results.keep(f"speed/{rows}/training", job | {"peak_gb": gigabytes}, MEASURED)
    text = render("models/speed", results)
    small, large, growth = text.split("### ")[1:]
    assert "at least 20" not in small
    assert "| 40.0 | at least 20: met |" in large
    assert "| 7.0 | at least 8: missed, 0.87 of it |" in large
    assert "| 1,000,000 | 50.0 | 5.0 | 2.5 | 1.0 | 9.0 | 1.00 GB | 1 MB |  |" in growth
    assert (
        "| 25,000,000 | 2.0 | 0.2 | 0.1 | 0.0 | 0.4 | 9.00 GB | 1 MB | at most 8 GB: missed"
        in growth
    )
    assert growth.index("| 1,000,000") < growth.index("| 25,000,000")


@pytest.mark.slow  # every part, some of them in processes of their own
def test_the_program_shows_every_section_and_goes_on_where_it_was(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SAMPLE", {})
    sections = ("quality", "summary", "targets", "cold", "speed")
    markers = (f"<!-- models/{n} -->\n<!-- end of models/{n} -->\n" for n in sections)
    guide, store = tmp_path / "guide.md", tmp_path / "results.json"
    guide.write_text("\n".join(markers))
    places = ["--docs", str(tmp_path), "--results", str(store)]
    only_quality = ["--ml-1m", str(source), "--seeds", "1", "--leave-out", "ml-1m/svdpp"]
    program.main([*only_quality, "--parts", "quality", *places], TINY)
    text = guide.read_text()
    assert "### Quality on ml-1m" in text
    assert "`ease`" in text
    assert "`svdpp`" not in text
    assert "time 70/30, fold protocol" in text
    assert "NDCG@10 of the others, without guesses" in text
    assert "| random: RMSE, `svd` |" in text
    before = json.loads(store.read_text())
    speeds = ["--rows", "5000", "--parts", *program.PARTS[1:]]
    program.main([*speeds, *places], TINY)
    after = json.loads(store.read_text())
    assert {name: after[name] for name in before} == before
    assert {name for name in after if name not in before} == {
        f"speed/5000/{part}" for part in program.PARTS[1:]
    }
    text = guide.read_text()
    assert "### Quality on ml-1m" in text
    assert "one user's top 10 of 300 movies" in text
    assert "A whole training job on 4,750 of the ratings" in text
    assert "### Growth of a training job" in text
    program.main([*only_quality, "--rows", "5000", *places], TINY)
    assert json.loads(store.read_text()) == after

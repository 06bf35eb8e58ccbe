from __future__ import annotations

import csv
import datetime
import io
import itertools
import runpy
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import ks_2samp

from cinematch_dagster.batches import read_batch, week_of, write_batch
from cinematch_dagster.movielens import Prepared, UnknownDatasetError, load, prepare
from tests.movielens.strategies import T0, ratings, rows

DATA = Path(__file__).parents[2] / "data"
FIRST = datetime.date(2024, 1, 1)

# The issue's table, computed independently: rows, then KS, mean, std alone and cumulative.
TABLE = {
    1: (4796, 0.0295, -0.0070, 0.0118, 0.0295, -0.0070, 0.0118),
    2: (4796, 0.0720, 0.0411, -0.0063, 0.0329, 0.0170, 0.0063),
    3: (4797, 0.0578, 0.0215, 0.0746, 0.0411, 0.0185, 0.0295),
    4: (4796, 0.0420, 0.0003, 0.1069, 0.0370, 0.0140, 0.0498),
    5: (4797, 0.1217, -0.0435, 0.1714, 0.0385, 0.0025, 0.0782),
    6: (4797, 0.3770, 0.1876, -0.0304, 0.0949, 0.0333, 0.0881),
}


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(
        load("sample", DATA).ratings,
        start=datetime.date(2003, 2, 19),
        most_recent=1_000_000,
        baseline_share=0.6,
        train_share=0.7,
        batches=5,
        injected_shift=1.0,
    )


def changes(train: pd.Series, other: pd.Series) -> tuple[float, float, float]:
    """KS statistic, relative change of the mean and of the standard deviation."""
    before, after = train.astype(float), other.astype(float)
    return (
        float(ks_2samp(before, after, method="asymp").statistic),
        after.mean() / before.mean() - 1,
        after.std() / before.std() - 1,
    )


def test_the_whole_source_is_shipped() -> None:
    raw = load("sample", DATA)
    assert len(raw.ratings) == 100_004
    assert raw.ratings["userId"].nunique() == 671
    assert raw.ratings["rating"].astype(float).sum() == 354_375.0
    assert len(raw.movies) == raw.movies["movieId"].nunique() == 9_125
    assert set(raw.ratings["movieId"]) <= set(raw.movies["movieId"])
    toy_story = raw.movies.set_index("movieId").loc[1]
    assert toy_story["title"] == "Toy Story (1995)"
    assert toy_story["genres"] == "Adventure|Animation|Children|Comedy|Fantasy"


def test_whole_stars_ended_where_the_profile_starts() -> None:
    frame = load("sample", DATA).ratings
    midnight = datetime.datetime(2003, 2, 19, tzinfo=datetime.UTC).timestamp()
    assert (frame.loc[frame["timestamp"] < midnight, "rating"] % 1 == 0).all()
    assert (frame["timestamp"] >= midnight).sum() == 59_953


def test_the_sample_is_small() -> None:
    assert sum(file.stat().st_size for file in (DATA / "sample").glob("*.parquet")) < 450_000


def test_the_baseline_is_split_as_the_issue_says(prepared: Prepared) -> None:
    split = prepared.baseline["data_split"]
    assert len(split) == 35_971
    assert split.value_counts().to_dict() == {"train": 25_179, "test": 10_792}
    train = prepared.baseline[split == "train"]
    test = prepared.baseline[split == "test"]
    assert train["timestamp"].max() <= test["timestamp"].min()
    assert prepared.rejects.empty


def test_the_batches_follow_the_baseline_and_each_other(prepared: Prepared) -> None:
    parts = [prepared.baseline.drop(columns="data_split")]
    parts += [batch.ratings for batch in prepared.batches]
    for before, after in itertools.pairwise(parts):
        assert before["timestamp"].iloc[-1] <= after["timestamp"].iloc[0]
    real = pd.concat(parts[:-1], ignore_index=True)
    raw = load("sample", DATA).ratings
    assert_frame_equal(real, raw[-59_953:].reset_index(drop=True))


def test_only_the_sixth_batch_is_labelled_as_injected(prepared: Prepared) -> None:
    labels = {batch.batch_id: batch.injected for batch in prepared.batches}
    assert labels == {f"batch_w{n}": None for n in range(1, 6)} | {"batch_w6": "shift +1.0"}
    fifth, sixth = (batch.ratings for batch in prepared.batches[4:])
    assert sixth["rating"].tolist() == [min(stars + 1.0, 5.0) for stars in fifth["rating"]]
    assert sixth["timestamp"].iloc[0] == fifth["timestamp"].iloc[-1] + 1


@pytest.mark.parametrize("week", TABLE)
def test_the_batches_drift_as_the_issue_says(prepared: Prepared, week: int) -> None:
    rows, *expected = TABLE[week]
    baseline = prepared.baseline
    train = baseline.loc[baseline["data_split"] == "train", "rating"]
    alone = prepared.batches[week - 1].ratings["rating"]
    so_far = pd.concat([batch.ratings["rating"] for batch in prepared.batches[:week]])
    assert len(alone) == rows
    assert (*changes(train, alone), *changes(train, so_far)) == pytest.approx(expected, abs=5e-5)


def test_the_sample_batches_pass_through_their_files(prepared: Prepared, tmp_path: Path) -> None:
    for n, batch in enumerate(prepared.batches):
        path = write_batch(tmp_path, *batch)
        found, injected = read_batch(path)
        assert_frame_equal(found, batch.ratings)
        assert injected == batch.injected
        assert week_of(path.stem, FIRST) == FIRST + datetime.timedelta(weeks=n)


def test_preparation_by_hand_without_injection() -> None:
    good = [(1, movie, 3.0, T0 + movie) for movie in range(10)]
    raw = rows(*good[::-1], (1, 99, 9.0, T0))
    baseline, batches, rejects = prepare(
        raw,
        start=None,
        most_recent=8,
        baseline_share=0.5,
        train_share=0.75,
        batches=2,
        injected_shift=0.0,
        max_bad_share=0.1,
    )
    assert baseline["movieId"].tolist() == [2, 3, 4, 5]
    assert baseline["data_split"].tolist() == ["train", "train", "train", "test"]
    assert [batch.batch_id for batch in batches] == ["batch_w1", "batch_w2"]
    assert_frame_equal(batches[0].ratings, ratings(*good[6:8]))
    assert_frame_equal(batches[1].ratings, ratings(*good[8:]))
    assert rejects["reason"].tolist() == ["rating_off_scale"]


def test_an_unknown_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownDatasetError, match="dataset 'ml-9': expected one of sample"):
        load("ml-9", tmp_path)


def zipped(path: Path, **files: list[tuple[object, ...]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in files.items():
            text = io.StringIO()
            csv.writer(text).writerows(lines)
            archive.writestr(f"ml-latest-small/{name}.csv", text.getvalue())
    return path


def test_the_build_script_orders_the_source_and_changes_nothing_else(tmp_path: Path) -> None:
    source = zipped(
        tmp_path / "source.zip",
        ratings=[
            ("userId", "movieId", "rating", "timestamp"),
            (1, 31, 2.5, T0 + 1),
            (2, 7, 4.0, T0),
            (1, 7, 0.5, T0),
        ],
        movies=[
            ("movieId", "title", "genres"),
            (31, "Misérables, Les (1995)", "Drama|War"),
            (7, "Sabrina (1995)", "(no genres listed)"),
        ],
    )
    build = runpy.run_path(str(DATA / "sample" / "build.py"))["build"]
    for folder in (tmp_path / "a" / "sample", tmp_path / "b" / "sample"):
        folder.mkdir(parents=True)
        build(source, folder)
    raw = load("sample", tmp_path / "a")
    assert_frame_equal(raw.ratings, ratings((1, 7, 0.5, T0), (2, 7, 4.0, T0), (1, 31, 2.5, T0 + 1)))
    assert raw.movies.to_numpy().tolist() == [
        [7, "Sabrina (1995)", "(no genres listed)"],
        [31, "Misérables, Les (1995)", "Drama|War"],
    ]
    for name in ("ratings.parquet", "movies.parquet"):
        first, second = (tmp_path / side / "sample" / name for side in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_the_licence_of_the_sample_names_its_source_and_conditions() -> None:
    text = (DATA / "sample" / "LICENSE.md").read_text()
    for fact in ("10.1145/2827872", "Harper", "Konstan", "GroupLens", "same conditions", "endorse"):
        assert fact in text

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.movielens import BadDatasetError
from cinematch_dagster.settings import SettingsError, load_settings

GENRES = ("Comedy", "Drama", "Comedy|Drama")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder; all ratings count, cut into two weeks without injected drift."""
    for name, value in {
        "CINEMATCH_DATA_DIR": str(tmp_path / "data"),
        "CINEMATCH_STATE_DIR": str(tmp_path / "var"),
        "CINEMATCH_DATA__START": "1995-01-01",
        "CINEMATCH_DATA__BATCHES": "2",
        "CINEMATCH_DATA__MAX_REJECTED_SHARE": "0.1",
        "CINEMATCH_INJECTION__SHIFT": "0",
    }.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    yield tmp_path / "data"
    load_settings.cache_clear()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """ml-1m's format: 40 ratings of which one is off the scale."""
    path = tmp_path / "ml-1m.zip"
    ratings = [f"{n % 5 + 1}::{n % 8 + 1}::{n % 5 + 1}::{978_300_000 + n}" for n in range(39)]
    movies = [f"{n}::Film {n} (1999)::{GENRES[n % 3]}" for n in range(1, 9)]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ml-1m/ratings.dat", "\n".join([*ratings, "1::9::7::978400000"]) + "\n")
        file.writestr("ml-1m/movies.dat", "\n".join(movies) + "\n")
    return path


def prepare(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, ["data", "prepare", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_local_archive_becomes_a_baseline_batches_features_and_rejects(
    data: Path, archive: Path
) -> None:
    assert "8 movies" in prepare("--dataset", "ml-1m", "--source", str(archive))
    prepared = data / "prepared"
    baseline = pd.read_parquet(prepared / "ratings_initial_ml.parquet")
    batches = [pd.read_parquet(prepared / "buffer_batches" / f"batch_w{n}.parquet") for n in (1, 2)]
    assert len(baseline) + sum(map(len, batches)) == 39
    assert baseline["timestamp"].max() <= batches[0]["timestamp"].min()
    assert pd.read_csv(prepared / "rejects.csv")["reason"].tolist() == ["rating_off_scale"]
    assert len(pd.read_parquet(prepared / "movie_features_small.parquet")) == 8


def test_batches_of_an_earlier_preparation_are_gone(
    data: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare("--dataset", "ml-1m", "--source", str(archive))
    monkeypatch.setenv("CINEMATCH_DATA__BATCHES", "1")
    load_settings.cache_clear()
    prepare("--dataset", "ml-1m")  # it is here already: no network
    files = [path.name for path in (data / "prepared" / "buffer_batches").iterdir()]
    assert files == ["batch_w1.parquet"]


def test_a_dataset_that_nobody_knows_is_named(data: Path) -> None:
    assert not data.exists()
    with pytest.raises(SettingsError, match=r"data\.dataset"):
        prepare("--dataset", "ml-2m")


def test_an_archive_that_is_none_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_text("no archive")
    with pytest.raises(BadDatasetError, match=r"no\.zip"):
        prepare("--dataset", "ml-1m", "--source", str(tmp_path / "no.zip"))
    assert not (data / "prepared").exists()


def stored(data: Path) -> dict[str, bytes]:
    """Return every file of the raw and the prepared data."""
    files = (path for path in data.rglob("*") if path.is_file())
    return {str(path.relative_to(data)): path.read_bytes() for path in files}


def archive_of(path: Path, ratings: list[str], movies: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ratings.dat", "".join(f"{line}\n" for line in ratings))
        file.writestr("movies.dat", "".join(f"{line}\n" for line in movies))
    return path


SOUND = [f"{n % 5 + 1}::{n % 8 + 1}::3::{978_300_000 + n}" for n in range(40)]
MOVIES = [f"{n}::Film {n} (1999)::Drama" for n in range(1, 9)]


@pytest.mark.parametrize(
    ("ratings", "movies", "fault"),
    [
        ([*SOUND, *["1::9::7::978400000"] * 20], MOVIES, "20 of 60 ratings can't be used .rating"),
        ([*SOUND, *["1::9::3::02/04/2005"] * 20], MOVIES, "line 41, column timestamp: '02/04/20"),
        (SOUND[:1], MOVIES, "1 ratings can't fill 2 batches|0 ratings can't fill|1 ratings"),
        (SOUND, [*MOVIES, "8::Once more::Drama"], "movies.dat: line 9: column movieId: 8 is the"),
        (SOUND, [*MOVIES, "9::Zero\0::Drama"], "movies.dat: line 9: column title: .*NUL"),
    ],
)
def test_a_source_that_is_refused_replaces_nothing(
    data: Path, archive: Path, tmp_path: Path, ratings: list[str], movies: list[str], fault: str
) -> None:
    prepare("--dataset", "ml-1m", "--source", str(archive))
    before = stored(data)
    bad = archive_of(tmp_path / "bad.zip", ratings, movies)
    with pytest.raises(BadDatasetError, match=fault):
        prepare("--dataset", "ml-1m", "--source", str(bad))
    rejects = "prepared/rejects.csv"
    assert {**stored(data), rejects: b""} == {**before, rejects: b""}
    assert "8 movies" in prepare("--dataset", "ml-1m")
    assert stored(data) == before

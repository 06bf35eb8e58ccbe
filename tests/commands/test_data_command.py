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

"""docs/data.md against the running code: names, sizes, files and reasons."""

import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cinematch_dagster.movielens import DATASETS, clean, prepare
from cinematch_dagster.movielens.sources.raw_files import read_ratings
from cinematch_dagster.pipeline.preparation.prepare import prepare_features, prepare_ratings
from cinematch_dagster.settings import PROFILES, ROOT, load_settings
from tests.docs.support import rows, section

GUIDE = ROOT / "docs" / "data.md"
FIELDS = ["userId", "movieId", "rating", "timestamp"]
REJECTS = {
    "missing_field": (1, None, 3.0, 978_300_000),
    "bad_id": (-1, 1, 3.0, 978_300_000),
    "rating_off_scale": (1, 2, 5.5, 978_300_000),
    "bad_timestamp": (1, 3, 3.0, -1),
    "duplicate": (1, 4, 3.0, 978_300_000),
}


def test_every_dataset_is_in_the_table() -> None:
    assert [row[0] for row in rows(section(GUIDE, "Datasets"))] == list(DATASETS)


def test_the_sample_has_the_size_that_the_page_says() -> None:
    size = {row[0]: row[1] for row in rows(section(GUIDE, "Datasets"))}["sample"]
    found = pq.read_metadata(ROOT / "data" / "sample" / "ratings.parquet").num_rows
    assert int(size.replace(",", "")) == found


def test_every_profile_is_in_the_table_with_its_dataset() -> None:
    table = {
        re.sub(r"\[(.+)\]\(.+\)", r"\1", row[0]): row[1]
        for row in rows(section(GUIDE, "Configuration"))
    }
    datasets = {
        path.stem: re.findall(r'^dataset = "(.+)"', path.read_text(), re.MULTILINE)[0]
        for path in PROFILES.glob("*.toml")
    }
    assert table == {name: f"{dataset}" for name, dataset in datasets.items()}


def test_the_reasons_are_those_that_cleaning_gives(tmp_path: Path) -> None:
    frame = pd.DataFrame([*REJECTS.values(), (1, 4, 3.5, 978_300_001)], columns=FIELDS)
    _, rejected = clean(frame)
    assert rejected["reason"].tolist() == list(REJECTS)
    (tmp_path / "ratings.dat").write_text("1::1::3::978300000\n1::one::3::978300000\n")
    _, unparsable = read_ratings(tmp_path)
    explained = {row[0] for row in rows(section(GUIDE, "From raw to prepared"))[6:]}
    assert explained == {*REJECTS, *unparsable["reason"]}


@pytest.mark.usefixtures("platform_settings")
def test_every_file_that_the_steps_leave_is_left() -> None:
    settings = load_settings()
    prepare_ratings(settings)
    prepare_features(settings)
    left = [row[2] for row in rows(section(GUIDE, "From raw to prepared"))[:6] if row[2]]
    assert len(left) == 5
    for name in left:
        assert (settings.prepared_dir / name.replace("wN", "w1")).exists(), name


def test_the_boundaries_of_the_cut_of_ml_25m_are_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rating a row: the profile cuts the numbers of rows as the page says."""
    monkeypatch.setenv("CINEMATCH_PROFILE", "movielens-25m")
    load_settings.cache_clear()
    data = load_settings().data
    load_settings.cache_clear()
    n = 10_000
    frame = pd.DataFrame(
        {"userId": range(n), "movieId": 1, "rating": 3.0, "timestamp": range(10**9, 10**9 + n)}
    )
    done = prepare(
        frame,
        start=data.start,
        most_recent=data.most_recent,
        baseline_share=data.baseline_share,
        train_share=data.train_share,
        batches=data.batches,
    )
    parts = done.baseline["data_split"].value_counts()
    assert (parts["train"], parts["test"]) == (7_000, 2_000)
    assert len(done.batches) == 58

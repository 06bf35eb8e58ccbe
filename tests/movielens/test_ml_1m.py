"""The real ml-1m, whose licence keeps it out of here: ML_1M names its zip or folder."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from cinematch_dagster.batches import has_half_stars
from cinematch_dagster.movielens import fetch, load, prepare
from cinematch_dagster.movielens.profile.statistics import profile

SOURCE = os.environ.get("ML_1M")
pytestmark = pytest.mark.skipif(
    SOURCE is None, reason="needs ml-1m: set ML_1M to its zip or folder"
)


def test_ml_1m_is_read_cleaned_and_cut_as_published(tmp_path: Path) -> None:
    fetch("ml-1m", tmp_path, Path(SOURCE or ""))
    raw = load("ml-1m", tmp_path)
    done = prepare(
        raw.ratings,
        start=None,
        most_recent=1_000_000,
        baseline_share=0.6,
        train_share=0.7,
        batches=5,
        unparsable=raw.unparsable,
    )
    assert len(raw.ratings) == 1_000_209
    assert not has_half_stars(raw.ratings)
    assert done.rejects.empty
    assert done.baseline["data_split"].value_counts().to_dict() == {
        "train": 420_000,
        "test": 180_000,
    }
    assert [len(batch.ratings) for batch in done.batches] == [80_000] * 5
    found = profile(raw.ratings, raw.movies)
    assert (found.users.n, found.movies.n, found.n_movies_listed) == (6_040, 3_706, 3_883)
    assert (
        sum(n for n, day in zip(found.by_month, found.months, strict=True) if day.year == 2000)
        == 904_757
    )
    assert found.last == datetime.date(2003, 2, 28)
    assert "Misérables, Les (1995)" in set(raw.movies["title"])

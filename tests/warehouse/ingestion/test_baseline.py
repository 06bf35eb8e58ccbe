import numpy as np
import pandas as pd
import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError
from cinematch_dagster.warehouse.registry.promotions import merge_buffer, record_promotion
from tests.warehouse.support import batch, many, promotion, stars, value, week


def baseline(train: int, test: int, seed: int = 0) -> pd.DataFrame:
    ratings = many(train + test, seed)
    ratings["data_split"] = ["train"] * train + ["test"] * test
    return ratings


def test_a_baseline_is_loaded_with_its_split_and_its_counts(
    connection: psycopg.Connection,
) -> None:
    ratings = baseline(700, 300)
    assert load_baseline(connection, ratings, "a", week(0)) == 1_000
    found = pd.DataFrame(
        connection.execute("SELECT data_split, rating, n FROM rating_histogram").fetchall(),
        columns=["data_split", "rating", "n"],
    )
    expected = ratings.groupby(["data_split", "rating"]).size()
    assert found.set_index(["data_split", "rating"])["n"].to_dict() == expected.to_dict()
    stored = connection.execute(
        'SELECT "userId", "movieId", rating, "timestamp", data_split FROM ratings'
    ).fetchall()
    assert sorted(stored) == sorted(ratings.itertuples(index=False, name=None))
    metadata = "SELECT (batch_id, status, record_count, week)::text FROM ingestion_metadata"
    assert value(connection, metadata) == "(baseline,completed,1000,2023-12-25)"


def test_the_same_baseline_again_changes_nothing(connection: psycopg.Connection) -> None:
    load_baseline(connection, baseline(7, 3), "a", week(0))
    before = connection.execute("SELECT ctid, xmin, * FROM ratings").fetchall()
    connection.commit()
    assert load_baseline(connection, baseline(7, 3), "a", week(0)) == 10
    assert connection.execute("SELECT ctid, xmin, * FROM ratings").fetchall() == before


def test_another_baseline_replaces_it(connection: psycopg.Connection) -> None:
    load_baseline(connection, baseline(7, 3), "a", week(0))
    assert load_baseline(connection, baseline(15, 5, seed=1), "b", week(0)) == 20
    assert value(connection, "SELECT count(*) FROM ratings") == 20
    assert value(connection, "SELECT sum(n) FROM rating_histogram") == 20
    assert value(connection, "SELECT record_count FROM ingestion_metadata") == 20


def test_another_baseline_is_refused_once_a_batch_was_merged(
    connection: psycopg.Connection, warehouse_dsn: str
) -> None:
    load_baseline(connection, baseline(7, 3), "a", week(0))
    connection.commit()
    load_batch(warehouse_dsn, batch(1, stars(1.0, 2.0)))
    record_promotion(connection, promotion("2", 1))
    merge_buffer(connection, week(1), "2", "merge")
    assert load_baseline(connection, baseline(7, 3), "a", week(0)) == 10
    with pytest.raises(IngestionError, match="batch_w1 left the buffer"):
        load_baseline(connection, baseline(15, 5), "b", week(0))
    assert value(connection, "SELECT count(*) FROM ratings") == 12


@pytest.mark.parametrize("split", ["dev", None])
def test_a_baseline_with_another_split_is_refused_whole(
    connection: psycopg.Connection, split: str | None
) -> None:
    ratings = baseline(7, 3)
    ratings.loc[4, "data_split"] = split
    with pytest.raises(psycopg.errors.CheckViolation):
        load_baseline(connection, ratings, "a", week(0))
    connection.rollback()
    assert value(connection, "SELECT count(*) FROM ratings") == 0


def movies(*titles: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "movieId": np.arange(1, len(titles) + 1, dtype=np.int32),
            "title": titles,
            "genres": "Comedy|Drama",
            "pca_features": [
                np.linspace(i, i + 1, 10, dtype=np.float32) for i in range(len(titles))
            ],
        }
    )


def test_movies_are_inserted_and_updated(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn) as connection:
        assert load_movies(connection, movies("Heat", "Amélie")) == 2
        assert load_movies(connection, movies("Heat (1995)", "Amélie", "Brazil")) == 3
    with connect(warehouse_dsn) as connection:
        found = connection.execute('SELECT * FROM movies ORDER BY "movieId"').fetchall()
    assert [row[1] for row in found] == ["Heat (1995)", "Amélie", "Brazil"]
    assert found[0][2] == "Comedy|Drama"
    np.testing.assert_allclose(found[1][3], np.linspace(1, 2, 10), rtol=1e-6)

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from cinematch_dagster.drift import DriftPolicy, Level
from cinematch_dagster.pipeline.drift.report import check_week, week_report
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.warehouse.drift.alerts import AlertRow, record_alerts
from cinematch_dagster.warehouse.drift.audience import genre_counts, population
from cinematch_dagster.warehouse.drift.verdicts import latest_verdicts, recorded_report
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.registry.promotions import Policy, merge_buffer, record_promotion
from cinematch_dagster.warehouse.retraining.decisions import open_alerts
from cinematch_dagster.warehouse.schema import SchemaError, migrate
from cinematch_dagster.warehouse.statements import migrations
from cinematch_dagster.warehouse.training.model_metrics import record_metrics
from cinematch_dagster.warehouse.training.training_data import training_ratings
from tests.warehouse.support import batch, many, promotion, value, week

OLD_SCHEMA = (Path(__file__).parent / "schema_0.sql").read_bytes()  # before there were versions
WEEKS = range(1, 5)

OBJECTS = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
    || ' ' || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT pg_get_viewdef(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
ORDER BY 1
"""


def objects(connection: psycopg.Connection) -> list[str]:
    """Every column, index, constraint, trigger, function and view."""
    return [row[0] for row in connection.execute(OBJECTS.encode())]


def tables(connection: psycopg.Connection) -> list[str]:
    found = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    return [row[0] for row in found]


def columns(connection: psycopg.Connection, table: str) -> str:
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        " ORDER BY ordinal_position",
        [table],
    )
    return ", ".join(f'"{row[0]}"' for row in found)


def rows(connection: psycopg.Connection, table: str, names: str = "t.*") -> list[str]:
    found = connection.execute(f"SELECT ROW({names})::text FROM {table} AS t ORDER BY 1".encode())
    return [row[0] for row in found]


@pytest.fixture
def older(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """An empty database."""
    name = f"older_{abs(hash(request.node.name))}"
    with connect(ensure_database(postgres_server, name)) as connection:
        yield connection
    with connect(postgres_server, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def filled(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    """A warehouse with rows in every table: weeks 1 and 2 merged one by one, 3 archived, 4 here."""
    movies = {
        "movieId": list(range(100)),
        "title": ["A film"] * 100,
        "genres": ["Comedy|Drama", "War"] * 50,
        "pca_features": [[0.0] * 10] * 100,
    }
    load_movies(connection, pd.DataFrame(movies))
    baseline = many(500).assign(data_split=["train"] * 300 + ["test"] * 200)
    load_baseline(connection, baseline, "a", week(0))
    record_promotion(connection, promotion("1", 0))
    connection.commit()
    for number in WEEKS:
        load_batch(warehouse_dsn, batch(number, many(100 + number, seed=number)))
        check_week(connection, week(number), DriftPolicy(count_threshold=10))
        connection.commit()
        if number < 4:
            policy: Policy = "archive" if number == 3 else "merge"
            version = str(number + 1)
            record_promotion(connection, promotion(version, number, buffer_policy=policy))
            merge_buffer(connection, week(number), version, policy)
            record_metrics(
                connection, mlflow_run_id=f"mlflow-{version}", week=week(number), rmse=0.9,
                mae=0.7, precision_at_10=0.2, data_size=10,
            )  # fmt: skip
            connection.commit()
    return connection


def take_over(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Write the rows of one database into an older one, as far as it has columns for them."""
    for table in ("ingestion_metadata", *tables(target)):
        if rows(target, table):
            continue
        names = columns(target, table)
        with (
            source.cursor().copy(f"COPY {table} ({names}) TO STDOUT".encode()) as out,
            target.cursor().copy(f"COPY {table} ({names}) FROM STDIN".encode()) as into,
        ):
            for data in out:
                into.write(data)
        if '"id"' in names:
            sequence = f"pg_get_serial_sequence('{table}', 'id'), max(id)"
            target.execute(f"SELECT setval({sequence}) FROM {table}".encode())
    target.commit()


def test_an_old_warehouse_becomes_what_a_new_one_is(
    older: psycopg.Connection, filled: psycopg.Connection
) -> None:
    older.execute(OLD_SCHEMA)
    take_over(filled, older)
    before = {table: rows(older, table, columns(older, table)) for table in tables(older)}
    names = {table: columns(older, table) for table in tables(older)}
    assert {table for table in before if not before[table]} == {"retraining_decisions"}
    migrate(older)
    older.commit()
    assert {table: rows(older, table, names[table]) for table in before} == before
    assert sorted(objects(older)) == sorted(objects(filled))
    for table in tables(filled):
        if table not in {"schema_version", "drift_verdicts"}:
            found, expected = (rows(c, table, columns(filled, table)) for c in (older, filled))
            assert found == expected, table


def test_verdicts_of_old_checks_are_what_their_alerts_tell_and_no_more(
    older: psycopg.Connection, filled: psycopg.Connection
) -> None:
    check_week(filled, week(4), DriftPolicy(count_threshold=10))  # once more
    for rmse in (0.2, 0.0):
        alert = AlertRow(
            week(3), "per_batch", "performance_rmse", rmse, 0.1, rmse > 0.1, "of version 3",
            f"{Level.EARLY.value}; version 3: RMSE 1.0000 against 0.9000; 103 ratings",
        )  # fmt: skip
        record_alerts(filled, [alert])
        filled.commit()
    load_batch(filled.info.dsn, batch(5, many(50)))  # never reported
    older.execute(OLD_SCHEMA)
    take_over(filled, older)
    older.execute("ALTER TABLE drift_alerts DISABLE TRIGGER USER")
    older.execute("DELETE FROM drift_alerts WHERE view = 'per_batch' AND feature_name LIKE 'rat%'")
    older.execute("ALTER TABLE drift_alerts ENABLE TRIGGER USER")
    migrate(older)
    expected = latest_verdicts(filled)
    migrated = latest_verdicts(older)
    assert sorted(migrated) == [week(number) for number in (*WEEKS, 5)]
    for number in WEEKS:
        old, new = migrated[week(number)]["cumulative"], expected[week(number)]["cumulative"]
        assert (old.level, old.n, old.alerting) == (new.level, new.n, True)
        assert (old.decided_at, old.input_digest) == (new.decided_at, new.input_digest)
        assert old.reasons == (new.reasons if new.level in (Level.DRIFT, Level.NO_DRIFT) else None)
        assert (old.policy, old.secondary_thresholds, old.baseline_n) == (None, None, None)
        for known, test in zip(old.results, new.results, strict=True):
            signed = test.feature_name != "rating_distribution_ks"
            assert math.isnan(known.change) == signed
            assert replace(known, change=0) == replace(test, change=0)
        alone = migrated[week(number)]["per_batch"]
        assert (alone.level, alone.tests, alone.decided_at) == (None, None, None)
        assert alone.n == expected[week(number)]["per_batch"].n
        report = recorded_report(migrated[week(number)])
        assert report
        assert (report.level, report.per_batch.level) == (new.level, Level.UNKNOWN)
    unknown = recorded_report(migrated[week(5)])
    assert unknown
    assert (unknown.level, unknown.alerts) == (Level.UNKNOWN, ())
    assert (unknown.per_batch.n, unknown.cumulative.n) == (50, 154)
    history = "SELECT array_agg(coalesce(replaces, 0) ORDER BY id) FROM drift_verdicts WHERE"
    assert value(older, f"{history} week = %s AND view = 'cumulative'", week(3)) == [0]
    first, second = value(older, f"{history} week = %s AND view = 'cumulative'", week(4))
    assert (first, second > 0) == (0, True)
    worse, better = older.execute(
        "SELECT tests -> 0 ->> 'change', level, version, n FROM drift_verdicts"
        " WHERE view = 'performance' ORDER BY id"
    ).fetchall()
    assert worse == ("0.2", Level.EARLY, "3", 103)
    assert better == (None, Level.EARLY, "3", 103)


def test_every_query_works_on_what_was_an_old_warehouse(
    older: psycopg.Connection, filled: psycopg.Connection
) -> None:
    older.execute(OLD_SCHEMA)
    take_over(filled, older)
    migrate(older)
    older.commit()
    policy = DriftPolicy(count_threshold=10)
    weeks = [week(number) for number in WEEKS]
    assert population(older, weeks) == population(filled, weeks)
    for number in WEEKS:
        assert genre_counts(older, week(number)) == genre_counts(filled, week(number))
        assert week_report(older, week(number), policy) == week_report(filled, week(number), policy)
    assert training_ratings(older, week(4)).equals(training_ratings(filled, week(4)))
    assert len(open_alerts(older)) == len(open_alerts(filled))
    older.commit()

    assert load_batch(older.info.dsn, batch(5, many(50), "b")).outcome == "loaded"
    record_promotion(older, promotion("9", 5))
    assert merge_buffer(older, week(5), "9", "merge") == 104 + 50
    older.commit()


def test_of_batches_that_were_merged_together_nothing_is_guessed(
    older: psycopg.Connection, warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    baseline = many(20).assign(data_split="train")
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    for number in (1, 2):
        load_batch(warehouse_dsn, batch(number, many(10, seed=number)))
    merge_buffer(connection, week(2), "2", "merge")
    older.execute(OLD_SCHEMA)
    take_over(connection, older)
    migrate(older)
    assert value(older, "SELECT count(*) FROM ratings WHERE batch_id IS NULL") == 40
    counted = "SELECT string_agg(DISTINCT batch_id, ' ') || sum(n) FROM user_counts"
    assert value(older, counted) == "baseline20"


def test_versions_are_counted_from_one_without_a_gap_and_recorded(
    older: psycopg.Connection,
) -> None:
    versions = [version for version, _ in migrations()]
    assert versions == list(range(1, len(versions) + 1))
    assert migrate(older) == versions[-1]
    recorded = older.execute("SELECT version FROM schema_version ORDER BY version").fetchall()
    assert recorded == [(version,) for version in versions]


def test_a_schema_that_is_up_to_date_is_not_touched(filled: psycopg.Connection) -> None:
    filled.execute("SET lock_timeout = '1ms'")
    with connect(filled.info.dsn) as reader:
        reader.execute("SELECT * FROM ratings, drift_alerts LIMIT 1")  # in a transaction
        assert migrate(filled) == migrations()[-1][0]


@pytest.mark.parametrize("done", [version for version, _ in migrations()])
def test_every_version_can_be_run_again(filled: psycopg.Connection, done: int) -> None:
    def everything() -> dict[str, list[str]]:
        return {
            table: rows(filled, table) for table in tables(filled) if table != "schema_version"
        } | {"schema": objects(filled)}

    before = everything()
    filled.execute("DELETE FROM schema_version WHERE version >= %s", [done])
    migrate(filled)
    assert everything() == before


def test_a_migration_that_fails_leaves_the_old_schema(older: psycopg.Connection) -> None:
    older.execute(OLD_SCHEMA)
    older.execute("CREATE VIEW user_counts AS SELECT 1 AS n")  # in the way
    older.commit()
    before = objects(older)
    with pytest.raises(psycopg.errors.WrongObjectType):
        migrate(older)
    older.rollback()
    assert objects(older) == before


def test_a_newer_schema_is_refused(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO schema_version (version) VALUES (99)")
    with pytest.raises(SchemaError, match="has schema version 99, this program knows"):
        migrate(connection)


def test_live_ratings_that_the_feed_s_file_displaced_are_written_once_more(
    older: psycopg.Connection,
) -> None:
    """Under names of the feed: batch_w1 holds them, batch_w2 the feed's rows, batch_w3 nothing."""
    for _, statements in migrations()[:6]:
        older.execute(statements)
    older.execute(
        """
        INSERT INTO live_ratings (key, "userId", "movieId", rating, given_at, batch_id)
        SELECT gen_random_uuid(), n, 1, rating, now(), 'batch_w' || w
        FROM generate_series(1, 3) AS w, generate_series(1, 2) AS n,
            unnest(ARRAY[3.0, 4.0]) AS rating;
        INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)
        VALUES ('batch_w1', 2, 'completed', '2024-01-01', ''),
            ('batch_w2', 2000, 'completed', '2024-01-08', '')
        """
    )
    for _ in range(2):
        for version, statements in migrations():
            if version == 8:
                older.execute(statements)
        found = older.execute(
            "SELECT batch_id, count(*) FROM live_ratings GROUP BY batch_id ORDER BY batch_id"
        )
        assert found.fetchall() == [("batch_w1", 4), ("live_w2", 4), ("live_w3", 4)]

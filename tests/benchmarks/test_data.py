import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest

from benchmarks.common.pages import render
from benchmarks.common.results import Measured, Results
from benchmarks.common.timing import timed
from benchmarks.data import __main__ as program
from benchmarks.data import ingest, read
from benchmarks.data.ingest import COPY, LIMIT, PLATFORM, TO_SQL
from benchmarks.data.ratings import WEEKS, History, make_history, write_raw
from benchmarks.data.server import raw_table, scratch, warehouse
from benchmarks.data.size import measure_size, simulate
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.copy import RATING_COLUMNS
from cinematch_dagster.warehouse.statements import scalar

ROWS, WEEKLY = 6_000, 300


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return make_history(tmp_path_factory.mktemp("history") / "drawn", ROWS, WEEKLY)


def test_a_history_has_exactly_the_asked_rows_in_the_order_of_time(history: History) -> None:
    assert len(history.baseline) == ROWS
    assert [len(week) for week in history.weeks] == [WEEKLY] * WEEKS
    parts = [history.baseline, *history.weeks]
    ends = [(part["timestamp"].min(), part["timestamp"].max()) for part in parts]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ends))
    assert history.baseline["data_split"].value_counts().to_dict() == {
        "train": 4_200,
        "test": 1_800,
    }


@pytest.mark.parametrize("rows", [1_000_000, 25_000_000])
def test_the_share_that_is_cut_off_gives_the_asked_rows_at_full_size(rows: int) -> None:
    total = rows + 7 * 43_256
    assert int(total * ((rows + 0.5) / total)) == rows


def test_raw_ratings_lie_by_user_as_in_movielens(tmp_path: Path) -> None:
    ratings = pd.read_parquet(write_raw(tmp_path, ROWS) / "ratings.parquet")
    assert len(ratings) == ROWS
    assert ratings["userId"].is_monotonic_increasing
    assert not ratings["timestamp"].is_monotonic_increasing


@pytest.mark.slow  # each part once
def test_everything_is_measured(tmp_path: Path, postgres_server: str) -> None:
    pieces = program.pieces(tmp_path, postgres_server, ROWS, rounds=1, weekly=WEEKLY)
    assert tuple(pieces) == program.PARTS
    found = {name: work() for name, work in pieces.items()}
    loading, reading = found["loading"], found["reading"]
    assert found["preparation"]["ratings"]["rows"] == ROWS
    assert found["size"]["rows"] == ROWS + WEEKS * WEEKLY
    assert {name: t["rows"] for name, t in loading["baseline"].items()} == {
        PLATFORM: ROWS, COPY: ROWS, LIMIT: ROWS, TO_SQL: ROWS,
    }  # fmt: skip
    assert {t["rows"] for t in loading["week"].values()} == {WEEKLY}
    assert {t["rows"] for t in reading["ways"].values()} == {4_200}
    assert reading["result_gb"] == 4_200 * 20 / 2**30
    assert all(
        t["seconds"] > 0
        for ways in (loading["baseline"], loading["week"], reading["ways"])
        for t in ways.values()
    )


def test_the_buffer_for_the_limit_holds_every_rating(
    postgres_server: str, history: History
) -> None:
    buffer = ingest.binary(postgres_server, history.baseline)
    with connect(postgres_server) as connection:
        raw_table(connection)
        with connection.cursor().copy("COPY raw FROM STDIN (FORMAT binary)") as copy:
            copy.write(buffer)
        found = connection.execute("SELECT * FROM raw").fetchall()
        connection.rollback()
    assert found == list(history.baseline[list(RATING_COLUMNS)].itertuples(index=False, name=None))


def test_to_sql_brings_the_same_rows_into_the_same_tables(
    postgres_server: str, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "TO_SQL_ROWS", 100)
    found = ingest.time_baseline(postgres_server, history.baseline, rounds=1)
    assert {name: t["rows"] for name, t in found.items()} == {
        PLATFORM: ROWS, COPY: ROWS, LIMIT: ROWS, TO_SQL: 100,
    }  # fmt: skip


def test_a_simulation_merges_every_week_and_all_of_it_is_measured(
    postgres_server: str, history: History
) -> None:
    with warehouse(postgres_server) as dsn:
        simulate(dsn, history)
        size = measure_size(dsn)
        with connect(dsn) as connection:
            merged = b"SELECT count(*) FROM ingestion_metadata WHERE merged_at IS NOT NULL"
            assert scalar(connection, merged) == WEEKS
            assert scalar(connection, b"SELECT count(*) FROM ratings_buffer") == 0
            assert scalar(connection, b"SELECT count(*) FROM movies") == len(history.movies)
            whole = scalar(connection, b"SELECT pg_total_relation_size('ratings')")
    assert size["rows"] == ROWS + WEEKS * WEEKLY
    assert size["tables_mb"]["ratings"] == whole / 2**20
    assert sum(size["tables_mb"].values()) < size["database_mb"]
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(dsn)


def test_only_train_rows_are_read_at_most_so_many_by_pandas(
    postgres_server: str, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "SELECT", f"{read.SELECT.partition('LIMIT')[0]} LIMIT 50")
    with warehouse(postgres_server) as dsn:
        ingest.load_once(dsn, history.baseline)
        found = read.time_read(dsn, rounds=1)
    assert [found[name]["rows"] for name in (PLATFORM, read.READ_SQL)] == [4_200, 50]


def test_the_scratch_server_is_gone_afterwards() -> None:
    with scratch() as (folder, server):
        assert embedded.running(folder / "postgres")
        with connect(server) as connection:
            assert scalar(connection, b"SELECT 1") == 1
    assert not folder.exists()


MEASURED: Measured = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}


def hand_made(rows: int) -> dict[str, Any]:
    return {
        "preparation": {
            "ratings": timed(rows, 0.4 * rows / 1e6),
            "movies": timed(100, 0.1 * rows / 1e6),
            "peak_gb": 5.0,
        },
        "loading": {
            "rounds": 5,
            "baseline": {
                PLATFORM: timed(rows, rows / 600_000),
                COPY: timed(rows, rows / 1_500_000),
                LIMIT: timed(rows, rows / 3_000_000),
                TO_SQL: timed(1_000, 1_000 / 15_000),
            },
            "week": {PLATFORM: timed(40, 0.2), LIMIT: timed(40, 0.1), TO_SQL: timed(40, 0.4)},
        },
        "reading": {
            "ways": {PLATFORM: timed(rows, 0.1), read.READ_SQL: timed(rows, 1.0)},
            "beyond_gb": 1.0,
        },
        "size": {
            "weekly": 40,
            "rows": rows,
            "database_mb": 768.0,
            "tables_mb": {"ratings": 100 * rows / 2**20, "movies": 10 / 2**20},
        },
    }


def page(folder: Path, *sizes: int) -> str:
    results = Results(folder / "results.json")
    for rows in sizes:
        for part, figures in hand_made(rows).items():
            results.keep(f"{rows}/{part}", figures, MEASURED)
    return render("data/figures", results)


def test_the_page_compares_each_figure_with_its_target(tmp_path: Path) -> None:
    text = page(tmp_path, 1_000_000)
    assert "| baseline, times pandas.to_sql | 40.0 | at least 30: met |" in text
    assert "| baseline, share of raw COPY | 0.20 | at least 0.5: missed, 0.40 of it |" in text
    assert "| training read, times pandas.read_sql | 10.0 | at least 5: met |" in text
    assert "| 768 MB | at most 512 MB: missed, 1.50 of it |" in text
    assert "| week: the platform | 40 | 0.200 | 200 | 0.50 | 2.0 |" in text
    assert "| ratings: clean, reduce, cut, split, batches | 1,000,000 | 0.40 | 2,500,000 |" in text
    assert "at most 5.00 GB in use, the training read 1.00 GB beyond its result" in text
    assert "| `ratings` | 95.4 | 100.0 |" in text
    assert "`movies`" not in text


def test_memory_and_preparation_have_targets_for_more_than_a_million(tmp_path: Path) -> None:
    text = page(tmp_path, 25_000_000)
    assert "| training read, memory beyond the result | 1.00 GB | at most 2 GB: met |" in text
    assert "| preparation, million ratings a second | 2.00 | at least 1: met |" in text
    assert "| 5.00 GB | at most 4 GB: missed, 1.25 of it |" in text
    assert "512 MB" not in text
    assert "at least 0.5" not in text


def test_growth_is_the_cost_of_a_million(tmp_path: Path) -> None:
    assert page(tmp_path, 10_000_000, 2_000_000, 1_000_000).splitlines()[-3:] == [
        "| 1,000,000 | 0.50 | 1.67 | 0.10 | 768 | 100.0 |",
        "| 2,000,000 | 0.50 | 1.67 | 0.05 | 384 | 100.0 |",
        "| 10,000,000 | 0.50 | 1.67 | 0.01 | 77 | 100.0 |",
    ]


def test_the_program_keeps_every_part_of_each_size_and_shows_what_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = "<!-- data/figures -->\n<!-- end of data/figures -->\n"
    (tmp_path / "benchmarks.md").write_text(marker)

    def pieces(_folder: Path, _server: str, rows: int, *_: object) -> dict[str, Any]:
        return {name: figures.copy for name, figures in hand_made(rows).items()}

    monkeypatch.setattr(program, "pieces", pieces)
    places = ["--docs", str(tmp_path), "--results", str(tmp_path / "results.json")]
    program.main(["--rows", "2000", "1000", *places])
    program.main(["--rows", "3000", "--parts", "size", *places])
    assert {k: set(v) for k, v in Results(tmp_path / "results.json").figures().items()} == {
        "1000": set(program.PARTS), "2000": set(program.PARTS), "3000": {"size"},
    }  # fmt: skip
    text = (tmp_path / "benchmarks.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings == ["### 1,000 ratings", "### 2,000 ratings", "### Growth"]
    assert "PostgreSQL" in text

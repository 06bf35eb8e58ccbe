"""A week's batch files are read, checked against what is known, and loaded."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg

from cinematch_dagster.batches import BadBatchError, DataError, batch_id, read_batch
from cinematch_dagster.batches.checks import (
    known_pairs,
    none_held_out,
    outside_window,
    unknown_movies,
    unusual_row_count,
)
from cinematch_dagster.batches.frame import PAIR
from cinematch_dagster.batches.validation import check_location
from cinematch_dagster.batches.weeks import is_live, live_id
from cinematch_dagster.pipeline.preparation.files import file_sha256
from cinematch_dagster.pipeline.preparation.prepare import Folders
from cinematch_dagster.postgres.connection import connect, one_for_several
from cinematch_dagster.postgres.copy import copy_out
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.batches import (
    Batch,
    Loaded,
    held_out_rows,
    load_batch,
    record_failure,
)
from cinematch_dagster.warehouse.ingestion.metadata import Ingestion, IngestionError, ingestion
from cinematch_dagster.warehouse.statements import query

#: What is looked at beside the file's own validity; a finding warns, the week is loaded.
FINDINGS = {
    "known_movies": "Every rated movie is in the catalogue.",
    "new_pairs": "No user has rated the same movie in another batch of the buffer.",
    "usual_row_count": "The week has about as many ratings as the weeks before it.",
    "own_time": "The ratings lie between those of earlier and later weeks of the buffer.",
    "held_out": "Some ratings are held out, so that models can be compared on the week.",
}


@dataclass(frozen=True)
class LoadedWeek:
    """One of a week's batches in the buffer.

    Attributes:
        result: what the load did.
        held_out: how many of its rows no model is trained on.
        findings: a sentence for each of `FINDINGS`, None where there is nothing to say.
    """

    path: Path
    ratings: pd.DataFrame
    injected: str | None
    result: Loaded
    held_out: int
    findings: dict[str, str | None]


def batch_path(folder: Path, name: str) -> Path:
    """Return where the file of a batch lies in a folder."""
    return folder / f"{name}.parquet"


def load_week(
    dsn: str,
    week: datetime.date,
    settings: Settings,
    connection: psycopg.Connection | None = None,
) -> list[LoadedWeek]:
    """Load the files of a week: the feed's, and the one of live ratings, as far as they are there.

    Args:
        dsn: of the warehouse.
        week: the Monday.
        settings: say where the files lie, and what their batches are called.
        connection: in autocommit mode, for one week after the other; None for one of its own.

    Raises:
        FileNotFoundError: there is neither.
        BadBatchError: one is refused whole; its batch is then marked as failed with this message,
            and the other one is loaded.
    """
    loaded: list[LoadedWeek] = []
    refused: list[Exception] = []
    with one_for_several(dsn, connection) as open_connection:
        for path in _files(open_connection, week, settings):
            try:
                loaded.append(_load_file(dsn, week, path, settings, open_connection))
            except (DataError, IngestionError, OSError) as error:
                refused.append(error)
    if refused:
        raise refused[0]
    return loaded


def _files(
    connection: psycopg.Connection, week: datetime.date, settings: Settings
) -> Iterator[Path]:
    """Yield the week's files in the landing folder, the feed's else from the prepared batches.

    A prepared batch never takes the place of what the feed delivered.
    """
    first, landing = settings.data.first_week, settings.landing_dir
    name, live = batch_id(week, first), batch_path(landing, live_id(week, first))
    landed, prepared = (
        batch_path(folder, name) for folder in (landing, Folders(settings.prepared_dir).batches)
    )
    if landed.exists():
        yield landed
    elif prepared.exists() and _may_be_prepared(ingestion(connection, name), prepared):
        yield prepared
    elif not live.exists():
        raise FileNotFoundError(
            f"{landed}: week {week} has no batch file, {landed.name} was expected there or in "
            f"{prepared.parent}"
        )
    if live.exists():
        yield live


def _may_be_prepared(known: Ingestion | None, prepared: Path) -> bool:
    """Whether no other file of a batch was loaded than the prepared one."""
    return not (known and known.status == "completed") or known.holds(file_sha256(prepared))


def _load_file(
    dsn: str, week: datetime.date, path: Path, settings: Settings, connection: psycopg.Connection
) -> LoadedWeek:
    name, sha256 = path.stem, ""
    try:
        check_location(path)
        sha256 = file_sha256(path)
        ratings, injected = read_batch(path)
    except BadBatchError as error:
        with connect(dsn) as other:
            record_failure(other, name, week, sha256, str(error))
        raise
    share = settings.training.held_out_share
    findings = _findings(connection, name, week, ratings)
    result = load_batch(dsn, Batch(name, week, ratings, sha256, injected, share), connection)
    held_out = held_out_rows(connection, name)
    findings["held_out"] = none_held_out(result.rows, held_out, share)
    return LoadedWeek(path, ratings, injected, result, held_out, findings)


def _findings(
    connection: psycopg.Connection, name: str, week: datetime.date, ratings: pd.DataFrame
) -> dict[str, str | None]:
    users, rated = (pd.unique(ratings[column]).tolist() for column in PAIR)
    found = connection.execute('SELECT "movieId" FROM movies WHERE "movieId" = ANY(%s)', [rated])
    movies = np.array([row[0] for row in found], dtype="int32")
    others = copy_out(connection, query("ingestion/other_batches"), {"name": name, "users": users})
    asked = {"week": week, "kind": r"live\_w%" if is_live(name) else r"batch\_w%"}
    around = connection.execute(query("ingestion/batch_context"), asked).fetchone()
    recent, after, before = around or ([], None, None)
    return {
        "known_movies": unknown_movies(ratings, movies),
        "new_pairs": known_pairs(ratings, others),
        "usual_row_count": unusual_row_count(len(ratings), recent),
        "own_time": outside_window(ratings, after, before),
    }

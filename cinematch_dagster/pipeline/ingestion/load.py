"""Station 1: a week's batch file is read, checked against what is known, and loaded."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg

from cinematch_dagster.batches import BadBatchError, batch_id, read_batch
from cinematch_dagster.batches.checks import (
    known_pairs,
    outside_window,
    unknown_movies,
    unusual_row_count,
)
from cinematch_dagster.batches.frame import PAIR
from cinematch_dagster.batches.validation import check_location
from cinematch_dagster.pipeline.preparation.files import file_sha256
from cinematch_dagster.postgres.connection import connect, one_for_several
from cinematch_dagster.postgres.copy import copy_out
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.batches import Batch, Loaded, load_batch, record_failure
from cinematch_dagster.warehouse.statements import query

#: What is looked at beside the file's own validity; a finding warns, the week is loaded.
FINDINGS = {
    "known_movies": "Every rated movie is in the catalogue.",
    "new_pairs": "No user has rated the same movie in another batch of the buffer.",
    "usual_row_count": "The week has about as many ratings as the weeks before it.",
    "own_time": "The ratings lie between those of earlier and later weeks of the buffer.",
}


@dataclass(frozen=True)
class LoadedWeek:
    """A week in the buffer.

    Attributes:
        result: what the load did.
        findings: a sentence for each of `FINDINGS`, None where there is nothing to say.
    """

    path: Path
    ratings: pd.DataFrame
    injected: str | None
    result: Loaded
    findings: dict[str, str | None]


def batch_path(folder: Path, name: str) -> Path:
    """Return where the file of a batch lies in a folder."""
    return folder / f"{name}.parquet"


def load_week(
    dsn: str,
    week: datetime.date,
    settings: Settings,
    connection: psycopg.Connection | None = None,
) -> LoadedWeek:
    """Load the file of a week from the landing folder.

    Args:
        dsn: of the warehouse.
        week: the Monday.
        settings: say where the file lies, and what its batch is called.
        connection: in autocommit mode, for one week after the other; None for one of its own.

    Raises:
        FileNotFoundError: there is none.
        BadBatchError: it is refused whole; the week is then marked as failed with this message.
    """
    name = batch_id(week, settings.data.first_week)
    path = batch_path(settings.landing_dir, name)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: week {week} has no batch file, {path.name} was expected")
    sha256 = ""
    try:
        check_location(path)
        sha256 = file_sha256(path)
        ratings, injected = read_batch(path)
    except BadBatchError as error:
        with connect(dsn) as other:
            record_failure(other, name, week, sha256, str(error))
        raise
    batch = Batch(name, week, ratings, sha256, injected, settings.training.held_out_share)
    with one_for_several(dsn, connection) as open_connection:
        findings = _findings(open_connection, name, week, ratings)
        result = load_batch(dsn, batch, open_connection)
    return LoadedWeek(path, ratings, injected, result, findings)


def _findings(
    connection: psycopg.Connection, name: str, week: datetime.date, ratings: pd.DataFrame
) -> dict[str, str | None]:
    users, rated = (pd.unique(ratings[column]).tolist() for column in PAIR)
    found = connection.execute('SELECT "movieId" FROM movies WHERE "movieId" = ANY(%s)', [rated])
    movies = np.array([row[0] for row in found], dtype="int32")
    others = copy_out(connection, query("ingestion/other_batches"), {"name": name, "users": users})
    around = connection.execute(query("ingestion/batch_context"), {"week": week}).fetchone()
    recent, after, before = around or ([], None, None)
    return {
        "known_movies": unknown_movies(ratings, movies),
        "new_pairs": known_pairs(ratings, others),
        "usual_row_count": unusual_row_count(len(ratings), recent),
        "own_time": outside_window(ratings, after, before),
    }

"""The two formats of MovieLens: CSV with a header, and '::' between the fields without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from cinematch_dagster.batches.frame import COLUMNS, is_plausible_time
from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources.layout import layout_of
from cinematch_dagster.movielens.sources.movie_lines import parse_movies
from cinematch_dagster.movielens.sources.rating_lines import (
    NARROW,
    Fault,
    count_lines,
    narrowed,
    parse_by_field,
    parse_plain,
)

RATINGS: Final = ("ratings.csv", "ratings.dat")
MOVIES: Final = ("movies.csv", "movies.dat")
BLOCK_SIZE: Final = 1 << 23  # bytes
MOST_FAULTS: Final = 1_000_000
PARTS_OF_A_SECOND: Final = (1_000, 1_000_000, 1_000_000_000)


class RawData(NamedTuple):
    """Data as published, before any cleaning.

    ratings: columns userId, movieId, rating, timestamp.
    movies: columns movieId, title (with the year of release), genres (pipe-separated).
    unparsable: lines that are no rating, see `read_ratings`; None where there can be none.
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame
    unparsable: pd.DataFrame | None = None


def read_raw(folder: Path) -> RawData:
    """Read a folder's ratings and movies.

    Raises:
        BadDatasetError: one of the two can't be used.
    """
    movies = read_movies(folder)
    ratings, unparsable = read_ratings(folder)
    return RawData(ratings, movies, unparsable)


def read_ratings(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read ratings.csv or ratings.dat.

    A line is a row, there is no quoting. Blocks of plain lines are read by all cores into the
    types of a ratings frame, the others field by field; an empty field is null. Where all values
    fit them, the types are those of a ratings frame, else they are wider. Timestamps that are all
    in milli-, micro- or nanoseconds become seconds.

    Returns:
        Columns userId, movieId, rating, timestamp, in the order of the file; and the lines that
        are not four numbers: line (from 1, empty lines not counted), text, reason
        (unparsable_line), fault (why, in words). Together they are all lines of the file.

    Raises:
        BadDatasetError: there is no such file, it is empty or no text, a column is not in its
            header, or more than a million lines are no ratings.
    """
    path = present(folder, RATINGS)
    layout = layout_of(path, COLUMNS)
    tables, faults, line = [NARROW.empty_table()], list[Fault](), layout.first_line
    for block in _blocks(path, layout.begin):
        if not (n_lines := count_lines(block)):
            continue
        table, found = parse_plain(block, layout), list[Fault]()
        if table is None:
            table, found = parse_by_field(block, layout, line)
            exact = narrowed(table)
            table = table if exact is None else exact
        if len(table) + len(found) != n_lines:
            raise BadDatasetError(
                f"{path}: {len(table)} ratings and {len(found)} rejects were read from line {line} "
                f"on, expected one or the other for each of {n_lines} lines"
            )
        tables.append(table)
        faults += found
        line += n_lines
        if len(faults) > MOST_FAULTS:
            raise BadDatasetError(
                f"{path}: more than {MOST_FAULTS} lines are no ratings, the first is line "
                f"{faults[0].line}, {faults[0].why}"
            )
    ratings = to_pandas(pa.concat_tables(tables, promote_options="permissive"))
    return _in_seconds(ratings), _unparsable(faults)


def read_movies(folder: Path) -> pd.DataFrame:
    """Read movies.csv or movies.dat, UTF-8 or latin-1: movieId int32, title, genres.

    Raises:
        BadDatasetError: there is no such file, or a line can't be used; see `parse_movies`.
    """
    return parse_movies(present(folder, MOVIES))


def present(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first of the files that is in the folder.

    Raises:
        BadDatasetError: none is.
    """
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise BadDatasetError(f"{folder}: holds no {' or '.join(names)}")
    return found


def _blocks(path: Path, begin: int) -> Iterator[bytes]:
    """Yield the bytes from `begin` on, in blocks of whole lines."""
    with path.open("rb") as file:
        file.seek(begin)
        while block := file.read(BLOCK_SIZE):
            rest = file.readline(BLOCK_SIZE)
            if len(rest) == BLOCK_SIZE:
                raise BadDatasetError(
                    f"{path}: can't be read as lines of ratings (one is longer than "
                    f"{BLOCK_SIZE} bytes)"
                )
            yield block + rest


def _in_seconds(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return unix seconds where every timestamp is plausible in another unit and in no other."""
    known = ratings["timestamp"].dropna()
    if known.empty or is_plausible_time(known.to_numpy()[:1]).all():
        return ratings
    for parts in PARTS_OF_A_SECOND:
        if is_plausible_time(np.floor_divide(known.to_numpy(), parts)).all():
            return ratings.assign(timestamp=ratings["timestamp"] // parts)
    return ratings


def _unparsable(faults: list[Fault]) -> pd.DataFrame:
    frame = pd.DataFrame(faults, columns=["line", "text", "fault"])
    frame.insert(2, "reason", "unparsable_line")
    return frame.astype({"line": "int64", "text": "object", "reason": "object", "fault": "object"})


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Turn a table into a frame without a second copy; the table can't be used afterwards."""
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame

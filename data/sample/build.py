"""Make the shipped sample from ml-latest-small: `python build.py ml-latest-small.zip`.

Nothing is left out and no value changes: the two CSV files become Parquet files, the ratings in
the order (timestamp, userId, movieId), the movies by movieId. The encodings are the smallest
tried. The same archive and the same pyarrow give the same bytes.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

RATINGS = {
    "userId": pa.int32(),
    "movieId": pa.int32(),
    "rating": pa.float32(),
    "timestamp": pa.int64(),
}
MOVIES = {"movieId": pa.int32(), "title": pa.string(), "genres": pa.string()}


def build(source: Path, folder: Path) -> None:
    """Write ratings.parquet and movies.parquet into `folder`."""
    ratings = _read(source, "ml-latest-small/ratings.csv", RATINGS)
    movies = _read(source, "ml-latest-small/movies.csv", MOVIES)
    _write(
        ratings.sort_by([(name, "ascending") for name in ("timestamp", "userId", "movieId")]),
        folder / "ratings.parquet",
        dictionary=["rating"],
        encoding={
            "userId": "PLAIN",
            "movieId": "BYTE_STREAM_SPLIT",
            "timestamp": "DELTA_BINARY_PACKED",
        },
    )
    _write(
        movies.sort_by("movieId"),
        folder / "movies.parquet",
        dictionary=["genres"],
        encoding={"movieId": "DELTA_BINARY_PACKED", "title": "DELTA_LENGTH_BYTE_ARRAY"},
    )


def _read(source: Path, member: str, types: dict[str, pa.DataType]) -> pa.Table:
    with zipfile.ZipFile(source) as archive, archive.open(member) as file:
        options = pa.csv.ConvertOptions(column_types=types, include_columns=list(types))
        return pa.csv.read_csv(file, convert_options=options)


def _write(table: pa.Table, path: Path, dictionary: list[str], encoding: dict[str, str]) -> None:
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=22,
        use_dictionary=dictionary,
        column_encoding=encoding,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="ml-latest-small.zip, the edition of 2016")
    build(parser.parse_args().source, Path(__file__).parent)

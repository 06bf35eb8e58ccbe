"""MovieLens-shaped ratings of any size, in the order of time and in bounded memory.

Nothing in them is MovieLens data. They stand in where licence or network forbid it.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cinematch_dagster.movielens.sources.population import END, STD, Movies, Users, draw_population

# Share of 0.5, 1.0, … 5.0 stars: the histogram of ml-25m as published, in per cent.
HISTOGRAM: Final = np.array([1.6, 3.1, 1.6, 6.6, 5.0, 19.6, 12.7, 26.6, 8.8, 14.5]) / 100.1
BLOCK: Final = 1_000_000  # ratings drawn at a time
DAY: Final = 86_400
SPEC_KEY: Final = b"cinematch.synthetic"
SCHEMA: Final = pa.schema(
    {"userId": pa.int32(), "movieId": pa.int32(), "rating": pa.float32(), "timestamp": pa.int64()}
)


@dataclass(frozen=True)
class Synthetic:
    """What to make. Users and movies follow the proportions of ml-25m unless given.

    ratings: number of rows. seed: the same seed gives the same rows. users: every one gives 20
    ratings or more. movies: some of them have no rating.
    """

    ratings: int = 1_000_000
    seed: int = 42
    users: int = 0
    movies: int = 0

    def __post_init__(self) -> None:
        size = self.ratings / 25_000_095
        object.__setattr__(self, "users", self.users or max(1, round(162_541 * size)))
        object.__setattr__(self, "movies", self.movies or round(62_423 * size ** (1 / 3)))


def write_synthetic(folder: Path, spec: Synthetic) -> None:
    """Write ratings.parquet and movies.parquet, unless the folder holds the same already."""
    if _spec_of(folder) == spec:
        return
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    rng = np.random.default_rng(spec.seed)
    movies, users = draw_population(spec.ratings, spec.users, spec.movies, rng)
    schema = SCHEMA.with_metadata({SPEC_KEY: json.dumps(asdict(spec)).encode()})
    with pq.ParquetWriter(partial / "ratings.parquet", schema, compression="zstd") as writer:
        for table in stream_ratings(movies, users, rng):
            writer.write_table(table.cast(schema))
    movies.frame().to_parquet(partial / "movies.parquet", index=False)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def stream_ratings(movies: Movies, users: Users, rng: np.random.Generator) -> Iterator[pa.Table]:
    """Yield all ratings by (timestamp, userId, movieId), each pair once.

    Users are drawn in the order of arrival. A rating is complete, and leaves, once every user
    still to come arrives after it; what returning users give later waits.
    """
    thresholds = _thresholds(movies, users, rng)
    blocks = np.cumsum(users.n_ratings) // BLOCK
    ends = [*(np.flatnonzero(np.diff(blocks)) + 1), len(users.ids)]
    waiting = [np.empty(0, t) for t in (np.int32, np.int32, np.float32, np.int64)]
    for start, end in itertools.pairwise([0, *ends]):
        drawn = _draw(movies, users[start:end], thresholds, rng)
        columns = [np.concatenate(pair) for pair in zip(waiting, drawn, strict=True)]
        complete = columns[3] < (users.arrival[end] if end < len(users.ids) else np.inf)
        waiting = [column[~complete] for column in columns]
        leaving = [column[complete] for column in columns]
        order = np.lexsort((leaving[1], leaving[0], leaving[3]))
        yield pa.table([column[order] for column in leaving], schema=SCHEMA)


def _draw(
    movies: Movies, users: Users, thresholds: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return userId, movieId, rating and timestamp of all ratings of some users."""
    user = np.repeat(np.arange(len(users.ids)), users.n_ratings)
    time = _draw_times(users, user, rng)
    movie = _draw_movies(movies, users, user, time, rng)
    level = np.searchsorted(thresholds, _scores(movies, users, user, movie, rng))
    rating = ((level + 1) / 2).astype(np.float32)
    return [users.ids[user], movies.ids[movie], rating, time]


def _draw_times(users: Users, user: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return unix seconds, shape of `user`: most within hours of arrival, the others later.

    The delay of the later ones is uniform in its logarithm, from a day to the end of the data.
    """
    span = (END - users.arrival)[user]
    later = DAY * (np.maximum(span, DAY) / DAY) ** rng.random(len(user))
    first_day = rng.random(len(user)) ** 3 * DAY
    delay = np.where(rng.random(len(user)) < users.late_share[user], later, first_day)
    return np.asarray(users.arrival[user] + np.minimum(delay, span - 1).astype(np.int64))


def _draw_movies(
    movies: Movies, users: Users, user: np.ndarray, time: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a movie's row for each rating: there already at its time, no user's twice.

    A genre is drawn by the user's taste, a movie in it by popularity; a movie that the user has
    is drawn again, in the end from all genres and movies evenly.
    """
    movie = np.empty(len(user), np.int64)
    redraw = open_rows = np.arange(len(user))
    for evenly in itertools.chain([False] * 10, itertools.repeat(True)):
        movie[redraw] = _draw_once(movies, users, user[redraw], time[redraw], evenly, rng)
        pair = user[open_rows] * np.int64(len(movies.ids)) + movie[open_rows]
        order = np.argsort(pair, kind="stable")
        is_again = np.diff(pair[order], prepend=-1) == 0
        if not is_again.any():
            break
        redraw = open_rows[order[is_again]]
        is_open = np.zeros(len(users.ids), bool)
        is_open[user[redraw]] = True
        open_rows = open_rows[is_open[user[open_rows]]]
    return movie


def _draw_once(
    movies: Movies,
    users: Users,
    user: np.ndarray,
    time: np.ndarray,
    evenly: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    by_arrival = movies.genre * np.int64(2 * END) + movies.arrival
    if evenly:
        genre = rng.integers(len(movies.bounds) - 1, size=len(user))
    else:
        draws = rng.random(len(user), dtype=np.float32)
        genre = (users.genre_before[user] < draws[:, None]).sum(axis=1)
    first = movies.bounds[genre]
    after = np.searchsorted(by_arrival, genre * np.int64(2 * END) + time, side="right")
    if evenly:
        return np.asarray(rng.integers(first, after))
    low, high = movies.weight_before[first], movies.weight_before[after]
    found = np.searchsorted(movies.weight_before, rng.uniform(low, high), side="right") - 1
    return np.asarray(np.clip(found, first, after - 1))


def _scores(
    movies: Movies, users: Users, user: np.ndarray, movie: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return how much each user likes each movie: biases + factors + noise."""
    liking = np.einsum("nf,nf->n", users.factors[user], movies.factors[movie])
    noise = STD["noise"] * rng.standard_normal(len(user), dtype=np.float32)
    return np.asarray(users.bias[user] + movies.bias[movie] + liking + noise)


def _thresholds(movies: Movies, users: Users, rng: np.random.Generator) -> np.ndarray:
    """Return the scores between the ten ratings, shape (9,), that give `HISTOGRAM`.

    They are quantiles of the scores of a sample of users spread over all of the time.
    """
    some = users[:: max(1, int(users.n_ratings.sum()) // BLOCK)]
    user = np.repeat(np.arange(len(some.ids)), some.n_ratings)
    movie = _draw_movies(movies, some, user, _draw_times(some, user, rng), rng)
    scores = _scores(movies, some, user, movie, rng)
    return np.asarray(np.quantile(scores, np.cumsum(HISTOGRAM)[:-1]))


def _spec_of(folder: Path) -> Synthetic | None:
    path = folder / "ratings.parquet"
    metadata = pq.read_schema(path).metadata if path.is_file() else None
    return None if metadata is None else Synthetic(**json.loads(metadata[SPEC_KEY]))

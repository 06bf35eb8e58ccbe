"""The format of a served model: a folder with arrays, two text columns and a manifest.

`model.json` holds `ModelInfo`, the names of the genres, and each head's kind and numbers;
`movies.arrow` (Arrow IPC file) the titles and genres; `arrays.npz` every field of `Arrays` by its
name, and every array of a head by its name after `rating_` or `ranking_`. Format 2 had a `.npy`
file for each array, and is still read. There are no pickles, and everything large is memory-mapped,
so that workers share it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from serving.model.archive import NpyFolder, Npz, write_npz
from serving.model.arrays import (
    ArrayStore,
    Ints,
    ModelError,
    Offsets,
    Reals,
    Rows,
    arrays_of,
    numbers,
    read_arrays,
    specs,
)
from serving.model.heads import RANKING_KINDS, RATING_KINDS, RankingHead, RatingHead

FORMAT = 3
"""What is written; `STORES` has what can be read."""
STORES: dict[int, Callable[[Path], ArrayStore]] = {
    2: NpyFolder,
    3: lambda folder: Npz(folder / ARRAYS),
}
ARRAYS = "arrays.npz"
REASONS = 20
"""Places of a list whose reasons are looked up rather than worked out."""

Head = TypeVar("Head")


@dataclass(frozen=True)
class ModelInfo:
    """What a model is.

    Attributes:
        format: version of this format.
        week: the Monday the model was trained for, ISO.
        trained_at: when, ISO with offset.
        n_users: users with at least one training rating.
        n_movies: movies in the catalogue, rated or not.
        n_ratings: training ratings.
        algorithm: rating head and ranking head, such as `svd+als`.
        guesses: whether the heads hold guesses for movies without a rating; without them such
            a movie is never recommended.
    """

    format: int
    week: str
    trained_at: str
    n_users: int
    n_movies: int
    n_ratings: int
    algorithm: str
    guesses: bool = False


@dataclass(frozen=True)
class Arrays:
    """The numbers beside the heads; movies and users are rows, in ascending order of their ids.

    Each is annotated with its dtype and the names of its dimensions.

    Attributes:
        movie_ids: MovieLens ids.
        movie_counts: training ratings.
        movie_damped_mean: popularity, in stars.
        genre_movies: whether a movie has a genre.
        user_ids: MovieLens ids.
        rated_offsets: user `u` rated `rated_movies[rated_offsets[u]:rated_offsets[u + 1]]`.
        rated_movies: rows of movies, ascending within a user.
        rated_halves: their ratings in half stars, 1 to 10.
        list_movies: one past the rows of each user's best movies, best first, rated ones out;
            0 pads.
        list_scores: their ranking scores.
        list_nearest: for the first `REASONS` of them, one past the row of the liked movie that
            explains it; 0 is none.
    """

    movie_ids: Annotated[Ints, "int32", "movies"]
    movie_counts: Annotated[Ints, "int32", "movies"]
    movie_damped_mean: Annotated[Reals, "float32", "movies"]
    genre_movies: Annotated[npt.NDArray[np.bool_], "bool", "genres", "movies"]
    user_ids: Annotated[Ints, "int32", "users"]
    rated_offsets: Annotated[Offsets, "int64", "users + 1"]
    rated_movies: Annotated[Rows, "rows", "ratings"]
    rated_halves: Annotated[npt.NDArray[np.uint8], "uint8", "ratings"]
    list_movies: Annotated[Rows, "rows", "users", "list"]
    list_scores: Annotated[Reals, "float16", "users", "list"]
    list_nearest: Annotated[Rows, "rows", "users", "reasons"]


class _Manifest(NamedTuple):
    info: ModelInfo
    genre_names: tuple[str, ...]
    rating: dict[str, Any]
    ranking: dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """Everything in a model's folder.

    Attributes:
        info: what the model is.
        genre_names: of the rows of `Arrays.genre_movies`.
        rating: the head that expects stars.
        ranking: the head that orders.
        arrays: everything beside the heads.
        titles: with the year, a row a movie.
        genres: pipe-separated, a row a movie.
    """

    info: ModelInfo
    genre_names: tuple[str, ...]
    rating: RatingHead
    ranking: RankingHead
    arrays: Arrays
    titles: pa.StringArray
    genres: pa.StringArray

    @property
    def candidates(self) -> npt.NDArray[np.bool_]:
        """Whether a movie may be recommended to a user with ratings, (n_movies,)."""
        return np.asarray((self.arrays.movie_counts > 0) | self.info.guesses)

    def write(self, folder: Path) -> None:
        """Write the folder; the manifest comes last."""
        folder.mkdir(parents=True, exist_ok=True)
        n_movies = self.info.n_movies
        arrays = (
            arrays_of(self.arrays, "", n_movies)
            | arrays_of(self.rating, "rating_", n_movies)
            | arrays_of(self.ranking, "ranking_", n_movies)
        )
        write_npz(folder / ARRAYS, arrays)
        table = pa.table({"title": self.titles, "genres": self.genres})
        with pa.ipc.new_file(folder / "movies.arrow", table.schema) as writer:
            writer.write_table(table)
        manifest = {
            "info": asdict(replace(self.info, format=FORMAT)),
            "genre_names": self.genre_names,
            "rating": _described(self.rating, RATING_KINDS),
            "ranking": _described(self.ranking, RANKING_KINDS),
        }
        (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Map the folder into memory.

        Raises:
            ModelError: a file is missing, unreadable, of another shape or dtype, or not finite,
                or the manifest names a head's kind that is not known.
        """
        path = folder / "model.json"
        info, genre_names, rating, ranking = _read_manifest(path)
        sizes = {
            "movies": info.n_movies,
            "movies + 1": info.n_movies + 1,
            "users": info.n_users,
            "users + 1": info.n_users + 1,
            "ratings": info.n_ratings,
            "genres": len(genre_names),
        }
        store = STORES[info.format](folder)
        arrays = Arrays(**read_arrays(Arrays, store, "", sizes))
        titles, genres = _read_movies(folder / "movies.arrow", info.n_movies)
        return cls(
            info,
            genre_names,
            _read_head(path, "rating", rating, RATING_KINDS, store, sizes),
            _read_head(path, "ranking", ranking, RANKING_KINDS, store, sizes),
            arrays,
            titles,
            genres,
        )


def _described(head: Head, kinds: dict[str, type[Head]]) -> dict[str, Any]:
    """Return a head's kind and numbers, for the manifest."""
    kind = next(name for name, known in kinds.items() if type(head) is known)
    return {"kind": kind, **numbers(head)}


def _read_manifest(path: Path) -> _Manifest:
    try:
        manifest = json.loads(path.read_text())
        if (found := manifest["info"]["format"]) not in STORES:
            known = " or ".join(map(str, STORES))
            raise ModelError(f"{path} says format {found}: format {known} was expected")
        info = ModelInfo(**manifest["info"])
        genre_names = tuple(manifest["genre_names"])
        return _Manifest(info, genre_names, dict(manifest["rating"]), dict(manifest["ranking"]))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: a model's folder was expected") from None
    except ModelError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not a model's manifest: {error}") from error


def _read_head(
    path: Path,
    which: str,
    described: dict[str, Any],
    kinds: dict[str, type[Head]],
    store: ArrayStore,
    sizes: dict[str, int],
) -> Head:
    """Map a head's arrays; the manifest's numbers must be those of its kind."""
    values = dict(described)
    kind = kinds.get(str(values.pop("kind", None)))
    if kind is None:
        raise ModelError(
            f"{path} says {which} head {described.get('kind')!r}: "
            f"one of {', '.join(kinds)} was expected"
        )
    expected = {field.name for field in fields(kind)} - specs(kind).keys()  # type: ignore[arg-type]
    if values.keys() != expected or not all(_is_number(value) for value in values.values()):
        raise ModelError(
            f"{path} gives the {which} head {values}: a number for each of "
            f"{', '.join(sorted(expected))} was expected"
        )
    return kind(**values, **read_arrays(kind, store, f"{which}_", sizes))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_movies(path: Path, n_movies: int) -> tuple[pa.StringArray, pa.StringArray]:
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all().combine_chunks()
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: titles and genres were expected") from None
    except pa.ArrowInvalid as error:
        raise ModelError(f"{path} is not an Arrow file: {error}") from error
    schema = pa.schema([("title", pa.string()), ("genres", pa.string())])
    if table.schema != schema or table.num_rows != n_movies:
        raise ModelError(
            f"{path} has {table.num_rows} rows of {table.schema.names}: "
            f"{n_movies} rows of {schema.names} were expected"
        )
    return table["title"].chunk(0), table["genres"].chunk(0)

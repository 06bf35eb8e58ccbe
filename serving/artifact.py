"""The format of a served model: a folder of arrays, two text columns and a manifest.

`model.json` holds `ModelInfo` and `Parameters`, `movies.arrow` (Arrow IPC file) the titles and
genres, and every field of `Arrays` is a `.npy` file of its name. There are no pickles, and
everything large is memory-mapped, so that workers share it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FORMAT = 1

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class ModelError(ValueError):
    """A folder is not a model that can be served; the message names the file and what is wrong."""


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
    """

    format: int
    week: str
    trained_at: str
    n_users: int
    n_movies: int
    n_ratings: int
    algorithm: str


@dataclass(frozen=True)
class Parameters:
    """The few numbers that scoring needs beside the arrays.

    Attributes:
        global_mean: mean training rating, in stars.
        rating_regularization: L2 penalty per rating of the rating head.
        ranking_regularization: L2 penalty of the ranking head.
        ranking_alpha: confidence per star above 2 of the ranking head.
        genres: names of the rows of `Arrays.genre_movies`.
    """

    global_mean: float
    rating_regularization: float
    ranking_regularization: float
    ranking_alpha: float
    genres: tuple[str, ...]


@dataclass(frozen=True)
class Arrays:
    """The numbers of a model; movies and users are rows, in ascending order of their ids.

    Each is annotated with its dtype and the names of its dimensions.

    Attributes:
        movie_ids: MovieLens ids.
        movie_counts: training ratings; a movie without any is never recommended.
        movie_damped_mean: popularity, in stars.
        movie_bias: of the rating head, in stars.
        movie_factors: of the rating head.
        movie_ranking: factors of the ranking head.
        ranking_gram: `movie_ranking.T @ movie_ranking`.
        ranking_mean: mean user vector of the ranking head: popularity in factor space.
        genre_movies: whether a movie has a genre.
        user_ids: MovieLens ids.
        user_bias: of the rating head, in stars.
        user_factors: of the rating head.
        user_ranking: vectors of the ranking head.
        rated_offsets: user `u` rated `rated_movies[rated_offsets[u]:rated_offsets[u + 1]]`.
        rated_movies: rows of movies, ascending within a user.
        rated_halves: their ratings in half stars, 1 to 10.
        list_movies: rows of each user's best movies, best first, rated ones out; -1 pads.
        list_scores: their ranking scores.
        list_nearest: for each, the row of the nearest movie that the user liked; -1 is none.
    """

    movie_ids: Annotated[Ints, "int32", "movies"]
    movie_counts: Annotated[Ints, "int32", "movies"]
    movie_damped_mean: Annotated[Floats, "float32", "movies"]
    movie_bias: Annotated[Floats, "float32", "movies"]
    movie_factors: Annotated[Floats, "float32", "movies", "factors"]
    movie_ranking: Annotated[Floats, "float32", "movies", "ranking factors"]
    ranking_gram: Annotated[Floats, "float32", "ranking factors", "ranking factors"]
    ranking_mean: Annotated[Floats, "float32", "ranking factors"]
    genre_movies: Annotated[npt.NDArray[np.bool_], "bool", "genres", "movies"]
    user_ids: Annotated[Ints, "int32", "users"]
    user_bias: Annotated[Floats, "float32", "users"]
    user_factors: Annotated[Floats, "float32", "users", "factors"]
    user_ranking: Annotated[Floats, "float32", "users", "ranking factors"]
    rated_offsets: Annotated[npt.NDArray[np.int64], "int64", "users + 1"]
    rated_movies: Annotated[Ints, "int32", "ratings"]
    rated_halves: Annotated[npt.NDArray[np.uint8], "uint8", "ratings"]
    list_movies: Annotated[Ints, "int32", "users", "list"]
    list_scores: Annotated[Floats, "float32", "users", "list"]
    list_nearest: Annotated[Ints, "int32", "users", "list"]


SPECS: dict[str, tuple[str, ...]] = {
    name: hint.__metadata__ for name, hint in get_type_hints(Arrays, include_extras=True).items()
}
"""Name of an array to its dtype and the names of its dimensions."""


@dataclass(frozen=True)
class Artifact:
    """Everything in a model's folder; `titles` and `genres` are Arrow strings, a row a movie."""

    info: ModelInfo
    parameters: Parameters
    arrays: Arrays
    titles: pa.StringArray
    genres: pa.StringArray

    def write(self, folder: Path) -> None:
        """Write the folder; the manifest comes last."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, (dtype, *_) in SPECS.items():
            values = np.ascontiguousarray(getattr(self.arrays, name), dtype=dtype)
            np.save(folder / f"{name}.npy", values, allow_pickle=False)
        table = pa.table({"title": self.titles, "genres": self.genres})
        with pa.ipc.new_file(folder / "movies.arrow", table.schema) as writer:
            writer.write_table(table)
        manifest = {"info": asdict(self.info), "parameters": asdict(self.parameters)}
        (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Map the folder into memory.

        Raises:
            ModelError: a file is missing, unreadable, of another shape or dtype, or not finite.
        """
        info, parameters = _read_manifest(folder / "model.json")
        sizes = {
            "movies": info.n_movies,
            "users": info.n_users,
            "users + 1": info.n_users + 1,
            "ratings": info.n_ratings,
            "genres": len(parameters.genres),
        }
        arrays = {
            name: _read_array(folder / f"{name}.npy", dtype, dimensions, sizes)
            for name, (dtype, *dimensions) in SPECS.items()
        }
        titles, genres = _read_movies(folder / "movies.arrow", info.n_movies)
        return cls(info, parameters, Arrays(**arrays), titles, genres)


def _read_manifest(path: Path) -> tuple[ModelInfo, Parameters]:
    try:
        manifest = json.loads(path.read_text())
        info = ModelInfo(**manifest["info"])
        genres = tuple(manifest["parameters"].pop("genres"))
        parameters = Parameters(**manifest["parameters"], genres=genres)
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: a model's folder was expected") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not a model's manifest: {error}") from error
    if info.format != FORMAT:
        raise ModelError(f"{path} says format {info.format}: format {FORMAT} was expected")
    return info, parameters


def _read_array(
    path: Path, dtype: str, dimensions: list[str], sizes: dict[str, int]
) -> npt.NDArray[Any]:
    """Map one array, checking dtype, shape and finiteness; a size not known yet is noted."""
    checked = _map(path)
    if checked.dtype != dtype or checked.ndim != len(dimensions):
        raise ModelError(
            f"{path} is {checked.dtype} {checked.shape}: {dtype} ({', '.join(dimensions)}) "
            "was expected"
        )
    pairs = zip(dimensions, checked.shape, strict=True)
    shape = tuple(sizes.setdefault(name, size) for name, size in pairs)
    if checked.shape != shape:
        raise ModelError(f"{path} has shape {checked.shape}: {shape} was expected")
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(checked.sum(dtype=np.float64))
    if not finite:
        raise ModelError(f"{path} holds a value that is not finite: finite numbers were expected")
    return _map(path)  # a fresh map: pages touched by the check are not charged to this process


def _map(path: Path) -> npt.NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: a NumPy array was expected") from None
    except (ValueError, EOFError) as error:
        raise ModelError(f"{path} is not a NumPy array: {error}") from error


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

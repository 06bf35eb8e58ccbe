import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from serving.model import Model, ModelError
from serving.model.archive import ALIGNMENT
from serving.model.arrays import dtype_of, specs
from serving.model.artifact import ARRAYS, Arrays, Artifact
from serving.model.heads import RANKING_KINDS, RATING_KINDS, FactorRanking, FactorRating
from tests.serving.hand_made import change_arrays, floats, hand_made, random_artifact, saved_arrays

Change = Callable[[Path], Any]
PREFIXES: dict[str, type] = {"": Arrays, "rating_": FactorRating, "ranking_": FactorRanking}
NAMES = [f"{prefix}{name}" for prefix, kind in PREFIXES.items() for name in specs(kind)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hand_made().write(tmp_path)
    return tmp_path


def save(name: str, array: np.ndarray[Any, Any]) -> Change:
    return lambda folder: change_arrays(folder, **{name: array})


def savez(save: Any, folder: Path, **changed: Any) -> None:
    save(folder / ARRAYS, **(saved_arrays(folder) | changed))


def pickled(folder: Path) -> None:
    """Have `numpy.savez` write the archive, with an array of Python objects in it."""
    savez(np.savez, folder, user_ids=np.array([1, "a"], dtype=object))


def compressed(folder: Path) -> None:
    savez(np.savez_compressed, folder)


def flipped(folder: Path) -> None:
    """Change one bit of an array's numbers."""
    content = bytearray((folder / ARRAYS).read_bytes())
    place = content.find(floats(0.25, -0.5).tobytes())
    content[place] ^= 1
    (folder / ARRAYS).write_bytes(content)


def manifest(section: str, **values: object) -> Change:
    def change(folder: Path) -> None:
        path = folder / "model.json"
        content = json.loads(path.read_text())
        content[section].update(values)
        path.write_text(json.dumps(content))

    return change


def top(key: str, value: object) -> Change:
    def change(folder: Path) -> None:
        path = folder / "model.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))

    return change


def with_movies(table: pa.Table) -> Change:
    def change(folder: Path) -> None:
        with pa.ipc.new_file(folder / "movies.arrow", table.schema) as writer:
            writer.write_table(table)

    return change


def cut(name: str) -> Change:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - 1)


def test_a_model_that_was_written_answers_the_same_when_loaded(tmp_path: Path) -> None:
    artifact = random_artifact(seed=9)
    artifact.write(tmp_path / "not" / "there" / "yet")
    loaded, made = Model.load(tmp_path / "not" / "there" / "yet"), Model(artifact)
    assert loaded.info == made.info
    assert loaded.genres == made.genres
    for user in [*made.user_ids.tolist(), -1]:
        for ratings in ({}, {1: 4.5, 7: 2.0, 9: 5.0}):
            one, other = loaded.recommend(user, 10, ratings), made.recommend(user, 10, ratings)
            for a, b in zip(one.recommendations, other.recommendations, strict=True):
                assert (a.movie_id, a.title, a.reason) == (b.movie_id, b.title, b.reason)
                assert a.score == pytest.approx(b.score, abs=1e-6)
                assert a.predicted_rating == pytest.approx(b.predicted_rating, abs=1e-6)


def test_every_array_has_a_dtype_and_named_dimensions() -> None:
    kinds: list[type] = [Arrays, *RATING_KINDS.values(), *RANKING_KINDS.values()]
    for kind in kinds:
        for dtype, *dimensions in specs(kind).values():
            assert dtype == "rows" or np.dtype(dtype).name == dtype
            assert dimensions


def test_rows_take_two_bytes_until_the_catalogue_is_too_large() -> None:
    assert dtype_of("rows", 65_535) == np.uint16
    assert dtype_of("rows", 65_536) == np.int32


def test_arrays_are_mapped_contiguous_and_of_their_dtype(folder: Path) -> None:
    artifact = Artifact.read(folder)
    for holder in (artifact.arrays, artifact.rating, artifact.ranking):
        for name, (dtype, *_) in specs(type(holder)).items():
            array = getattr(holder, name)
            assert type(array) is np.ndarray
            assert isinstance(array.base, np.memmap)
            assert array.dtype == dtype_of(dtype, 5)
            assert array.flags.c_contiguous
            assert not array.flags.writeable


def test_a_model_can_be_replaced_while_it_is_mapped(folder: Path) -> None:
    model = Model.load(folder)
    before = model.recommend(1, 3)
    for file in list(folder.iterdir()):
        file.unlink()
    assert model.recommend(1, 3) == before
    assert model.recommend(1, 3, {30: 5.0}).recommendations


def test_arrays_begin_where_the_processor_likes_it(folder: Path) -> None:
    for array in vars(Artifact.read(folder).arrays).values():
        assert array.ctypes.data % ALIGNMENT == 0


def test_numpy_reads_the_archive_without_us(folder: Path) -> None:
    artifact = hand_made()
    assert saved_arrays(folder).keys() == set(NAMES)
    assert np.array_equal(saved_arrays(folder)["list_movies"], artifact.arrays.list_movies)


@pytest.mark.parametrize("name", ["model.json", "movies.arrow", ARRAYS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} is missing: .* expected"):
        Model.load(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_array_is_named(folder: Path, name: str) -> None:
    change_arrays(folder, **{name: None})
    with pytest.raises(ModelError, match=rf"{name}.npy in .*arrays.npz is missing: .* expected"):
        Model.load(folder)


TEXTS = pa.table({"title": ["a"] * 5, "genres": ["b"] * 5})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            save("rating_user_bias", np.zeros(3, np.float32)),
            r"user_bias.npy in .* has shape \(3,\): \(2,\)",
        ),
        (
            save("rating_user_bias", np.zeros(2)),
            r"user_bias.npy in .* is float64 \(2,\): float32 \(users\)",
        ),
        (
            save("rating_user_bias", np.zeros((2, 1), np.float32)),
            r"user_bias.npy in .* is float32 \(2, 1\)",
        ),
        (
            save("rating_user_factors", np.zeros((2, 7), np.float16)),
            r"\(5, 1\): \(5, 7\) was expected",
        ),
        (save("ranking_gram", np.zeros((2, 3), np.float32)), r"\(2, 3\): \(2, 2\) was expected"),
        (
            save("rated_offsets", np.zeros(2, np.int64)),
            r"offsets.npy in .* has shape \(2,\): \(3,",
        ),
        (
            save("list_scores", np.zeros((2, 4), np.float16)),
            r"scores.npy in .* has shape \(2, 4\)",
        ),
        (
            save("rating_movie_bias", floats(0, np.nan, 0, 0, 0)),
            "rating_movie_bias.npy in .* holds a value",
        ),
        (save("rating_movie_bias", floats(0, np.inf, -np.inf, 0, 0)), "not finite"),
        (pickled, "user_ids.npy in .* is not a NumPy array: it holds Python objects"),
        (compressed, "movie_ids.npy in .*arrays.npz is compressed: plain bytes were expected"),
        (flipped, "rating_user_bias.npy in .*arrays.npz is damaged"),
        (cut("arrays.npz"), "arrays.npz is not an archive of arrays"),
        (lambda folder: (folder / ARRAYS).write_bytes(b""), "arrays.npz is not an archive of"),
        (manifest("info", format=1), "says format 1: format 2 or 3 was expected"),
        (manifest("info", colour="red"), "model.json is not a model's manifest"),
        (manifest("info", n_users=3), r"user_ids.npy in .* has shape \(2,\): \(3,\) was"),
        (top("genre_names", ["Comedy"]), r"genre_movies.npy in .* has shape \(3, 5\): \(1, 5"),
        (manifest("rating", kind="red"), "says rating head 'red': one of factors, neighbours was"),
        (manifest("ranking", kind=None), "says ranking head None: one of factors, items, popular"),
        (manifest("ranking", kind=[1]), "says ranking head"),
        (manifest("ranking", kind="items"), "a number for each of  was expected"),
        (manifest("rating", colour=1), "a number for each of global_mean, regularization was"),
        (manifest("rating", global_mean="3"), "a number for each of global_mean, regularization"),
        (top("rating", "factors"), "model.json is not a model's manifest"),
        (lambda folder: (folder / "model.json").write_text("{"), "is not a model's manifest"),
        (lambda folder: (folder / "model.json").write_text("{}"), "is not a model's manifest"),
        (lambda folder: (folder / "movies.arrow").write_bytes(b"x"), "is not an Arrow file"),
        (with_movies(TEXTS[:4]), r"movies.arrow has 4 rows of \['title', 'genres'\]: 5 rows"),
        (with_movies(TEXTS.select(["title"])), r"5 rows of \['title'\]: 5 rows of"),
    ],
)
def test_a_broken_folder_is_refused_with_one_sentence(
    folder: Path, change: Change, message: str
) -> None:
    change(folder)
    with pytest.raises(ModelError, match=message) as error:
        Model.load(folder)
    assert "\n" not in str(error.value)


def test_loading_needs_no_slow_import(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from serving.model.recommender import Model;"
        f"Model.load(Path({str(folder)!r})).recommend(1, 3, {{30: 5.0}});"
        "print(*{'pandas', 'scipy', 'mlflow', 'dagster', 'sklearn', 'fastapi'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    )
    assert found.stdout.split() == []

"""Which files of a folder or an archive are the dataset: one folder of it, and no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources.raw_files import MOVIES, RATINGS

PAPERS: Final = ("README", "README.txt", "README.html")
FORMATS: Final = {"ml-latest-small": ".csv", "ml-1m": ".dat", "ml-25m": ".csv", "ml-32m": ".csv"}
"""How the files of each dataset end that GroupLens publishes."""


def the_dataset(source: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return the paths of the files that make up the only dataset, by the files' names.

    Args:
        source: named in messages.
        paths: of all files in it, relative, with slashes or backslashes.

    Raises:
        BadDatasetError: there is none, or more than one to choose from.
    """
    folders: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        place = PurePosixPath(path.replace("\\", "/"))
        _refuse_folder(source, place)
        if place.name in {*RATINGS, *MOVIES, *PAPERS}:
            folders[str(place.parent)][place.name].append(path)
    found = {where: files for where, files in folders.items() if files.keys() - PAPERS}
    names = {name for files in found.values() for name in files}
    for kinds in (RATINGS, MOVIES):
        if not names.intersection(kinds):
            raise BadDatasetError(f"{source}: holds no {' or '.join(kinds)}")
    if len(found) > 1:
        listed = "; ".join(
            f"{where}: {', '.join(sorted(files.keys() - PAPERS))}"
            for where, files in sorted(found.items())
        )
        raise BadDatasetError(
            f"{source}: holds ratings or movies in several folders ({listed}): name the folder "
            "of one dataset with --source"
        )
    (files,) = found.values()
    _refuse_mixture(source, {name: len(paths) for name, paths in files.items()})
    return {name: paths[0] for name, paths in files.items()}


def refuse_another(dataset: str, source: Path, files: dict[str, str]) -> None:
    """Check that nothing says the files are those of another dataset.

    Args:
        dataset: one of `FORMATS`.
        source: where the files come from.
        files: as `the_dataset` returns them.

    Raises:
        BadDatasetError: they lie in a folder or archive that is named as another, or have another
            format.
    """
    data = sorted(files.keys() - PAPERS)
    paths = [PurePosixPath(files[name].replace("\\", "/")) for name in data]
    around = [source.name.removesuffix(".zip"), *paths[0].parent.parts]
    named = [part.lower() for part in around if part.lower() in FORMATS]
    if named and named[-1] != dataset:
        raise BadDatasetError(
            f"{source}: is {named[-1]} by its name, expected {dataset}: name what it is with "
            f"--dataset {named[-1]}"
        )
    for path in paths:
        if path.suffix != FORMATS[dataset]:
            raise BadDatasetError(
                f"{source}: holds {path}, expected files that end in {FORMATS[dataset]}, as those "
                f"of {dataset} do: name what it is with --dataset"
            )


def _refuse_folder(source: Path, place: PurePosixPath) -> None:
    for parent in place.parents:
        if parent.name in {*RATINGS, *MOVIES}:
            raise BadDatasetError(f"{source}: {parent} is a folder, expected a file")


def _refuse_mixture(source: Path, copies: dict[str, int]) -> None:
    """Refuse a folder whose ratings and movies are not of one format, each once."""
    data = sorted(copies.keys() - PAPERS)
    formats = {PurePosixPath(name).suffix for name in data}
    if len(formats) > 1 or any(copies[name] > 1 for name in data):
        each = ", ".join(f"{name} {copies[name]} times" for name in data)
        raise BadDatasetError(
            f"{source}: holds {each}, expected one file of ratings and one of movies in the same "
            "format"
        )

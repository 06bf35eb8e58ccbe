"""From an archive or a folder to the files of a dataset that are used."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from cinematch_dagster.movielens.errors import BadDatasetError

RATINGS: Final = ("ratings.csv", "ratings.dat")
MOVIES: Final = ("movies.csv", "movies.dat")
PAPERS: Final = ("README", "README.txt", "README.html")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def unpack(source: Path, folder: Path) -> None:
    """Copy ratings, movies and README from a zip or a folder into `folder`, replacing it whole.

    The files may lie at the top of the source or in a folder inside it. Each member's checksum
    in the zip is verified.

    Raises:
        BadDatasetError: the source is no readable zip or folder, or holds no ratings or movies.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _copy_from(source, partial)
        for names in (RATINGS, MOVIES):
            present(partial, names, source)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def present(folder: Path, names: tuple[str, ...], source: Path | None = None) -> Path:
    """Return the first of the files that is in the folder.

    Raises:
        BadDatasetError: none is; names `source` where it is not the folder.
    """
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise BadDatasetError(f"{source or folder}: holds no {' or '.join(names)}")
    return found


def _copy_from(source: Path, folder: Path) -> None:
    wanted = {*RATINGS, *MOVIES, *PAPERS}
    if source.is_dir():
        for path in source.rglob("*"):
            if path.name in wanted:
                shutil.copyfile(path, folder / path.name)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.namelist():
                if (name := PurePosixPath(member).name) in wanted:
                    with archive.open(member) as packed, (folder / name).open("wb") as file:
                        shutil.copyfileobj(packed, file, 1 << 20)
    except FileNotFoundError:
        raise BadDatasetError(f"{source}: no such file, expected a zip or a folder") from None
    except _DAMAGE as error:
        raise BadDatasetError(f"{source}: not a readable zip or folder ({error})") from error

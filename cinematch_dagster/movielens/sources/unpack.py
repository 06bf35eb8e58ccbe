"""From an archive or a folder to the files of a dataset that are used."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources.raw_files import MOVIES, RATINGS, read_movies, read_ratings

PAPERS: Final = ("README", "README.txt", "README.html")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def unpack(source: Path, folder: Path) -> None:
    """Copy ratings, movies and README from a zip or a folder into `folder`, replacing it whole.

    The files may lie at the top of the source or in a folder inside it. Each member's checksum
    in the zip is verified, and the files are read, before anything is replaced. A source that is
    `folder` itself stays as it is.

    Raises:
        BadDatasetError: the source is no readable zip or folder, holds no ratings or movies, or
            lies in `folder`.
    """
    if source.resolve() == folder.resolve():
        _read(folder)
        return
    if source.resolve().is_relative_to(folder.resolve()):
        raise BadDatasetError(f"{source}: lies in {folder}, which it replaces: move it elsewhere")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _copy_from(source, partial)
        _read(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except BadDatasetError as error:
        raise BadDatasetError(str(error).replace(str(partial), str(source))) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _read(folder: Path) -> None:
    """Find out whether ratings and movies can be read."""
    read_movies(folder)
    read_ratings(folder)


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

"""From an archive or a folder to the files of a dataset that are used."""

from __future__ import annotations

import lzma
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources.candidates import refuse_another, the_dataset
from cinematch_dagster.movielens.sources.raw_files import RawData, read_raw

Accept = Callable[[RawData], None]
"""Raises where data that were read are not to be used."""

_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


def unpack(
    source: Path, folder: Path, dataset: str | None = None, accept: Accept = lambda _raw: None
) -> None:
    """Copy ratings, movies and README from a zip or a folder into `folder`, replacing it whole.

    The files may lie at the top of the source or in a folder inside it. Each member's checksum
    in the zip is verified, the files are read, and `accept` is asked, before anything is
    replaced. A source that is `folder` itself stays as it is.

    Raises:
        BadDatasetError: the source is no readable zip or folder, holds no ratings or movies or
            those of several datasets or of another than `dataset`, or lies in `folder`.
        Exception: whatever `accept` raises.
    """
    if source.resolve() == folder.resolve():
        accept(read_raw(folder))
        return
    if source.resolve().is_relative_to(folder.resolve()):
        raise BadDatasetError(f"{source}: lies in {folder}, which it replaces: move it elsewhere")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        accept(_copied(source, partial, dataset))
        _replace(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copied(source: Path, folder: Path, dataset: str | None) -> RawData:
    try:
        _copy_from(source, folder, dataset)
        return read_raw(folder)
    except BadDatasetError as error:
        raise BadDatasetError(str(error).replace(str(folder), str(source))) from error


def _replace(folder: Path, new: Path) -> None:
    """Put `new` in the place of a folder, which is there whole until then."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _copy_from(source: Path, folder: Path, dataset: str | None) -> None:
    if source.is_dir():
        paths = [str(p.relative_to(source)) for p in source.rglob("*") if not p.is_dir()]
        for name, path in _chosen(source, paths, dataset).items():
            shutil.copyfile(source / path, folder / name)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            members = [m.filename for m in archive.infolist() if not m.is_dir()]
            for name, member in _chosen(source, members, dataset).items():
                with archive.open(member) as packed, (folder / name).open("wb") as file:
                    shutil.copyfileobj(packed, file, 1 << 20)
    except FileNotFoundError:
        raise BadDatasetError(f"{source}: no such file, expected a zip or a folder") from None
    except BadDatasetError:
        raise
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, of which no archive is guilty
        raise BadDatasetError(f"{source}: not a readable zip or folder ({error})") from error


def _chosen(source: Path, paths: list[str], dataset: str | None) -> dict[str, str]:
    files = the_dataset(source, paths)
    if dataset is not None:
        refuse_another(dataset, source, files)
    return files

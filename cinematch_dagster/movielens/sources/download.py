"""Download of one archive over HTTP: resumed where it was cut, and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cinematch_dagster.movielens.errors import DownloadError

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and, where the server says so, the bytes of the whole."""

SECONDS: Final = 30.0
"""Patience with a server that is silent."""


def download(url: str, path: Path, md5: str | None, progress: Progress) -> None:
    """Download `url` to `path`, which is there afterwards whole or not at all.

    What arrived before a cut stays in `<path>.part`. It is carried on from there, by this call as
    long as every attempt brings bytes, otherwise by the next call.

    Args:
        url: http or https.
        path: the file to write.
        md5: hexadecimal digits that the file must have; None where none is published.
        progress: called after every piece that arrives.

    Raises:
        DownloadError: no connection, no such file, or another checksum.
    """
    import httpx  # a quarter of a second, which most runs need not spend

    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    complete = False
    while not complete:
        before = part.stat().st_size
        try:
            _append(url, part, progress)
            complete = True
        except httpx.TransportError as error:
            if part.stat().st_size <= before:
                raise _failure(url, f"can't be reached ({error})") from error
    if md5 is not None and (found := _md5(part)) != md5:
        part.unlink()
        raise _failure(url, f"came with the MD5 checksum {found}, expected {md5}")
    part.replace(path)


def _append(url: str, part: Path, progress: Progress) -> None:
    """Ask for what `part` lacks; a server that sends the whole again starts it anew."""
    import httpx

    done = part.stat().st_size
    headers = {"Range": f"bytes={done}-"} if done else {}
    with httpx.stream(
        "GET", url, headers=headers, timeout=SECONDS, follow_redirects=True
    ) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is lacking; the checksum decides
        if not answer.is_success:
            raise _failure(url, f"was answered with status {answer.status_code}")
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            done = 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        with part.open("r+b") as file:
            file.truncate(done)
            file.seek(done)
            for block in answer.iter_raw():
                file.write(block)
                done += len(block)
                progress(done, total)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _failure(url: str, fault: str) -> DownloadError:
    return DownloadError(f"{url} {fault}: get the archive elsewhere and name it with --source")

"""Arrays in files: one `.npz` (format 3), or a `.npy` for each (format 2), mapped into memory.

A `.npz` is a zip of `.npy` files. This one is not compressed and each array begins at a multiple of
`ALIGNMENT`, so that it is mapped where it lies; `numpy.load` reads it as well, as a copy.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from serving.model.arrays import Array, ModelError

ALIGNMENT = 64
"""Bytes: a line of the processor's cache."""
_LOCAL_HEADER = 30
"""Bytes of a zip member's own header before its name."""
_LENGTHS = struct.Struct("<HH")
"""At byte 26 of it: how long its name is, and the extra fields after that."""
_ZIP64_FIELD = 20
"""Bytes of the extra field that `force_zip64` adds."""
_PADDING = 0xD935
"""Kind of an extra field that only pads, the one that Android's `zipalign` writes."""


@dataclass(frozen=True)
class NpyFolder:
    """A file for each array, as format 2 has them."""

    folder: Path

    def place(self, name: str) -> str:
        """Name the file."""
        return str(self.folder / f"{name}.npy")

    def map(self, name: str) -> Array:
        """Map an array's file."""
        path = self.place(name)
        try:
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        except FileNotFoundError:
            raise ModelError(f"{path} is missing: a NumPy array was expected") from None
        except (ValueError, EOFError) as error:
            raise ModelError(f"{path} is not a NumPy array: {error}") from error


@dataclass(frozen=True)
class Npz:
    """One file for all arrays. Opening it verifies every checksum.

    Raises:
        ModelError: it is missing, no archive, damaged or compressed.
    """

    path: Path
    _members: dict[str, zipfile.ZipInfo] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            with zipfile.ZipFile(self.path) as archive:
                damaged = archive.testzip()
                members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        except FileNotFoundError:
            raise ModelError(f"{self.path} is missing: an archive of arrays was expected") from None
        except (zipfile.BadZipFile, EOFError) as error:
            raise ModelError(f"{self.path} is not an archive of arrays: {error}") from error
        if damaged:
            raise ModelError(
                f"{damaged} in {self.path} is damaged: the bytes of its checksum were expected"
            )
        if packed := [n for n, m in members.items() if m.compress_type != zipfile.ZIP_STORED]:
            raise ModelError(f"{self.place(packed[0])} is compressed: plain bytes were expected")
        object.__setattr__(self, "_members", members)

    def place(self, name: str) -> str:
        """Name the array and the archive."""
        return f"{name}.npy in {self.path}"

    def map(self, name: str) -> Array:
        """Map an array where it lies in the archive."""
        if name not in self._members:
            raise ModelError(f"{self.place(name)} is missing: a NumPy array was expected")
        try:
            with self.path.open("rb") as file:
                file.seek(_start(file, self._members[name]))
                shape, order, dtype = _header(file)
                if dtype.hasobject:
                    raise ValueError("it holds Python objects")
                mapped = np.memmap(self.path, dtype, "r", file.tell(), shape, "F" if order else "C")
        except FileNotFoundError:
            raise ModelError(f"{self.path} is missing: an archive of arrays was expected") from None
        except (ValueError, EOFError) as error:
            raise ModelError(f"{self.place(name)} is not a NumPy array: {error}") from error
        return np.asarray(mapped)


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write contiguous arrays into one archive, each where it can be mapped."""
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            header = file.tell() + _LOCAL_HEADER + len(info.filename) + _ZIP64_FIELD
            padding = -(header + 4) % ALIGNMENT
            info.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _start(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin: behind its header, whose end only the file knows."""
    file.seek(info.header_offset + _LOCAL_HEADER - _LENGTHS.size)
    name, extra = _LENGTHS.unpack(file.read(_LENGTHS.size))
    return info.header_offset + _LOCAL_HEADER + int(name) + int(extra)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of a `.npy`: shape, whether columns come first, dtype."""
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"its version is {version}: 1.0 or 2.0 was expected")
    return read(file)

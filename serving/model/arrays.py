"""Arrays of a model: what a dataclass of arrays says of their dtypes and shapes, and its check.

A field annotated `Annotated[<array>, dtype, dimension, ...]` is a stored array; every other field
is a number in the manifest. The dtype `rows` holds rows of movies in as few bytes as they need.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.floating]
"""Floats of any width: as fitted, before `as_stored` gives them the width of their file."""
Ints = npt.NDArray[np.int32]
Rows = npt.NDArray[np.integer]
Offsets = npt.NDArray[np.int64]
Spec = tuple[str, ...]
T = TypeVar("T")

SHORT_ROWS = 2**16 - 1
"""Movies up to which a row, and one past the last, fits 16 bits."""


class ModelError(ValueError):
    """A folder is not a model that can be served; the message names the file and what is wrong."""


class ArrayStore(Protocol):
    """Where the arrays of a model are; `serving.model.archive` has them."""

    def place(self, name: str) -> str:
        """Name the array and its file, for a message."""

    def map(self, name: str) -> Array:
        """Map an array, read only, anew at each call.

        Raises:
            ModelError: it is missing or unreadable.
        """


def specs(kind: type) -> dict[str, Spec]:
    """Return each array of a dataclass: its dtype and the names of its dimensions."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__ for name, hint in hints.items() if _is_array(hint)}


def numbers(holder: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not arrays."""
    arrays = specs(type(holder))
    names = (field.name for field in fields(holder) if field.name not in arrays)
    return {name: getattr(holder, name) for name in names}


def as_stored(holder: T, n_movies: int) -> T:
    """Return a dataclass of arrays with each as it is in its file: dtype, contiguous."""
    stored = {
        name: np.ascontiguousarray(getattr(holder, name), dtype=dtype_of(dtype, n_movies))
        for name, (dtype, *_) in specs(type(holder)).items()
    }
    changed: T = replace(holder, **stored)  # type: ignore[type-var]  # T is a dataclass
    return changed


def arrays_of(holder: Any, prefix: str, n_movies: int) -> dict[str, Array]:
    """Return each array of a dataclass, as it is stored, by `prefix` and its name."""
    stored = as_stored(holder, n_movies)
    return {f"{prefix}{name}": getattr(stored, name) for name in specs(type(holder))}


def read_arrays(
    kind: type, store: ArrayStore, prefix: str, sizes: dict[str, int]
) -> dict[str, Array]:
    """Map the arrays of a dataclass; `sizes` names the dimensions known so far, and gains others.

    Raises:
        ModelError: an array is missing, unreadable, of another shape or dtype, or not finite.
    """
    return {
        name: _read(store, f"{prefix}{name}", dtype, dimensions, sizes)
        for name, (dtype, *dimensions) in specs(kind).items()
    }


def dtype_of(dtype: str, n_movies: int) -> np.dtype[Any]:
    """Return the dtype that a spec means for a catalogue of this size."""
    short = "uint16" if n_movies <= SHORT_ROWS else "int32"
    return np.dtype(short if dtype == "rows" else dtype)


def _is_array(hint: Any) -> bool:
    return hasattr(hint, "__metadata__")


def _read(
    store: ArrayStore, name: str, dtype: str, dimensions: list[str], sizes: dict[str, int]
) -> Array:
    """Map one array, checking dtype, shape and finiteness; a size not known yet is noted."""
    checked, expected = store.map(name), dtype_of(dtype, sizes["movies"])
    place = store.place(name)
    if checked.dtype != expected or checked.ndim != len(dimensions):
        raise ModelError(
            f"{place} is {checked.dtype} {checked.shape}: {expected} ({', '.join(dimensions)}) "
            "was expected"
        )
    pairs = zip(dimensions, checked.shape, strict=True)
    shape = tuple(sizes.setdefault(name, size) for name, size in pairs)
    if checked.shape != shape:
        raise ModelError(f"{place} has shape {checked.shape}: {shape} was expected")
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(checked.sum(dtype=np.float64))
    if not finite:
        raise ModelError(f"{place} holds a value that is not finite: finite numbers were expected")
    return store.map(name)  # anew: pages touched by the check are not charged to this process

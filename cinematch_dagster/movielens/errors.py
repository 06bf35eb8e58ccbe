"""What can be wrong with MovieLens data, each as one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinematch_dagster.batches.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


class UnknownDatasetError(DataError):
    """No dataset has this name."""


class MissingDatasetError(DataError):
    """The dataset has a name but is not on this machine yet."""


class DownloadError(DataError):
    """An archive could not be downloaded whole; names the address and the way out."""


class BadDatasetError(DataError):
    """The files of a dataset can't be used; names the file and what was expected."""


class TooManyRejectsError(BadDatasetError):
    """More rows than allowed can't be used: the dataset is refused whole.

    rejects: the rows, with a column `reason`.
    """

    def __init__(self, message: str, rejects: pd.DataFrame) -> None:
        super().__init__(message)
        self.rejects = rejects

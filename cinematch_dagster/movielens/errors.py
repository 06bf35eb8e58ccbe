"""What can be wrong with MovieLens data, each as one sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class MovieLensError(ValueError):
    """Data that can't be had or used; the message names the file or address."""


class BadBatchError(MovieLensError):
    """A batch file is refused whole; names the file, the column and the row.

    Rows count from 0, as in pandas.
    """


class BadWeekError(MovieLensError):
    """A batch id or a week is not one of the weekly series."""


class UnknownDatasetError(MovieLensError):
    """No dataset has this name."""


class MissingDatasetError(MovieLensError):
    """The dataset has a name but is not on this machine yet."""


class DownloadError(MovieLensError):
    """An archive could not be downloaded whole; names the address and the way out."""


class BadDatasetError(MovieLensError):
    """The files of a dataset can't be used; names the file and what was expected."""


class TooManyRejectsError(BadDatasetError):
    """More rows than allowed can't be used: the dataset is refused whole.

    rejects: the rows, with a column `reason`.
    """

    def __init__(self, message: str, rejects: pd.DataFrame) -> None:
        super().__init__(message)
        self.rejects = rejects

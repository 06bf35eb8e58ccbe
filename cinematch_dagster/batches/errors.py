"""What can be wrong with data and with a weekly batch, each as one sentence."""


class DataError(ValueError):
    """Data that can't be had or used; the message names the file or address."""


class BadBatchError(DataError):
    """A batch file is refused whole; names the file, the column and the row.

    Rows count from 0, as in pandas.
    """


class BadWeekError(DataError):
    """A batch id or a week is not one of the weekly series."""

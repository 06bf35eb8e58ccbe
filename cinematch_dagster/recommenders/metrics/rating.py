"""How far predicted stars are from given ones. Every row needs a prediction, unless told not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Stars = npt.NDArray[np.floating]


def rmse(given: Stars, predicted: Stars, *, skip_missing: bool = False) -> float:
    r"""Return the root mean squared error in stars, :math:`\sqrt{\frac1n \sum (r - \hat r)^2}`.

    Raises:
        ValueError: no row, or a prediction that is not finite and not to be skipped.
    """
    return float(np.sqrt(np.mean(errors(given, predicted, skip_missing=skip_missing) ** 2)))


def mae(given: Stars, predicted: Stars, *, skip_missing: bool = False) -> float:
    r"""Return the mean absolute error in stars, :math:`\frac1n \sum |r - \hat r|`.

    Raises:
        ValueError: no row, or a prediction that is not finite and not to be skipped.
    """
    return float(np.mean(np.abs(errors(given, predicted, skip_missing=skip_missing))))


def errors(
    given: Stars, predicted: Stars, *, skip_missing: bool = False
) -> npt.NDArray[np.float64]:
    """Return predicted minus given stars, (n,), without the missing if they are to be skipped.

    Raises:
        ValueError: no row is left, or a prediction that is not finite and not to be skipped.
    """
    found = np.isfinite(predicted)
    if not (skip_missing or found.all()):
        missing = int(np.count_nonzero(~found))
        raise ValueError(
            f"{missing} of {len(predicted)} predictions are not finite: stars expected"
        )
    if not found.any():
        raise ValueError("there is no rating to compare with: at least one row was expected")
    return predicted[found].astype(np.float64) - given[found].astype(np.float64)

"""How far predicted stars are from given ones. Every row needs a prediction: none is skipped."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Stars = npt.NDArray[np.floating]


def rmse(given: Stars, predicted: Stars) -> float:
    r"""Return the root mean squared error in stars, :math:`\sqrt{\frac1n \sum (r - \hat r)^2}`.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    return float(np.sqrt(np.mean(_errors(given, predicted) ** 2)))


def mae(given: Stars, predicted: Stars) -> float:
    r"""Return the mean absolute error in stars, :math:`\frac1n \sum |r - \hat r|`.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    return float(np.mean(np.abs(_errors(given, predicted))))


def _errors(given: Stars, predicted: Stars) -> npt.NDArray[np.float64]:
    if len(given) == 0:
        raise ValueError("there is no rating to compare with: at least one row was expected")
    missing = int(np.count_nonzero(~np.isfinite(predicted)))
    if missing:
        raise ValueError(
            f"{missing} of {len(predicted)} predictions are not finite: stars expected"
        )
    return given.astype(np.float64) - predicted.astype(np.float64)

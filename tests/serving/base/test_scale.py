from __future__ import annotations

import numpy as np
import pytest

from serving.base.scale import STARS, half_stars, is_on_scale


def test_there_are_ten_stars() -> None:
    assert STARS.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]
    with pytest.raises(ValueError, match="read-only"):
        STARS[0] = 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_half_stars_are_counted_from_one_to_ten(dtype: str) -> None:
    stars = STARS.astype(dtype)
    assert half_stars(stars).tolist() == list(range(1, 11))
    assert half_stars(stars).dtype == np.uint8
    assert is_on_scale(stars).all()


@pytest.mark.parametrize("stars", [0.0, 0.25, 5.5, -0.5, 3.7, np.nan, np.inf])
def test_what_is_off_the_scale(stars: float) -> None:
    assert not is_on_scale(np.array([stars])).any()


def test_whole_stars_may_be_integers() -> None:
    assert is_on_scale(np.arange(7)).tolist() == [False, *[True] * 5, False]

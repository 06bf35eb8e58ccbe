"""Drift injected on purpose, for simulations only."""

from __future__ import annotations

import pandas as pd

from cinematch_dagster.movielens.ratings import HIGHEST, LOWEST, STEP


def shift(frame: pd.DataFrame, stars: float) -> pd.DataFrame:
    """Return the ratings again, later and with `stars` added, kept within 0.5 … 5.0.

    Every timestamp moves on by the frame's own span (last - first) plus one second: the order
    stays, and the first shifted rating comes one second after the last of the frame.

    Raises:
        ValueError: `stars` is not a multiple of half a star.
    """
    if stars % STEP:
        raise ValueError(f"shift {stars}: expected a multiple of {STEP}")
    rating = (frame["rating"] + stars).clip(LOWEST, HIGHEST)
    seconds = frame["timestamp"].max() - frame["timestamp"].min() + 1
    return frame.assign(rating=rating, timestamp=frame["timestamp"] + seconds)


def shift_label(stars: float) -> str:
    """Return what is shown wherever shifted ratings appear."""
    return f"shift {stars:+.1f}"

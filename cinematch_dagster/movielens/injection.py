"""Drift injected on purpose, for simulations only; the label is shown wherever it appears.

Each function returns the ratings again, later: every timestamp moves on by the frame's own span
(last - first) plus one second, so that the first injected rating comes one second after the last
of the frame. Each user and movie is still a pair once, and the same seed gives the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import in_order
from serving.base.scale import HIGHEST, LOWEST, STEP


@dataclass(frozen=True)
class Injection:
    """What is done to a batch, in this order; the defaults do nothing.

    shift: stars added. noise: standard deviation in stars. genre_swap: two genres that change
    places. cold_users: share of the users that get new ids, 0 … 1.
    """

    shift: float = 0.0
    noise: float = 0.0
    genre_swap: tuple[str, str] | None = None
    cold_users: float = 0.0
    seed: int = 42

    @property
    def label(self) -> str | None:
        """What is shown, such as 'shift +1.0, noise 0.5'; None when nothing is done."""
        parts = [
            shift_label(self.shift) if self.shift else "",
            f"noise {self.noise}" if self.noise else "",
            "genre swap {}/{}".format(*self.genre_swap) if self.genre_swap else "",
            f"cold users {self.cold_users:.0%}" if self.cold_users else "",
        ]
        return ", ".join(filter(None, parts)) or None


def inject(
    frame: pd.DataFrame, injection: Injection, movies: pd.DataFrame | None, first_new_user: int
) -> pd.DataFrame:
    """Do all of an injection.

    Args:
        frame: ratings frame.
        injection: what to do.
        movies: columns movieId, genres; may be None unless genres are swapped.
        first_new_user: lowest id given to cold users, above all known ones.

    Raises:
        ValueError: the injection can't be done with these ratings and movies.
    """
    changed = shift(frame, injection.shift)
    rng = np.random.default_rng(injection.seed)
    if injection.noise:
        changed = changed.assign(rating=_noisy(changed["rating"], injection.noise, rng))
    if injection.genre_swap:
        if movies is None:
            raise ValueError("genres can't be swapped without movies: expected their genres")
        swapped = _swapped(movies, *injection.genre_swap, rng)
        new_ids = changed["movieId"].map(swapped).fillna(changed["movieId"])
        changed = changed.assign(movieId=new_ids.astype("int32"))
    if injection.cold_users:
        renamed = _renamed(changed["userId"], injection.cold_users, first_new_user, rng)
        changed = changed.assign(userId=renamed)
    return in_order(changed)


def shift(frame: pd.DataFrame, stars: float) -> pd.DataFrame:
    """Return the ratings again, later and with `stars` added, kept within 0.5 … 5.0.

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


def _noisy(rating: pd.Series, std: float, rng: np.random.Generator) -> pd.Series:
    """Add normal noise, then round to half stars within the scale."""
    noisy = rating + rng.normal(0.0, std, len(rating))
    return ((noisy / STEP).round() * STEP).clip(LOWEST, HIGHEST).astype("float32")


def _swapped(
    movies: pd.DataFrame, first: str, second: str, rng: np.random.Generator
) -> dict[int, int]:
    """Pair movies of one genre with movies of the other at random; each takes the other's id.

    Movies of both genres, and those left over in the larger genre, keep theirs.
    """
    genres = "|" + movies["genres"].fillna("") + "|"
    is_first, is_second = (genres.str.contains(f"|{g}|", regex=False) for g in (first, second))
    sides = []
    for genre, is_side in ((first, is_first & ~is_second), (second, is_second & ~is_first)):
        if not is_side.any():
            raise ValueError(f"genre {genre!r}: no movie is of it and not of the other")
        sides.append(rng.permutation(movies.loc[is_side, "movieId"]).tolist())
    one, other = sides
    return {**dict(zip(one, other, strict=False)), **dict(zip(other, one, strict=False))}


def _renamed(user: pd.Series, share: float, first_new: int, rng: np.random.Generator) -> pd.Series:
    """Give round(share * users) of the users new ids: first_new, first_new + 1, …."""
    known = np.sort(user.unique())
    cold = rng.choice(known, round(share * len(known)), replace=False)
    new_ids = dict(zip(cold.tolist(), range(first_new, first_new + len(cold)), strict=True))
    return user.map(new_ids).fillna(user).astype("int32")

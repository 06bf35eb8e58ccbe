"""Turn rows of the catalogue into recommendations with titles, stars and reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.model.answers import explanations
from serving.model.answers.types import Liked, Recommendation, Strategy
from serving.model.catalogue import Catalogue
from serving.model.scoring.user_state import UserState


class RankedRows(NamedTuple):
    """Rows of movies, best first, their scores, and the liked movie that explains each, or -1."""

    rows: npt.NDArray[np.integer]
    scores: npt.NDArray[np.floating]
    nearest: npt.NDArray[np.integer]


def build_recommendations(
    catalogue: Catalogue, ranked: RankedRows, user_state: UserState, strategy: Strategy
) -> tuple[Recommendation, ...]:
    """Return what is said of each pick to the user of this taste."""
    columns = zip(
        ranked.rows.tolist(),
        catalogue.movie_ids[ranked.rows].tolist(),
        ranked.scores.tolist(),
        user_state.stars(ranked.rows).tolist(),
        ranked.nearest.tolist(),
        strict=True,
    )
    return tuple(
        Recommendation(
            movie,
            catalogue.title(row),
            catalogue.genre_text(row),
            score,
            stars,
            strategy,
            _reason(catalogue, row, near, strategy),
            _because(catalogue, near),
        )
        for row, movie, score, stars, near in columns
    )


def _because(catalogue: Catalogue, near: int) -> tuple[Liked, ...]:
    """Return the liked movie that speaks most for a pick, if any does."""
    if near < 0:
        return ()
    return (Liked(int(catalogue.movie_ids[near]), catalogue.title(near)),)


def _reason(catalogue: Catalogue, row: int, near: int, strategy: Strategy) -> str:
    """Return a true sentence."""
    count = int(catalogue.counts[row])
    if near >= 0 and count > 0:
        return explanations.like(catalogue.title(near))
    return explanations.rated(strategy, float(catalogue.means[row]), count)

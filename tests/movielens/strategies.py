from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cinematch_dagster.batches.frame import as_ratings

T0 = 1_100_000_000
HALF_STARS = st.integers(1, 10).map(lambda n: n / 2)


def rows(*values: tuple[Any, Any, Any, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(values), columns=["userId", "movieId", "rating", "timestamp"])


def ratings(*values: tuple[int, int, float, int]) -> pd.DataFrame:
    return as_ratings(rows(*values))


@st.composite
def ratings_frames(draw: st.DrawFn, min_size: int = 0) -> pd.DataFrame:
    """Valid ratings, each pair once, many of them in the same second."""
    pairs = draw(
        st.lists(
            st.tuples(st.integers(0, 20), st.integers(0, 20)),
            unique=True,
            min_size=min_size,
            max_size=40,
        )
    )
    return ratings(
        *((u, m, draw(HALF_STARS), T0 + draw(st.integers(0, 9))) for u, m in pairs),
    )


@st.composite
def raw_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Rows as they may come: nulls, values off the scale, impossible times, repeated pairs."""
    ids = st.sampled_from([1, 2, 3, -1, 1.5, 2.0**31, None, "x"])
    stars = st.sampled_from([0.5, 3.0, 3.5, 5.0, 0.0, 5.5, 3.3, np.nan, np.inf])
    times = st.sampled_from([T0, T0 + 1, T0 + 2, -1, 0, 10**12, 2**62, None])
    return rows(*draw(st.lists(st.tuples(ids, ids, stars, times), max_size=30)))

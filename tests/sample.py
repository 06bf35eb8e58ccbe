"""The shipped sample as its profile cuts it."""

import functools

import pandas as pd

from cinematch_dagster.movielens import Prepared, load, movie_features, prepare
from cinematch_dagster.settings import ROOT, read_settings


def prepared_sample(injected_shift: float = 1.0) -> Prepared:
    """Return the baseline and five weeks; a shift makes a sixth from the fifth."""
    data = read_settings(profile="sample").data
    return prepare(
        load("sample", ROOT / "data").ratings,
        start=data.start,
        most_recent=data.most_recent,
        baseline_share=data.baseline_share,
        train_share=data.train_share,
        batches=data.batches,
        injected_shift=injected_shift,
    )


@functools.cache
def sample_movies() -> pd.DataFrame:
    """Return its movies with their features."""
    return movie_features(load("sample", ROOT / "data").movies).frame

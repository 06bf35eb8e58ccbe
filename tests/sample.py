"""The shipped sample as its profile cuts it."""

from cinematch_dagster.movielens import Prepared, load, prepare
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

"""Figures of a training that a person reads, each drawn from numbers alone."""

from cinematch_dagster.recommenders.plots.comparison import (
    champion_against_challenger,
)
from cinematch_dagster.recommenders.plots.errors import errors_by_star
from cinematch_dagster.recommenders.plots.factors import factor_norms
from cinematch_dagster.recommenders.plots.slices import metrics_by_slice

__all__ = [
    "champion_against_challenger",
    "errors_by_star",
    "factor_norms",
    "metrics_by_slice",
]

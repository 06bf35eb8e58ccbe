"""Drift of ratings: histograms -> statistics -> verdict -> retraining decision; pure functions."""

from cinematch_dagster.drift.decision import (
    Alert,
    RetrainingCriteria,
    RetrainingDecision,
    decide,
)
from cinematch_dagster.drift.histogram import Histogram, histogram
from cinematch_dagster.drift.performance import Errors, PerformanceVerdict, judge_errors
from cinematch_dagster.drift.verdict import (
    DriftPolicy,
    DriftReport,
    Level,
    TestResult,
    ViewResult,
    assess,
)

__all__ = [
    "Alert",
    "DriftPolicy",
    "DriftReport",
    "Errors",
    "Histogram",
    "Level",
    "PerformanceVerdict",
    "RetrainingCriteria",
    "RetrainingDecision",
    "TestResult",
    "ViewResult",
    "assess",
    "decide",
    "histogram",
    "judge_errors",
]

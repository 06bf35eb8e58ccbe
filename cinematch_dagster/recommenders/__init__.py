"""Recommenders: two heads, popularity, a sanity floor, their scores and the promotion gate."""

from cinematch_dagster.recommenders.algorithms import Hyperparameters
from cinematch_dagster.recommenders.checks.model_checks import Check, check_model
from cinematch_dagster.recommenders.evaluation import Scores
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.fit import Trained, fit
from cinematch_dagster.recommenders.gate import (
    Audit,
    Contender,
    Rule,
    Thresholds,
    Verdict,
    audit,
    decide,
)

__all__ = [
    "Audit",
    "Check",
    "Contender",
    "Hyperparameters",
    "Rule",
    "Scores",
    "Thresholds",
    "Trained",
    "Verdict",
    "audit",
    "check_model",
    "decide",
    "export",
    "fit",
]

"""Evaluation: protocols that score a predictor on ratings that it has not seen."""

from cinematch_dagster.recommenders.evaluation.pairs import unrated
from cinematch_dagster.recommenders.evaluation.predictor import Predictor, Scorer
from cinematch_dagster.recommenders.evaluation.protocols import evaluate_fold, evaluate_static
from cinematch_dagster.recommenders.evaluation.ranking import K
from cinematch_dagster.recommenders.evaluation.scores import (
    FoldScores,
    Interval,
    RankingScores,
    RatingScores,
    SliceScores,
)
from cinematch_dagster.recommenders.evaluation.sequential import evaluate_sequential
from cinematch_dagster.recommenders.evaluation.splits import halves, random_split
from cinematch_dagster.recommenders.evaluation.standing import Scores

__all__ = [
    "FoldScores",
    "Interval",
    "K",
    "Predictor",
    "RankingScores",
    "RatingScores",
    "Scorer",
    "Scores",
    "SliceScores",
    "evaluate_fold",
    "evaluate_sequential",
    "evaluate_static",
    "halves",
    "random_split",
    "unrated",
]

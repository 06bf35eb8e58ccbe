import datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from cinematch_dagster.movielens import load, prepare
from cinematch_dagster.recommenders.checks.model_checks import check_model
from cinematch_dagster.recommenders.evaluation import (
    Predictor,
    Scores,
    evaluate_fold,
    evaluate_static,
)
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.fit import Trained, fit
from cinematch_dagster.recommenders.gate import Audit, Contender, Thresholds, Verdict, decide
from cinematch_dagster.recommenders.rating.baseline import fit_floor
from cinematch_dagster.settings import ROOT, load_settings
from serving.model import Model
from tests.recommenders.frames import TRAINED_AT

COLUMNS = ["userId", "movieId", "rating", "timestamp"]
FIRST, LAST = datetime.date(2023, 12, 25), datetime.date(2024, 2, 5)


class Sample(NamedTuple):
    movies: pd.DataFrame
    train: pd.DataFrame
    standing: pd.DataFrame
    later: pd.DataFrame
    held_out: pd.DataFrame


class Run(NamedTuple):
    trained: Trained
    model: Model
    training: pd.DataFrame


@pytest.fixture(scope="module")
def sample() -> Sample:
    raw = load("sample", ROOT / "data")
    prepared = prepare(
        raw.ratings,
        start=datetime.date(2003, 2, 19),
        most_recent=1_000_000,
        baseline_share=0.6,
        train_share=0.7,
        batches=5,
        injected_shift=1.0,
    )
    sides = dict(list(prepared.baseline.groupby("data_split", observed=True)))
    cuts = [(batch.ratings, int(len(batch.ratings) * 0.8)) for batch in prepared.batches]
    later = pd.concat([sides["train"], *(rows[:end] for rows, end in cuts)])
    later = later.sort_values(["timestamp", "userId", "movieId"])
    return Sample(
        movies=raw.movies,
        train=sides["train"][COLUMNS],
        standing=sides["test"][COLUMNS],
        later=later.drop_duplicates(["userId", "movieId"], keep="last")[COLUMNS],
        held_out=pd.concat([rows[end:] for rows, end in cuts])[COLUMNS],
    )


def run(training: pd.DataFrame, movies: pd.DataFrame, folder: Path, week: datetime.date) -> Run:
    trained = fit(training, movies, load_settings().training)
    export(trained, folder, week=week, trained_at=TRAINED_AT)
    return Run(trained, Model.load(folder), training)


@pytest.fixture(scope="module")
def champion(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(sample.train, sample.movies, tmp_path_factory.mktemp("champion"), FIRST)


@pytest.fixture(scope="module")
def challenger(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(sample.later, sample.movies, tmp_path_factory.mktemp("challenger"), LAST)


@pytest.fixture(params=["champion", "challenger"])
def either(request: pytest.FixtureRequest) -> Run:
    found: Run = request.getfixturevalue(request.param)
    return found


def test_the_checks_before_registration_pass(either: Run, sample: Sample) -> None:
    scores, baseline = (
        Scores.of(evaluate_static(predictor, sample.standing, either.training))
        for predictor in (either.model, either.trained.baseline)
    )
    checks = check_model(either.model, either.training, either.trained.genres, scores, baseline)
    assert [check for check in checks if not check.passed] == []


def contender(predictor: Predictor, week: datetime.date, sample: Sample, known: Run) -> Contender:
    held_out, standing = (
        evaluate_fold(predictor, rows, known.training)
        for rows in (sample.held_out, sample.standing)
    )
    return Contender(week, held_out, standing)


def judge(challenger: Run, champion: Run | None, sample: Sample) -> Verdict:
    new = contender(challenger.model, LAST, sample, challenger)
    old = contender(champion.model, FIRST, sample, challenger) if champion else None
    floor = contender(fit_floor(challenger.trained.interactions), LAST, sample, challenger)
    excluded = {"buffer_policy", "keep_versions"}
    thresholds = Thresholds(**load_settings().promotion.model_dump(exclude=excluded))
    return decide(new, old, floor, Audit(0, 0, {}, same_hash=True), thresholds)


def test_the_first_model_is_promoted(champion: Run, sample: Sample) -> None:
    verdict = judge(champion, None, sample)
    assert verdict.promoted, verdict.reason


def test_the_challenger_replaces_the_champion_for_an_honest_reason(
    champion: Run, challenger: Run, sample: Sample
) -> None:
    verdict = judge(challenger, champion, sample)
    assert verdict.promoted, verdict.reason
    assert "fewer ranked users" in verdict.reason
    assert "RMSE and the floors decided" in verdict.reason


def test_the_same_model_again_is_a_tie(challenger: Run, sample: Sample) -> None:
    verdict = judge(challenger, challenger, sample)
    assert [rule.name for rule in verdict.rules if not rule.passed] == ["rmse_lowest_gain"]

"""A search for better hyperparameters: it ends in lines for a profile, and changes nothing."""

import itertools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import optuna
import pandas as pd
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from cinematch_dagster.pipeline.training.data import ratings_sha256
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.dsn import neighbour, sqlalchemy_url
from cinematch_dagster.recommenders.errors import DivergedError, TooManyMoviesError
from cinematch_dagster.recommenders.tuning.search import (
    Head,
    Objective,
    Pruned,
    TuningError,
    Values,
    as_toml,
    readable,
    time_folds,
)
from cinematch_dagster.settings import EXPERIMENT, TrainingSettings
from cinematch_dagster.warehouse.training.training_data import training_ratings

__all__ = ["Proposal", "TuningError", "log", "log_to", "read_ratings", "tune"]

DATABASE = "optuna"
PROPOSAL = "proposal.toml"
Progress = Callable[[int, int, float], None]
"""Told of trials done, of all that are to be done, and of the study's best value so far."""


@dataclass(frozen=True)
class Proposal:
    """The best of a study.

    Attributes:
        study: its name: algorithm, data and the hyperparameters that are not searched; the same
            again goes on with it.
        data_sha256: of the ratings.
        head: whose hyperparameters they are.
        algorithm: its name.
        metric: `rmse` or `ndcg_at_10`, a mean over the folds.
        value: the best.
        current: of the present settings; None where they are outside the ranges, or given up.
        best: the hyperparameters of `value`, by name.
        complete: trials that saw every fold.
        pruned: trials that were given up.
    """

    study: str
    data_sha256: str
    head: Head
    algorithm: str
    metric: str
    value: float
    current: float | None
    best: Values
    complete: int
    pruned: int

    @property
    def toml(self) -> str:
        """The lines for a profile."""
        return as_toml(self.head, self.algorithm, self.best)


def read_ratings(dsn: str) -> pd.DataFrame:
    """Read what a model is trained on now, no test and no held-out row among it."""
    with connect(dsn) as connection:
        return training_ratings(connection, date.max)


def tune(
    dsn: str,
    settings: TrainingSettings,
    head: Head,
    trials: int,
    progress: Progress = lambda _done, _all, _best: None,
) -> Proposal:
    """Run some more trials of the study of this data and head, and return its best.

    Args:
        dsn: of the warehouse; the study is in the database `optuna` beside it.
        settings: the algorithm with its present values, and the seed.
        head: whose algorithm is tuned.
        trials: how many more.
        progress: told after each; of no best value, NaN, while there is none.

    Raises:
        TuningError: the algorithm has nothing to tune, or can't be fitted to so many movies; there
            are too few ratings; or no trial came to its end.
    """
    ratings = read_ratings(dsn)
    present = settings.rating if head == "rating" else settings.ranking
    objective = Objective(present, settings.seed, time_folds(ratings))
    sha256 = ratings_sha256(ratings)
    storage = RDBStorage(sqlalchemy_url(ensure_database(dsn, neighbour(dsn, DATABASE))))
    try:
        name = f"{present.algorithm}-{sha256[:16]}-{objective.fixed_sha256[:8]}"
        study = _study(storage, name, objective, settings.seed)
        _optimize(study, objective, trials, progress)
        return _proposal(study, objective, sha256)
    finally:
        storage.engine.dispose()


def log(mlflow: Any, proposal: Proposal) -> None:
    """Log a proposal to MLflow's active run."""
    mlflow.set_tag("kind", "tuning")
    mlflow.log_params({"study": proposal.study, "data_sha256": proposal.data_sha256})
    mlflow.log_params({f"{proposal.head}.{name}": found for name, found in proposal.best.items()})
    figures = {f"tuning_{proposal.metric}": proposal.value, "trials": proposal.complete}
    if proposal.current is not None:
        figures[f"current_{proposal.metric}"] = proposal.current
    mlflow.log_metrics(figures)
    mlflow.log_dict(asdict(proposal), "proposal.json")
    mlflow.log_text(proposal.toml, PROPOSAL)


def log_to(tracking_uri: str, proposal: Proposal) -> bool:
    """Log a proposal to a run of its own on a tracking server; False when that fails."""
    import mlflow

    mlflow.set_tracking_uri(tracking_uri)
    try:
        mlflow.set_experiment(EXPERIMENT)
        with mlflow.start_run(run_name=proposal.study):
            log(mlflow, proposal)
    except mlflow.exceptions.MlflowException:
        return False
    return True


def _study(storage: RDBStorage, name: str, objective: Objective, seed: int) -> optuna.Study:
    """Load or begin a study; a seed that goes with its trials, so that none is drawn again."""
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        direction=objective.direction,
        pruner=MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    study.sampler = TPESampler(seed=seed + len(study.trials))
    tried = _of_current(study, objective, TrialState.COMPLETE, TrialState.PRUNED)
    if objective.is_current_in_range and not tried:
        study.enqueue_trial(objective.current)
    return study


def _of_current(
    study: optuna.Study, objective: Objective, *states: TrialState
) -> list[optuna.trial.FrozenTrial]:
    """Return the trials of the present settings in some states."""
    found = study.get_trials(deepcopy=False, states=states)
    return [trial for trial in found if trial.params == objective.current]


def _optimize(study: optuna.Study, objective: Objective, trials: int, progress: Progress) -> None:
    done = itertools.count(1)

    def run(trial: optuna.Trial) -> float:
        try:
            return objective(trial)
        except (Pruned, DivergedError):
            raise optuna.TrialPruned from None
        except TooManyMoviesError as error:
            raise TuningError(str(error)) from None

    def tell(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        progress(next(done), trials, study.best_value if _complete(study) else math.nan)

    study.optimize(run, n_trials=trials, callbacks=[tell])


def _complete(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]))


def _proposal(study: optuna.Study, objective: Objective, sha256: str) -> Proposal:
    complete = _complete(study)
    if not complete:
        raise TuningError(
            f"none of the {len(study.trials)} trials of {study.study_name} came to its end: all "
            "diverged, or were given up (expected one at least)"
        )
    current = _of_current(study, objective, TrialState.COMPLETE)
    return Proposal(
        study=study.study_name,
        data_sha256=sha256,
        head=objective.head,
        algorithm=objective.present.algorithm,
        metric=objective.metric,
        value=study.best_value,
        current=current[0].value if current else None,
        best={name: readable(value) for name, value in study.best_params.items()},
        complete=complete,
        pruned=len(study.get_trials(deepcopy=False, states=[TrialState.PRUNED])),
    )

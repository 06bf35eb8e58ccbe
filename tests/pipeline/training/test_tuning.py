"""Tuning on a real Postgres and a real MLflow server."""

import datetime
import math
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import mlflow
import optuna
import pytest
from mlflow import MlflowClient
from psycopg import sql
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.training.jobs import model_tuning
from cinematch_dagster.local.databases import neighbour_url
from cinematch_dagster.pipeline.training.tuning import read_ratings, tune
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import neighbour, with_database
from cinematch_dagster.recommenders.algorithm import Range
from cinematch_dagster.recommenders.evaluation.pairs import keys_of
from cinematch_dagster.recommenders.ranking.ease import Ease
from cinematch_dagster.recommenders.ranking.popularity import Popularity
from cinematch_dagster.recommenders.rating.svd import Svd
from cinematch_dagster.recommenders.tuning import search as space
from cinematch_dagster.recommenders.tuning.search import TuningError
from cinematch_dagster.settings import Settings, TrainingSettings, load_settings
from cinematch_dagster.warehouse.training.training_data import held_out, standing_test
from tests.pipeline.support import SMALL_MODELS
from tests.ports import free_port

Arrive = Callable[[int], None]
QUICK = {"factors": Range(2, 8), "epochs": Range(1, 3)}


def dropped(warehouse: str) -> sql.Composed:
    """The statement that removes every study of a warehouse."""
    name = sql.Identifier(neighbour(warehouse, "optuna"))
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, warehouse: str) -> None:
    """A small search, and no study of another test: all share the server's database `optuna`."""
    monkeypatch.setattr(Svd, "search", QUICK)
    with connect(with_database(warehouse, "postgres"), autocommit=True) as server:
        server.execute(dropped(warehouse))


@pytest.fixture
def training(settings: Settings) -> TrainingSettings:
    changed = {"rating": Svd(factors=4, epochs=2), "ranking": Popularity()}
    return settings.training.model_copy(update=changed)


@pytest.fixture
def tracked(settings: Settings) -> Iterator[None]:
    """MLflow's module talks to the server of the settings."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment("cinematch")
    yield
    mlflow.set_tracking_uri(before)


def choose_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose the algorithm without hyperparameters; what is set for another one is gone."""
    for name in SMALL_MODELS:
        if "__RATING__" in name:
            monkeypatch.delenv(name)
    monkeypatch.setenv("CINEMATCH_TRAINING__RATING__ALGORITHM", "baseline")
    load_settings.cache_clear()


def study(warehouse: str, name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage=neighbour_url(warehouse, "optuna"))


def test_a_study_is_kept_in_postgres_and_goes_on(
    warehouse: str, training: TrainingSettings
) -> None:
    told: list[tuple[int, int, float]] = []
    first = tune(warehouse, training, "rating", 2, lambda *now: told.append(now))
    assert [now[:2] for now in told] == [(1, 2), (2, 2)]
    assert told[-1][2] == first.value <= told[0][2]
    assert first.study.startswith("svd-")
    assert first.current == told[0][2]  # the present settings are the first trial
    more = tune(warehouse, training, "rating", 1)
    assert (more.study, more.complete + more.pruned) == (first.study, 3)
    assert more.value <= first.value
    trials = study(warehouse, first.study).trials
    assert len({tuple(trial.params.items()) for trial in trials}) == 3
    assert [set(trial.intermediate_values) for trial in trials[:2]] == [{0, 1, 2}] * 2
    proposed = tomllib.loads(more.toml)["training"]
    assert proposed == {"rating": {"algorithm": "svd", **more.best}}
    assert TrainingSettings.model_validate(proposed) != TrainingSettings()


def test_the_present_settings_are_measured_anew_when_they_change_and_after_a_crash(
    warehouse: str, training: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(space.Objective, "measure", lambda *_: pytest.fail("the worker dies"))
        with pytest.raises(pytest.fail.Exception):
            tune(warehouse, training, "rating", 1)
    first = tune(warehouse, training, "rating", 1)
    assert (first.complete, first.current) == (1, first.value)
    other = training.model_copy(update={"rating": Svd(factors=7, epochs=2)})
    changed = tune(warehouse, other, "rating", 1)
    assert (changed.study, changed.complete) == (first.study, 2)
    assert changed.current not in (None, first.current)
    back = tune(warehouse, training, "rating", 1)
    assert (back.study, back.complete, back.current) == (first.study, 3, first.current)
    seed = training.model_copy(update={"seed": training.seed + 1})
    assert tune(warehouse, seed, "rating", 1).study != first.study


def test_more_movies_than_an_algorithm_takes_are_refused_by_number(
    warehouse: str, training: TrainingSettings
) -> None:
    few = training.model_copy(update={"ranking": Ease(max_movies=10)})
    with pytest.raises(TuningError, match=r"movies, at most 10 were expected"):
        tune(warehouse, few, "ranking", 1)


def test_values_with_which_the_descent_diverges_are_given_up_and_the_others_go_on(
    warehouse: str, training: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Svd().learning_rate
    monkeypatch.setattr(Svd, "search", {"learning_rate": Range(slow, 1e9, log=True)})
    told: list[float] = []
    found = tune(warehouse, training, "rating", 3, lambda _done, _all, best: told.append(best))
    assert (found.complete, found.pruned, len(told)) == (1, 2, 3)
    assert told[-1] == found.current
    monkeypatch.setattr(Svd, "search", {"learning_rate": Range(1e8, 1e9)})
    with connect(with_database(warehouse, "postgres"), autocommit=True) as server:
        server.execute(dropped(warehouse))
    with pytest.raises(TuningError, match="none of the 1 trials of svd-"):
        tune(warehouse, training, "rating", 1, lambda _done, _all, best: told.append(best))
    assert math.isnan(told[-1])


def test_no_row_that_models_are_compared_on_is_ever_seen(
    warehouse: str, training: TrainingSettings, arrive: Arrive
) -> None:
    arrive(1)
    with connect(warehouse) as connection:
        kept = {
            *keys_of(standing_test(connection)),
            *keys_of(held_out(connection, datetime.date.max)),
        }
    ratings = read_ratings(warehouse)
    assert len(kept) > 1_000
    assert kept.isdisjoint(keys_of(ratings))
    before = tune(warehouse, training, "ranking", 2)
    with connect(warehouse) as connection:
        connection.execute("UPDATE ratings SET rating = 0.5 WHERE data_split = 'test'")
        connection.execute("UPDATE ratings_buffer SET rating = 0.5 WHERE held_out")
        connection.execute("DELETE FROM ratings WHERE data_split = 'test' AND \"userId\" % 2 = 0")
    again = study(warehouse, before.study).trials
    optuna.delete_study(study_name=before.study, storage=neighbour_url(warehouse, "optuna"))
    after = tune(warehouse, training, "ranking", 2)
    assert after == before
    assert [t.values for t in study(warehouse, after.study).trials] == [t.values for t in again]
    with connect(warehouse) as connection:  # a rating that is trained on makes another study
        connection.execute("UPDATE ratings SET rating = 0.5 WHERE data_split = 'train'")
    assert tune(warehouse, training, "ranking", 1).study != before.study


@pytest.mark.usefixtures("warehouse", "tracked")
def test_the_job_logs_a_proposal_and_changes_nothing(settings: Settings) -> None:
    run_id = mlflow.start_run().info.run_id
    done = model_tuning.execute_in_process(
        run_config=dg.RunConfig({"tune_model": {"config": {"head": "rating", "trials": 2}}}),
        resources={**RESOURCES, "mlflow": mlflow},
    )
    assert done.success
    client = MlflowClient(settings.tracking_uri)
    run = client.get_run(run_id)
    assert (run.info.status, run.data.tags["kind"]) == ("FINISHED", "tuning")
    assert run.data.metrics["trials"] == 2
    lines = client.download_artifacts(run_id, "proposal.toml")
    values = tomllib.loads(Path(lines).read_text())["training"]["rating"]
    assert values.pop("algorithm") == "svd"
    logged = {f"rating.{name}": str(value) for name, value in values.items()}
    assert logged.items() <= run.data.params.items()
    load_settings.cache_clear()
    assert load_settings().training == settings.training


@pytest.mark.usefixtures("warehouse", "tracked")
def test_a_run_that_fails_is_ended_as_failed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_baseline(monkeypatch)
    run_id = mlflow.start_run().info.run_id
    with pytest.raises(TuningError, match="nothing to tune"):
        model_tuning.execute_in_process(resources={**RESOURCES, "mlflow": mlflow})
    assert MlflowClient(settings.tracking_uri).get_run(run_id).info.status == "FAILED"


@pytest.mark.usefixtures("warehouse", "tracked")
def test_the_command_prints_lines_for_a_profile(settings: Settings) -> None:
    result = CliRunner().invoke(cli.app, ["tune", "rating", "--trials", "2"])
    assert result.exit_code == 0, result.output
    lines = result.stdout[result.stdout.index("[training.rating]") :]
    values = tomllib.loads(lines)["training"]["rating"]
    assert set(values) == {"algorithm", "factors", "epochs"}
    assert "2 trials, 0 given up early" in result.stdout.replace("\n", " ")
    assert settings.training == load_settings().training
    client = MlflowClient(settings.tracking_uri)
    experiment = client.get_experiment_by_name("cinematch")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.kind = 'tuning'")
    assert runs[0].data.params["rating.factors"] == str(values["factors"])


@pytest.mark.usefixtures("warehouse")
def test_an_algorithm_without_hyperparameters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_baseline(monkeypatch)
    result = CliRunner().invoke(cli.app, ["tune", "rating"])
    assert result.exit_code == 2
    assert "has nothing to tune" in result.stderr


@pytest.mark.usefixtures("warehouse")
def test_without_mlflow_the_proposal_is_printed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEMATCH_MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    load_settings.cache_clear()
    before = mlflow.get_tracking_uri()
    result = CliRunner().invoke(cli.app, ["tune", "rating", "--trials", "1"])
    mlflow.set_tracking_uri(before)
    assert result.exit_code == 1
    assert "factors = " in result.stdout
    assert "Not logged: MLflow does not answer at http://127.0.0.1:" in result.stderr

"""Training and registration on a real Postgres and a real MLflow server."""

import dataclasses
import datetime
import json
from collections.abc import Callable

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from cinematch_dagster.pipeline.registration import register
from cinematch_dagster.pipeline.registry import MODEL_NAME, PRODUCTION, RegistrationError
from cinematch_dagster.pipeline.training import (
    TrainingData,
    TrainingResult,
    read_training_data,
    train,
)
from cinematch_dagster.recommenders import Hyperparameters, fit
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.connection import connect
from cinematch_dagster.warehouse.promotions import Promotion
from serving.heads import FactorRating

Train = Callable[[int], TrainingResult]
Arrive = Callable[[int], None]
Register = Callable[[int], Promotion]


def week(number: int) -> datetime.date:
    return datetime.date(2024, 1, 1) + datetime.timedelta(weeks=number - 1)


@pytest.fixture
def register_week(warehouse: str, settings: Settings) -> Register:
    return lambda number: register(warehouse, week(number), settings, "a Dagster run")


@pytest.fixture
def client(settings: Settings) -> MlflowClient:
    return MlflowClient(settings.tracking_uri)


def in_production(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias(MODEL_NAME, PRODUCTION).version)


def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    with connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_retraining_retried_after_a_newer_one_never_takes_production_back(
    warehouse: str,
    arrive: Arrive,
    train_week: Train,
    register_week: Register,
    client: MlflowClient,
) -> None:
    train_week(0)
    first = register_week(0)
    assert first.promoted
    assert in_production(client) == first.version

    arrive(1)
    arrive(2)
    train_week(1)  # and its registration fails before it has done anything
    train_week(2)
    second = register_week(2)
    assert second.promoted
    assert second.from_version == first.version
    assert in_production(client) == second.version
    assert "fewer ranked users" in second.reason
    assert set(second.scores["held_out"]) == {"champion", "challenger", "floor"}
    tags = client.get_model_version(MODEL_NAME, second.version).tags
    assert (tags["gate"], tags["gate_reason"]) == ("promoted", second.reason)
    assert json.loads(tags["gate_rules"]) == second.scores["rules"]
    plot = "plots/champion_against_challenger.png"
    drawn = {f.path: f.file_size for f in client.list_artifacts(second.mlflow_run_id, "plots")}
    assert (drawn[plot] or 0) > 10_000
    alone = {f.path for f in client.list_artifacts(first.mlflow_run_id, "plots")}
    assert plot not in alone, "there was no champion"

    late = register_week(1)  # the retry
    assert not late.promoted
    assert "older than the champion's" in late.reason
    assert in_production(client) == second.version

    again = register_week(2)  # a retry of what had succeeded
    assert (again.version, again.promoted) == (second.version, True)
    assert in_production(client) == second.version
    assert rows(warehouse, "SELECT week, promoted FROM promotions ORDER BY id") == [
        (week(0), True),
        (week(2), True),
        (week(1), False),
    ]
    stages = {
        v.version: v.tags["stage"]
        for v in client.search_model_versions(f"name = '{MODEL_NAME}'")
        if v.version in {first.version, second.version, late.version}
    }
    assert stages == {first.version: "None", second.version: "Production", late.version: "None"}


class Forged(TrainingData):
    """Training data that says it is what the warehouse has for the week."""

    @property
    def sha256(self) -> str:
        return read_training_data(self.dsn, self.week).sha256

    dsn: str


@pytest.fixture
def cheat(
    warehouse: str, settings: Settings, train_week: Train
) -> Callable[[int, Callable[[TrainingData], list[pd.DataFrame]]], None]:
    """Train a week's model on tested rows as well, and lie about it."""
    assert callable(train_week)

    def run(number: int, tested: Callable[[TrainingData], list[pd.DataFrame]]) -> None:
        data = read_training_data(warehouse, week(number))
        rows = pd.concat([data.ratings, *tested(data)])
        rows = rows.drop_duplicates(["userId", "movieId"], keep="last", ignore_index=True)
        forged = Forged(**vars(dataclasses.replace(data, ratings=rows)))
        object.__setattr__(forged, "dsn", warehouse)
        mlflow.start_run()
        train(forged, settings.training, mlflow, warehouse)

    return run


def broken(promotion: Promotion) -> dict[str, float]:
    return {r["name"]: r["value"] for r in promotion.scores["rules"] if not r["passed"]}


def test_a_first_model_that_saw_the_test_is_refused(
    cheat: Callable[..., None], register_week: Register
) -> None:
    cheat(0, lambda data: [data.standing])
    refused = register_week(0)
    assert not refused.promoted
    assert broken(refused) == {
        "leaked_standing_rows": 10_792,
        "unexpected_training_rows": 10_792,
    }
    assert "leaked standing rows 10,792, at most 0 was expected" in refused.reason


def test_a_challenger_that_saw_the_held_out_rows_is_refused_and_an_honest_one_is_not(
    warehouse: str,
    arrive: Arrive,
    cheat: Callable[..., None],
    train_week: Train,
    register_week: Register,
    client: MlflowClient,
) -> None:
    train_week(0)
    champion = register_week(0)
    arrive(1)
    cheat(1, lambda data: [data.held_out])
    refused = register_week(1)
    assert not refused.promoted
    assert broken(refused)["leaked_held_out_rows"] == 959
    assert in_production(client) == champion.version
    assert rows(warehouse, "SELECT count(*) FROM ratings_buffer") == [(4_796,)]


def test_a_promotion_merges_the_buffer_and_moves_the_baseline(
    warehouse: str, arrive: Arrive, train_week: Train, register_week: Register
) -> None:
    train_week(0)
    register_week(0)
    arrive(1)
    arrive(2)
    before = rows(warehouse, "SELECT count(*) FROM ratings")
    train_week(2)
    assert register_week(2).promoted
    assert before == [(35_971,)]
    assert rows(warehouse, "SELECT data_split, count(*) FROM ratings GROUP BY 1 ORDER BY 1") == [
        ("test", 10_792 + 2 * 959),
        ("train", 25_179 + 2 * (4_796 - 959)),
    ]
    assert rows(warehouse, "SELECT count(*) FROM ratings_buffer") == [(0,)]


def test_each_training_run_leaves_one_row_of_metrics(
    warehouse: str, train_week: Train, register_week: Register
) -> None:
    train_week(0)
    train_week(0)
    promotion = register_week(0)
    versions = rows(
        warehouse,
        "SELECT model_version, rmse > 0, mae > 0, precision_at_10 > 0, data_size"
        " FROM model_metrics ORDER BY id",
    )
    assert versions[1] == (promotion.version, True, True, True, 25_179)
    assert str(versions[0][0]).startswith("run:")


def test_registering_without_a_trained_model_names_the_week(register_week: Register) -> None:
    with pytest.raises(RegistrationError, match="week 2024-01-15 has no trained model"):
        register_week(3)


def test_the_run_in_mlflow_holds_the_data_s_identity_the_plots_and_the_model(
    warehouse: str, arrive: Arrive, train_week: Train, client: MlflowClient
) -> None:
    arrive(1)
    result = train_week(1)
    run = client.get_run(result.mlflow_run_id)
    assert run.info.status == "FINISHED"
    data = read_training_data(warehouse, week(1))
    assert run.data.params["data_sha256"] == data.sha256
    assert run.data.params["data_rows"] == str(25_179 + 4_796 - 959)
    assert run.data.params["batches"] == '["baseline", "batch_w1"]'
    assert run.data.params["data_cut"].startswith("20")
    assert run.data.params["standing_rows"] == "10792"
    assert run.data.params["held_out_rows"] == "959"
    metrics = run.data.metrics
    assert metrics["standing_rmse"] == pytest.approx(result.standing.rmse)
    assert metrics["standing_precision_at_10"] == pytest.approx(result.standing.precision_at_10)
    assert metrics["held_out_fold_rows"] == result.scores["held_out_fold"].rating.rows
    cold = result.scores["standing"].slices["cold_user"]
    assert metrics["standing/cold_user/rmse"] == pytest.approx(cold.rmse)
    assert metrics["standing/cold_user/rmse_low"] < metrics["standing/cold_user/rmse_high"]
    assert metrics["baseline_rmse"] > 0
    assert metrics["peak_memory_mb"] > 100
    assert {"standing_fold_diversity", "standing_fold_novelty", "fit_seconds"} <= set(metrics)
    assert {f.path for f in client.list_artifacts(run.info.run_id, "plots")} == {
        "plots/algorithms.png",
        "plots/errors_by_star.png",
        "plots/factor_norms.png",
        "plots/learning_curve.png",
        "plots/slices_fold.png",
        "plots/slices_static.png",
    }
    assert run.outputs is not None
    model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    files = {f.path for f in client.list_logged_model_artifacts(model.model_id)}
    assert {"MLmodel", "input_example.json"} <= files
    assert not any(f.endswith((".pkl", ".pickle")) for f in files)


def test_a_training_that_breaks_ends_its_run_as_failed(
    train_week: Train, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("cinematch_dagster.pipeline.training._log_model", full_disk)
    with pytest.raises(OSError, match="No space left"):
        train_week(0)
    experiment = client.get_experiment_by_name("cinematch")
    assert experiment is not None
    newest = client.search_runs([experiment.experiment_id], max_results=1)[0]
    assert newest.info.status == "FAILED"


def test_the_buffer_changes_the_model_and_no_test_row_is_ever_seen(
    warehouse: str, arrive: Arrive, settings: Settings
) -> None:
    columns = ["userId", "movieId", "rating", "timestamp"]
    before = read_training_data(warehouse, week(1))
    arrive(1)
    after = read_training_data(warehouse, week(1))
    options = settings.training.model_dump(exclude={"held_out_share"})
    one, other = (
        fit(data.ratings, data.movies, Hyperparameters(**options)) for data in (before, after)
    )
    assert before.sha256 != after.sha256
    assert isinstance(one.rating, FactorRating)
    assert isinstance(other.rating, FactorRating)
    assert one.rating.global_mean != other.rating.global_mean
    assert not np.array_equal(one.popularity, other.popularity)

    for data in (before, after):
        trained = set(data.ratings[columns].itertuples(index=False, name=None))
        for hidden in (data.standing, data.held_out):
            assert trained.isdisjoint(hidden[columns].itertuples(index=False, name=None))
    # Whatever the test rows say, the model is the same.
    with connect(warehouse) as connection:
        connection.execute("UPDATE ratings SET rating = 0.5 WHERE data_split = 'test'")
        connection.execute("UPDATE ratings_buffer SET rating = 0.5 WHERE held_out")
    assert read_training_data(warehouse, week(1)).sha256 == after.sha256

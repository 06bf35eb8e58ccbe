"""Training and the first registration on a real Postgres and a real MLflow server."""

import dagster as dg
import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.training.assets import trained_model
from cinematch_dagster.demo import measured
from cinematch_dagster.movielens import Prepared
from cinematch_dagster.pipeline.drift.predicted_week import check_performance
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.registry.versions import RegistrationError
from cinematch_dagster.pipeline.training.data import read_training_data
from cinematch_dagster.pipeline.training.log import FAILED_CHECKS
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.recommenders.errors import TrainingError
from cinematch_dagster.recommenders.fit import fit
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch
from serving.model.heads import FactorRating
from tests.pipeline.support import (
    Arrive,
    Cheat,
    Register,
    Train,
    broken_rules,
    production,
    rows,
    week,
)


@pytest.mark.slow  # a training more; its neighbour in later/ cheats with held-out rows
def test_a_first_model_that_saw_the_test_is_refused(cheat: Cheat, register_week: Register) -> None:
    cheat(0, lambda data: [data.standing])
    refused = register_week(0)
    assert not refused.promoted
    assert broken_rules(refused) == {
        "leaked_standing_rows": 10_792,
        "unexpected_training_rows": 10_792,
    }
    assert "leaked standing rows 10,792, at most 0 was expected" in refused.reason


@pytest.mark.slow  # two more trainings
def test_each_training_run_leaves_one_row_of_metrics(
    warehouse: str, train_week: Train, register_week: Register, client: MlflowClient
) -> None:
    train_week(0)
    train_week(0)
    promotion = register_week(0)
    assert promotion.promoted
    assert production(client) == promotion.version
    versions = rows(
        warehouse,
        "SELECT model_version, rmse > 0, mae > 0, precision_at_10 > 0, data_size"
        " FROM model_metrics ORDER BY id",
    )
    assert versions[1] == (promotion.version, True, True, True, 25_179)
    assert str(versions[0][0]).startswith("run:")


def test_a_model_that_failed_a_check_is_not_registered(
    warehouse: str, train_week: Train, register_week: Register, client: MlflowClient
) -> None:
    run_id = train_week(0).mlflow_run_id
    assert FAILED_CHECKS not in client.get_run(run_id).data.tags
    client.set_tag(run_id, FAILED_CHECKS, "beats_baseline, leaves_out_rated")
    refused = "week 2023-12-25 has failed beats_baseline, leaves_out_rated"
    with pytest.raises(RegistrationError, match=refused):
        register_week(0)
    assert rows(warehouse, "SELECT count(*) FROM promotions") == [(0,)]
    # No version either: where the API tries candidates out, it would follow it.
    assert client.search_model_versions(f"run_id = '{run_id}'") == []


def test_a_week_to_come_gets_no_model(warehouse: str, arrive: Arrive) -> None:
    with pytest.raises(TrainingError, match=f"week {week(1)} can't .* a week up to {week(0)}, "):
        read_training_data(warehouse, week(1))
    arrive(2)
    assert read_training_data(warehouse, week(1)).batches == ["baseline"]  # its batch may be late
    with pytest.raises(TrainingError, match=f"week {week(3)} can't .* a week up to {week(2)}, "):
        read_training_data(warehouse, week(3))


def test_a_rating_that_is_repeated_tests_nothing(warehouse: str, sample: Prepared) -> None:
    before = read_training_data(warehouse, week(0))
    tested = before.standing.head(100)[["userId", "movieId"]]
    again = sample.batches[0].ratings.iloc[:500].copy()
    again.iloc[:100, :2] = tested.to_numpy()  # the oldest rows of the batch: they are trained on
    again.iloc[-50:, :2] = before.ratings.head(50)[["userId", "movieId"]].to_numpy()
    load_batch(warehouse, Batch("batch_w1", week(1), again, "a sha", None, 0.2))
    after = read_training_data(warehouse, week(1))
    assert len(after.standing) == len(before.standing) - 100
    assert len(after.held_out) == 100 - 50
    trained = set(zip(after.ratings["userId"], after.ratings["movieId"], strict=True))
    for rows_ in (after.standing, after.held_out):
        pairs = list(zip(rows_["userId"], rows_["movieId"], strict=True))
        assert trained.isdisjoint(pairs)
        assert len(set(pairs)) == len(pairs)


class Tracked:
    """MLflow's module as dagster-mlflow's resource gives it."""

    def __init__(self, client: MlflowClient) -> None:
        self.tracking_client = client

    def __getattr__(self, name: str) -> object:
        return getattr(mlflow, name)


def test_without_ratings_a_training_says_so_and_is_not_tried_again(
    warehouse_dsn: str, settings: Settings, client: MlflowClient
) -> None:
    assert settings.database_url is not None
    with pytest.raises(TrainingError, match="the warehouse has 0 ratings to train on and 0 to"):
        read_training_data(warehouse_dsn, week(0))
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment("cinematch")
    run_id = mlflow.start_run().info.run_id
    found = dg.materialize(
        [trained_model],
        partition_key=week(0).isoformat(),
        resources={**RESOURCES, "mlflow": Tracked(client)},
        raise_on_error=False,
    )
    mlflow.set_tracking_uri(before)
    assert not found.success
    kinds = [event.event_type_value for event in found.all_events]
    assert "STEP_FAILURE" in kinds
    assert "STEP_UP_FOR_RETRY" not in kinds
    (failed,) = found.get_step_failure_events()
    assert "data_preparation" in str(failed.event_specific_data)
    assert client.get_run(run_id).info.status == "FAILED"


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
        "plots/errors_by_star.png",
        "plots/factor_norms.png",
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

    monkeypatch.setattr("cinematch_dagster.pipeline.training.log.log_model", full_disk)
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
    before = read_training_data(warehouse, week(0))
    arrive(1)
    after = read_training_data(warehouse, week(1))
    one, other = (fit(data.ratings, data.movies, settings.training) for data in (before, after))
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


@pytest.mark.slow  # one more training
def test_before_the_first_model_nothing_is_compared_and_nothing_alerts(
    warehouse: str, settings: Settings, arrive: Arrive, train_week: Train
) -> None:
    arrive(1)
    train_week(0)  # trained, and not promoted
    assert check_performance(warehouse, week(1), settings) is None
    assert rows(warehouse, "SELECT count(*) FROM drift_alerts") == [(0,)]
    with connect(warehouse) as connection:
        check_week(connection, week(1), settings.drift)
    told = measured.weeks(lambda: connect(warehouse))
    assert [row["performance"] for row in told] == [None]
    assert not (settings.state_dir / "models").exists()

"""How MLflow runs end, on a real server: with their block, or by the next training."""

import uuid
from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from cinematch_dagster.pipeline.training.mlflow_run import (
    DAGSTER_RUN,
    SERVER_FAILS,
    end_abandoned,
    ended,
)


@pytest.fixture
def experiment(mlflow_server: str) -> Iterator[str]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(mlflow_server)
    name = f"ends {uuid.uuid4()}"
    mlflow.set_experiment(name)
    yield name
    mlflow.set_tracking_uri(before)


def status(run_id: str) -> str:
    return str(MlflowClient().get_run(run_id).info.status)


@pytest.mark.usefixtures("experiment")
def test_a_run_ends_with_its_block() -> None:
    good = mlflow.start_run().info.run_id
    with ended(mlflow):
        assert status(good) == "RUNNING"
    bad = mlflow.start_run().info.run_id
    with pytest.raises(KeyboardInterrupt), ended(mlflow):
        raise KeyboardInterrupt
    assert (status(good), status(bad)) == ("FINISHED", "FAILED")


@pytest.mark.usefixtures("experiment")
def test_a_server_that_is_away_does_not_hide_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, mlflow_server: str
) -> None:
    run_id = mlflow.start_run().info.run_id
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="the cause"), ended(mlflow):
        raise ValueError("the cause")
    mlflow.set_tracking_uri(mlflow_server)
    assert mlflow.active_run() is None
    assert status(run_id) == "RUNNING"


@pytest.mark.usefixtures("experiment")
@pytest.mark.parametrize(
    ("said", "notes"),
    [("Caused by ResponseError('too many 500 error responses')", [SERVER_FAILS]), ("refused", [])],
)
def test_a_server_that_fails_is_where_to_look(said: str, notes: list[str]) -> None:
    mlflow.start_run()
    with pytest.raises(MlflowException) as caught, ended(mlflow):
        raise MlflowException(said)
    assert getattr(caught.value, "__notes__", []) == notes


def test_what_a_run_that_is_over_left_open_is_ended(experiment: str) -> None:
    client = MlflowClient()
    known = client.get_experiment_by_name(experiment)
    assert known is not None

    def begin(tags: dict[str, str]) -> str:
        return str(client.create_run(known.experiment_id, tags=tags).info.run_id)

    over, going_on, by_hand = begin({DAGSTER_RUN: "a"}), begin({DAGSTER_RUN: "b"}), begin({})
    assert end_abandoned(client, experiment, lambda run: run == "a") == [over]
    assert [status(run) for run in (over, going_on, by_hand)] == ["FAILED", "RUNNING", "RUNNING"]
    assert end_abandoned(client, experiment, lambda run: run == "a") == []


def test_an_experiment_that_nobody_began_has_nothing_to_end(mlflow_server: str) -> None:
    assert end_abandoned(MlflowClient(mlflow_server), "none", lambda _: True) == []

"""The way back and what is kept, on a real Postgres and a real MLflow server."""

import dagster as dg
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from cinematch_dagster.defs.registry.jobs import rollback_production
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.pipeline.operations.pages import write_pages
from cinematch_dagster.pipeline.registry import comparison, registration
from cinematch_dagster.pipeline.registry.registration import register
from cinematch_dagster.pipeline.registry.retention import delete_old_versions
from cinematch_dagster.pipeline.registry.rollback import roll_back
from cinematch_dagster.pipeline.registry.versions import (
    MODEL_NAME,
    PRODUCTION,
    RegistrationError,
    versions,
)
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.registry.production import RollbackError, periods
from cinematch_dagster.warehouse.registry.promotions import Promotion
from serving.follow.registry import Registry, Release
from serving.pages.dashboard import views
from serving.platform.snapshot import Snapshot
from tests.pipeline.support import Arrive, Train, week

pytestmark = [pytest.mark.slow, pytest.mark.lifecycle]  # each trains two or three models more


def test_the_way_back_and_what_stays_of_old_versions(
    warehouse: str,
    settings: Settings,
    arrive: Arrive,
    train_week: Train,
    first: Promotion,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    client = MlflowClient(settings.tracking_uri)
    registry = Registry(settings.tracking_uri, MODEL_NAME, PRODUCTION)
    for number in (1, 2, 3):
        arrive(number)
    train_week(3)
    second = register(warehouse, week(3), settings, "a run")
    assert second.promoted, second.reason
    assert registry.release().version == second.version

    # The job in Dagster's UI: what serving polls is the old version.
    done = rollback_production.execute_in_process(
        run_config=dg.RunConfig(
            {"roll_back_production": {"config": {"who": "ada", "reason": "nonsense"}}}
        ),
        resources=RESOURCES,
    )
    assert done.success
    assert registry.release().version == first.version
    stages = {v.version: v.tags["stage"] for v in versions(client)}
    assert (stages[first.version], stages[second.version]) == ("Production", "None")
    with connect(warehouse) as connection:
        now = periods(connection)[-1]
    assert (now.version, now.rolled_back_by, now.dagster_run_id) == (
        first.version, "ada", done.run_id,
    )  # fmt: skip
    assert now.reason == f"Rolled back from version {second.version} by ada: nonsense"
    with connect(warehouse) as connection:
        write_pages(connection, settings)
    dashboard = Snapshot.read(settings.reports_dir)
    assert dashboard
    assert views(dashboard)["production"]["version"] == first.version
    assert views(dashboard)["trained"]["week"] == week(0).isoformat()

    # A decision that was made stays, and a retry of it doesn't undo the rollback.
    again = register(warehouse, week(3), settings, "a retry")
    assert (again.version, again.reason) == (second.version, second.reason)
    assert registry.release().version == first.version

    # The newest, production and what it replaced are kept; the rest leaves MLflow alone.
    run = client.get_run(first.mlflow_run_id)
    assert run.outputs is not None
    first_model = run.outputs.model_outputs[0].model_id
    model = client.get_logged_model(first_model)
    newest = client.create_model_version(
        MODEL_NAME, model.artifact_location, first.mlflow_run_id, model_id=model.model_id
    )
    with connect(warehouse) as connection:
        assert second.version in delete_old_versions(client, connection, keep=1)
        assert delete_old_versions(client, connection, keep=1) == []
    assert {v.version for v in versions(client)} == {newest.version, first.version}
    assert registry.download(Release(first.version, 0), tmp_path_factory.mktemp("kept")).exists()
    run = client.get_run(second.mlflow_run_id)
    assert run.outputs is not None
    deleted = run.outputs.model_outputs[0].model_id
    kept = client.search_logged_models([run.info.experiment_id])
    assert deleted not in {model.model_id for model in kept}
    assert first_model in {model.model_id for model in kept}
    with pytest.raises(MlflowException):
        download_artifacts(f"models:/{deleted}", dst_path=str(tmp_path_factory.mktemp("gone")))
    assert client.list_artifacts(run.info.run_id, "plots")
    with pytest.raises(RollbackError, match=f"MLflow has no version {second.version}"):
        roll_back(warehouse, settings, second.version, why="", who="ada")
    with connect(warehouse) as connection:
        found = [p.version for p in periods(connection)]
    assert found == [first.version, second.version, first.version]


def test_a_rollback_while_models_are_compared_stops_the_promotion(
    warehouse: str,
    settings: Settings,
    arrive: Arrive,
    train_week: Train,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in (1, 2, 3):
        arrive(number)
    train_week(3)
    assert register(warehouse, week(3), settings, "a run").promoted
    arrive(4)
    train_week(4)
    with connect(warehouse) as connection:
        first, second = (p.version for p in periods(connection))
    compare = comparison.compare

    def slow(*arguments: object) -> object:
        found = compare(*arguments)  # type: ignore[arg-type]  # handed through as they came
        roll_back(warehouse, settings, None, why="bad answers", who="ada")
        return found

    meanwhile = f"meanwhile version {first} went into production"
    with monkeypatch.context() as patch:
        patch.setattr(registration, "compare", slow)
        with pytest.raises(RegistrationError, match=meanwhile):
            register(warehouse, week(4), settings, "a run")
    assert register(warehouse, week(4), settings, "a retry").from_version == first
    assert int(second) > int(first)

"""Old versions leave MLflow; their rows in `promotions` and `model_metrics` stay."""

import psycopg
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from cinematch_dagster.pipeline.registry.versions import MODEL_NAME, logged_model, versions
from cinematch_dagster.warehouse.registry.production import replaced_by
from cinematch_dagster.warehouse.registry.promotions import in_production


def delete_old_versions(
    client: MlflowClient, connection: psycopg.Connection, keep: int
) -> list[str]:
    """Delete all but the newest versions, the one in production and the one that it replaced.

    Returns:
        the numbers of the deleted versions, the newest first.
    """
    present, known = in_production(connection), versions(client)
    needed = {present.version, replaced_by(connection, present.version)} if present else set()
    old = [version for version in known[keep:] if version.version not in needed]
    kept_runs = {version.run_id for version in known if version not in old}
    for version in old:
        if version.run_id and version.run_id not in kept_runs:
            _delete_model(client, version.run_id)
        client.delete_model_version(MODEL_NAME, version.version)
    return [str(version.version) for version in old]


def _delete_model(client: MlflowClient, run_id: str) -> None:
    """Delete a model's files, then what names them: dying in between leaves nothing unfindable.

    The training run keeps its parameters, metrics and plots. It is asked for the model, because
    MLflow's own database forgets which one a version was made of.
    """
    try:
        model = logged_model(client, run_id)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return  # an earlier try died right after this
        raise
    files = get_artifact_repository(model.artifact_location, tracking_uri=client.tracking_uri)
    files.delete_artifacts()  # type: ignore[no-untyped-call]  # MLflow has no types here
    client.delete_logged_model(model.model_id)

"""Old versions leave MLflow; their rows in `promotions` and `model_metrics` stay."""

import psycopg
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from cinematch_dagster.pipeline.registry import MODEL_NAME, versions
from cinematch_dagster.warehouse.production import replaced_by
from cinematch_dagster.warehouse.promotions import in_production


def delete_old_versions(
    client: MlflowClient, connection: psycopg.Connection, keep: int
) -> list[str]:
    """Delete all but the newest versions, the one in production and the one that it replaced.

    Returns:
        the numbers of the deleted versions, the newest first.
    """
    present = in_production(connection)
    needed = {present.version, replaced_by(connection, present.version)} if present else set()
    old = [version for version in versions(client)[keep:] if version.version not in needed]
    for version in old:
        _delete(client, version)
    return [str(version.version) for version in old]


def _delete(client: MlflowClient, version: ModelVersion) -> None:
    """Delete the files, then what names them: dying in between leaves nothing that can't be found.

    The training run keeps its parameters, metrics and plots.
    """
    if version.model_id:
        model = client.get_logged_model(version.model_id)
        files = get_artifact_repository(model.artifact_location, tracking_uri=client.tracking_uri)
        files.delete_artifacts()  # type: ignore[no-untyped-call]  # MLflow has no types here
        client.delete_logged_model(version.model_id)
    client.delete_model_version(MODEL_NAME, version.version)

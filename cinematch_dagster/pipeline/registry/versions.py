"""The registered model in MLflow: its names, and how it follows the table `promotions`."""

import psycopg
from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion

from cinematch_dagster.warehouse.registry.promotions import in_production

MODEL_NAME = "cinematch_recommender"
PRODUCTION = "production"
CANDIDATE = "candidate"
STAGE_TAG = "stage"


class RegistrationError(RuntimeError):
    """There is nothing to register, or the registry lacks what it should have."""


def versions(client: MlflowClient) -> list[ModelVersion]:
    """Return the registered versions, the newest first."""
    found = client.search_model_versions(f"name = '{MODEL_NAME}'")
    return sorted(found, key=lambda version: int(version.version), reverse=True)


def logged_model(client: MlflowClient, run_id: str) -> LoggedModel:
    """Return the model that a training run logged.

    Raises:
        RegistrationError: it logged none.
    """
    outputs = client.get_run(run_id).outputs
    if outputs is None or not outputs.model_outputs:
        raise RegistrationError(f"MLflow run {run_id} has logged no model")
    return client.get_logged_model(outputs.model_outputs[0].model_id)


def is_gone(client: MlflowClient, version: str) -> bool:
    """Whether the registry has a version no more: somebody, or its retention, has deleted it."""
    return version not in {known.version for known in versions(client)}


def follow_promotions(client: MlflowClient, connection: psycopg.Connection) -> None:
    """Point the alias and the stage tags at what `promotions` says is in production.

    Raises:
        RegistrationError: the registry doesn't have that version.
    """
    newest = in_production(connection)
    known = versions(client)
    if newest and is_gone(client, newest.version):
        names = ", ".join(version.version for version in known)
        raise RegistrationError(
            f"MLflow has no version {newest.version} of {MODEL_NAME} (expected one of {names}): "
            "it was deleted there, or by promotion.keep_versions"
        )
    for version in known:
        stage = "Production" if newest and version.version == newest.version else "None"
        if version.tags.get(STAGE_TAG) != stage:
            client.set_model_version_tag(MODEL_NAME, version.version, STAGE_TAG, stage)
    # Last, as this is what the API follows: nothing after it can fail.
    if newest:
        client.set_registered_model_alias(MODEL_NAME, PRODUCTION, newest.version)

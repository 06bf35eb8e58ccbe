"""Production goes back to a version that served before, because a person says so."""

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from cinematch_dagster.pipeline.registry.versions import RegistrationError, follow_promotions
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.registry.production import RollbackError, record_rollback
from cinematch_dagster.warehouse.registry.promotions import Promotion


def roll_back(
    dsn: str, settings: Settings, to: str | None, *, why: str, who: str, dagster_run_id: str = ""
) -> Promotion:
    """Record the rollback and move the alias; the API follows it by itself.

    The row is committed once MLflow has followed: whatever dies in between, the same call again
    goes back to the same version.

    Raises:
        RollbackError: the version never served, serves already, or MLflow doesn't have it any
            more or does not answer; the same version serves as before then.
    """
    with connect(dsn) as connection:
        rollback = record_rollback(connection, to, why=why, who=who, dagster_run_id=dagster_run_id)
        try:
            follow_promotions(MlflowClient(settings.tracking_uri), connection)
        except RegistrationError as error:
            raise RollbackError(str(error)) from error
        except MlflowException as error:
            raise RollbackError(f"MLflow could not follow to version {rollback.version}") from error
    return rollback

"""Tests that begin after the first promotion: its model is trained once for all of them."""

from collections.abc import Iterator

import pytest

from cinematch_dagster.movielens import Prepared
from cinematch_dagster.pipeline.registry.registration import register
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.settings import Settings, load_settings
from cinematch_dagster.warehouse.registry.promotions import Promotion, promotion_of_run
from tests.databases import copy_of
from tests.pipeline.support import SMALL_MODELS, load_sample, rows, training, week


@pytest.fixture(scope="session")
def warehouse_template(
    postgres_server: str,
    warehouse_template: str,
    mlflow_server: str,
    sample: Prepared,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A warehouse that holds the sample's baseline, and whose first model is in production."""
    copy = copy_of(postgres_server, warehouse_template)
    with copy as name, pytest.MonkeyPatch.context() as patch:
        dsn = with_database(postgres_server, name)
        variables = {
            "CINEMATCH_PROFILE": "sample",
            "CINEMATCH_DATABASE_URL": dsn,
            "CINEMATCH_MLFLOW_TRACKING_URI": mlflow_server,
            "CINEMATCH_STATE_DIR": str(tmp_path_factory.mktemp("first")),
        }
        for key, value in (SMALL_MODELS | variables).items():
            patch.setenv(key, value)
        load_settings.cache_clear()
        load_sample(dsn, sample)
        with training(dsn, load_settings()) as train:
            train(0)
        assert register(dsn, week(0), load_settings(), "a Dagster run").promoted
        patch.undo()
        load_settings.cache_clear()
        yield name


@pytest.fixture
def warehouse(settings: Settings, warehouse_dsn: str) -> str:
    assert settings.database_url is not None
    return warehouse_dsn


@pytest.fixture
def first(warehouse: str) -> Promotion:
    """How the first model went into production."""
    ((run_id,),) = rows(warehouse, "SELECT mlflow_run_id FROM promotions")
    with connect(warehouse) as connection:
        promotion = promotion_of_run(connection, str(run_id))
    assert promotion
    return promotion

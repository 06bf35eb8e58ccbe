"""One platform for all faults, and a line in a file for each fault that was tried."""

import datetime
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cinematch_dagster.batches import write_batch
from cinematch_dagster.local.databases import prepare_warehouse
from cinematch_dagster.postgres import embedded
from cinematch_dagster.settings import ROOT, load_settings
from tests.e2e.faults.platform import Platform, environment, monday
from tests.ports import free_port
from tests.sample import prepared_sample

LOG = "FAULT_LOG"
FEW, MANY = 200, 4_500
"""Ratings of a week: too few for a retraining by itself, and enough."""
ANYTHING_WINS = {"CINEMATCH_PROMOTION__POPULARITY_FACTOR": "0"} | {
    f"CINEMATCH_PROMOTION__{figure}_TOLERANCE": "1"
    for figure in ("NDCG", "RMSE", "MAE", "PRECISION", "SLICE", "COVERAGE", "STANDING")
}
"""A promotion merges the buffer, so that the next test finds it nearly empty."""
Drop = Callable[..., int]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(name, done, holds): a row of docs/reliability.md")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    mark = item.get_closest_marker("fault")
    if mark and call.when == "call" and LOG in os.environ and not report.skipped:
        line = {**mark.kwargs, "lost": report.failed, "at": str(datetime.date.today())}
        with Path(os.environ[LOG]).open("a") as log:
            log.write(json.dumps(line) + "\n")
    return report


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Up, with the sample's baseline and a first model; weeks and models are small."""
    home = tmp_path_factory.mktemp("faults")
    shutil.copytree(ROOT / "data" / "sample", home / "data" / "sample")
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    ports = {f"CINEMATCH_{name}_PORT": str(free_port()) for name in ("DAGSTER", "MLFLOW", "API")}
    variables = clean | {
        **ports,
        "CINEMATCH_MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['CINEMATCH_MLFLOW_PORT']}",
        "CINEMATCH_STATE_DIR": str(home / "var"),
        "CINEMATCH_DATA_DIR": str(home / "data"),
        "CINEMATCH_DATA__WEEKS": "52",
        "CINEMATCH_DRIFT__COUNT_THRESHOLD": "2",
        "CINEMATCH_RETRAINING__MINIMUM_BUFFER": "4000",
        **ANYTHING_WINS,
        "CINEMATCH_PROMOTION__KEEP_VERSIONS": "1000",
        "CINEMATCH_ORCHESTRATION__SENSOR_INTERVAL_SECONDS": "5",
        "CINEMATCH_ORCHESTRATION__RETRY_DELAY_SECONDS": "3",
        "CINEMATCH_TRAINING__RATING__FACTORS": "10",
        "CINEMATCH_TRAINING__RATING__EPOCHS": "20",
        "CINEMATCH_TRAINING__RATING__LEARNING_RATE": "0.005",
        "CINEMATCH_TRAINING__RANKING__FACTORS": "16",
        "CINEMATCH_TRAINING__RANKING__ITERATIONS": "5",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # a quarter of a minute
    }
    with environment(variables):
        load_settings.cache_clear()
        settings = load_settings()
    load_settings.cache_clear()
    made = Platform(settings, variables)
    try:
        prepare_warehouse(settings)
        made.start_mlflow()
        made.start()
        made.person.run_job("data_preparation")
        made.person.run_job("trigger_retraining", monday(0).isoformat())
        yield made
    finally:
        made.person.close()
        made.stop_beside("mlflow")
        made.stop()
        embedded.destroy(settings.state_dir / "postgres")


@pytest.fixture(scope="session")
def next_week() -> Iterator[int]:
    """Numbers of weeks that no test has used."""
    return itertools.count(1)


@pytest.fixture(scope="session")
def injected() -> pd.DataFrame:
    """The ratings of the story's sixth week, which drifted: enough to ask for a retraining."""
    return prepared_sample().batches[5].ratings


@pytest.fixture
def drop(platform: Platform, next_week: Iterator[int], injected: pd.DataFrame) -> Drop:
    """Let a new week arrive, of new users; returns its number."""

    def arrive(rows: int = FEW) -> int:
        number = next(next_week)
        frame = injected.head(rows)
        frame = frame.assign(userId=(frame.userId + number * 100_000).astype("int32"))
        write_batch(platform.settings.landing_dir, f"batch_w{number}", frame, None)
        return number

    return arrive

"""MLflow is away, or has no room, while a model is trained or registered."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cinematch_dagster.pipeline.training.mlflow_run import SERVER_FAILS
from tests.e2e.faults.conftest import MANY, Drop
from tests.e2e.faults.platform import Platform, monday
from tests.e2e.person import wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
BACK = "the run succeeds by itself; no MLflow run left running, alias and stage follow the table"


@pytest.fixture
def week(platform: Platform, drop: Drop) -> int:
    """A week that was loaded and not trained on."""
    number = drop()
    platform.person.succeeds(platform.person.run_of(monday(number)))
    return number


@pytest.mark.parametrize(
    ("table", "mode"),
    [
        pytest.param(
            "movies",
            "ACCESS EXCLUSIVE",
            marks=pytest.mark.fault(
                name="MLflow is away",
                done="a while, from a training's first line",
                holds=BACK,
            ),
        ),
        pytest.param(
            "promotions",
            "EXCLUSIVE",
            marks=[
                pytest.mark.lifecycle,
                pytest.mark.fault(
                    name="MLflow is away",
                    done="a while, between a promotion's row and its alias",
                    holds=BACK,
                ),
            ],
        ),
    ],
)
def test_mlflow_comes_back(platform: Platform, week: int, table: str, mode: str) -> None:
    with platform.held(table, mode) as somebody_waits:
        run = platform.person.launch("trigger_retraining", monday(week))
        somebody_waits()
        platform.stop_mlflow()
    time.sleep(10)  # the run goes on, and asks in vain
    platform.start_mlflow()
    platform.person.succeeds(run)
    platform.must_be_sound()


@pytest.mark.fault(
    name="MLflow is away",
    done="longer than a decided retraining's tries",
    holds="a failure that names the address; trigger_failed; the next report leads to a model",
)
def test_mlflow_stays_away(platform: Platform, drop: Drop) -> None:
    drop(MANY)  # enough for a retraining by itself
    wait(lambda: len(platform.person.runs("trigger_retraining", ["STARTED"])) > 0, 180)
    platform.stop_mlflow()
    run = platform.person.runs("trigger_retraining")[0]["runId"]
    said = platform.person.fails(run, seconds=400)
    assert str(platform.settings.mlflow_port) in said
    assert "Connection refused" in said

    given_up = "SELECT decision FROM retraining_decisions WHERE decision = 'trigger_failed'"
    wait(lambda: bool(platform.rows(given_up)), 60)
    platform.start_mlflow()
    decided = f"SELECT count(*) FROM promotions WHERE week = '{monday(drop())}'"
    wait(lambda: platform.rows(decided) == [(1,)], 300)
    platform.must_be_sound()


@contextmanager
def full(platform: Platform) -> Iterator[None]:
    """Have a file system of 64 kB where models and plots are kept."""
    folder = str(platform.settings.state_dir / "mlflow")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root can mount a small file system")
@pytest.mark.fault(
    name="the disk is full",
    done="a file system of 64 kB where models are kept",
    holds="a clear failure, no version; the next run succeeds",
)
def test_no_room_for_a_model(platform: Platform, week: int) -> None:
    with full(platform):
        said = platform.person.fails(
            platform.person.launch("trigger_retraining", monday(week)), seconds=400
        )
    assert SERVER_FAILS in said
    assert "No space left on device" in (platform.elsewhere / "mlflow.log").read_text()
    platform.must_be_sound()
    platform.person.succeeds(platform.person.launch("trigger_retraining", monday(week)))
    platform.must_be_sound()

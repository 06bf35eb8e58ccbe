"""Processes are killed: the worker of a run, and the daemon with a decision in its hands."""

import os
import signal

import pytest

from tests.e2e.faults.conftest import MANY, Drop
from tests.e2e.faults.platform import Platform, monday
from tests.e2e.person import wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AGAIN = "Dagster notices and tries again, which succeeds; nothing is counted or registered twice"


@pytest.mark.fault(name="a run's worker is killed -9", done="while it loads a week", holds=AGAIN)
def test_a_load_without_its_worker(platform: Platform, drop: Drop) -> None:
    with platform.held("ratings_buffer") as somebody_waits:
        number = drop()
        somebody_waits()
        run = platform.person.run_of(monday(number))
        os.kill(platform.person.worker(run), signal.SIGKILL)
    platform.person.succeeds(run)
    platform.must_be_sound()


@pytest.mark.lifecycle
@pytest.mark.fault(name="a run's worker is killed -9", done="while it trains a model", holds=AGAIN)
def test_a_training_without_its_worker(platform: Platform, drop: Drop) -> None:
    number = drop()
    platform.person.succeeds(platform.person.run_of(monday(number)))
    with platform.held("model_metrics") as somebody_waits:
        run = platform.person.launch("trigger_retraining", monday(number))
        somebody_waits()
        os.kill(platform.person.worker(run), signal.SIGKILL)
    platform.person.succeeds(run)
    platform.must_be_sound()


@pytest.mark.fault(
    name="a run's worker is killed -9",
    done="after a decision's row, before the alias (MLflow away)",
    holds=AGAIN,
)
def test_a_registration_without_its_worker(platform: Platform, drop: Drop) -> None:
    number = drop()
    platform.person.succeeds(platform.person.run_of(monday(number)))
    with platform.held("promotions") as somebody_waits:
        run = platform.person.launch("trigger_retraining", monday(number))
        somebody_waits()
        platform.stop_mlflow()
    decided = f"SELECT count(*) FROM promotions WHERE week = '{monday(number)}'"
    wait(lambda: platform.rows(decided) == [(1,)], 60)
    os.kill(platform.person.worker(run), signal.SIGKILL)
    platform.start_mlflow()
    platform.person.succeeds(run)
    platform.must_be_sound()
    assert platform.rows(decided) == [(1,)]


@pytest.mark.lifecycle
@pytest.mark.fault(
    name="the daemon is killed -9",
    done="between a decision and its run; then `cinematch up` again",
    holds="one run for the decision, none lost, none twice",
)
def test_a_decision_without_its_daemon(platform: Platform, drop: Drop) -> None:
    before = len(platform.person.runs("trigger_retraining"))
    with platform.held("retraining_decisions") as somebody_waits:
        number = drop(MANY)
        somebody_waits()  # the code server writes the decision
        (daemon,) = platform.dagster_processes("dagster._daemon")
        daemon.suspend()
    made = (
        "SELECT decision FROM retraining_decisions"
        f" WHERE '{monday(number)}' = ANY (weeks) AND decision = 'trigger_actual'"
    )
    wait(lambda: platform.rows(made) == [("trigger_actual",)], 60)
    daemon.kill()
    platform.stop()
    platform.start()
    wait(lambda: len(platform.person.runs("trigger_retraining")) > before, 120)
    platform.person.succeeds(platform.person.runs("trigger_retraining")[0]["runId"])
    platform.must_be_sound()
    assert len(platform.person.runs("trigger_retraining")) == before + 1
    assert platform.rows(f"SELECT count(*) FROM promotions WHERE week = '{monday(number)}'") == [
        (1,)
    ]

"""Postgres restarts while a run stands in the midst of its work: each kind of run, each time."""

import pytest

from tests.e2e.faults.conftest import Drop
from tests.e2e.faults.platform import Platform, monday

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HOLDS = "the run succeeds by itself; rows conserved, one production, nothing half done"


def fault(done: str) -> pytest.MarkDecorator:
    return pytest.mark.fault(name="Postgres restarts", done=done, holds=HOLDS)


@pytest.mark.lifecycle
@fault("while a week is loaded")
def test_in_the_midst_of_a_load(platform: Platform, drop: Drop) -> None:
    with platform.held("ratings_buffer") as somebody_waits:
        number = drop()
        somebody_waits()
        platform.restart_postgres()
    platform.person.succeeds(platform.person.run_of(monday(number)))
    platform.must_be_sound()
    assert platform.rows(
        f"SELECT status, record_count FROM ingestion_metadata WHERE batch_id = 'batch_w{number}'"
    ) == [("completed", 200)]


@fault("while a week is tested for drift")
def test_in_the_midst_of_a_report(platform: Platform, drop: Drop) -> None:
    with platform.held("drift_alerts") as somebody_waits:
        number = drop()
        somebody_waits()
        platform.restart_postgres()
    platform.person.succeeds(platform.person.run_of(monday(number)))
    platform.must_be_sound()
    tests = f"SELECT count(*) FROM drift_alerts WHERE week = '{monday(number)}'"
    assert platform.rows(tests)[0][0] >= 3


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("model_metrics", marks=fault("while a model is trained")),
        pytest.param("promotions", marks=fault("while a model is registered")),
    ],
)
def test_in_the_midst_of_a_retraining(platform: Platform, drop: Drop, table: str) -> None:
    number = drop()
    platform.person.succeeds(platform.person.run_of(monday(number)))
    run = platform.person.launch("trigger_retraining", monday(number))
    with platform.held(table) as somebody_waits:
        somebody_waits()
        platform.restart_postgres()
    platform.person.succeeds(run)
    platform.must_be_sound()
    assert platform.rows(f"SELECT count(*) FROM promotions WHERE week = '{monday(number)}'") == [
        (1,)
    ]

"""The same thing asked for at the same moment: by two people, and by two daemons."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cinematch_dagster.local.processes import Service
from tests.e2e.faults.conftest import MANY, Drop
from tests.e2e.faults.platform import Platform, monday
from tests.e2e.person import wait
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.fault(
    name="two people materialize the same week",
    done="at once, and its sensor, too",
    holds="every run succeeds, the week is counted once",
)
def test_two_people_and_a_sensor(platform: Platform, drop: Drop) -> None:
    failed = platform.person.runs(statuses=["FAILURE"])
    number = drop()
    with ThreadPoolExecutor(2) as people:
        launched = [
            people.submit(platform.person.launch, "buffer_ingestion_weekly", monday(number))
            for _ in range(2)
        ]
    for run in launched:
        platform.person.succeeds(run.result())
    platform.must_be_sound()
    assert platform.person.runs(statuses=["FAILURE"]) == failed
    loaded = f"SELECT record_count FROM ingestion_metadata WHERE batch_id = 'batch_w{number}'"
    assert platform.rows(loaded) == [(200,)]


@pytest.mark.fault(
    name="two of everything",
    done="a second `dagster dev` (daemon, web server, code server) on the same instance",
    holds="one load of the week, one decision, one model",
)
def test_two_daemons_and_code_servers(platform: Platform, drop: Drop) -> None:
    before = len(platform.person.runs("trigger_retraining"))
    port = free_port()
    first = platform.dagster_processes(" dev ")[0]
    command = [str(port) if part == str(platform.settings.dagster_port) else part
               for part in first.cmdline()]  # fmt: skip
    second = Service("dagster2", tuple(command), port, "/server_info", "none")
    platform.start_beside(second)
    try:
        number = drop(MANY)
        decided = f"SELECT count(*) FROM promotions WHERE week = '{monday(number)}'"
        wait(lambda: platform.rows(decided) != [(0,)], 240)
        platform.must_be_sound()
    finally:
        platform.stop_beside("dagster2")
    assert platform.rows(decided) == [(1,)]
    assert len(platform.person.runs("trigger_retraining")) == before + 1
    made = f"SELECT count(*) FROM retraining_decisions WHERE target_week = '{monday(number)}'"
    assert platform.rows(f"{made} AND decision = 'trigger_actual'") == [(1,)]

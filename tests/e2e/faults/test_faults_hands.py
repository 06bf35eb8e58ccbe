"""What people do by hand in the UI: switches outlast a restart, a cursor can be reset."""

import pytest

from tests.e2e.faults.conftest import MANY, Drop
from tests.e2e.faults.platform import SENSORS, Platform, monday
from tests.e2e.person import wait

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.fault(
    name="a switch in the UI",
    done="a sensor off and a schedule on, then `cinematch down` and `up`",
    holds="both are as they were left",
)
def test_switches_outlast_a_restart(platform: Platform) -> None:
    assert platform.person.schedule_status("database_maintenance_weekly") == "STOPPED"
    platform.person.start_schedule("database_maintenance_weekly")
    platform.person.stop_sensor("follow_up_sensor")
    platform.stop()
    platform.start()
    statuses = [platform.person.sensor(name)["status"] for name in SENSORS]
    assert statuses == ["RUNNING", "RUNNING", "STOPPED"]
    assert platform.person.schedule_status("database_maintenance_weekly") == "RUNNING"
    platform.person.start_sensor("follow_up_sensor")


@pytest.mark.fault(
    name="a cursor is reset by hand",
    done="of every sensor, and the drift sensor's tick replayed",
    holds="nothing is loaded, decided or trained again",
)
def test_every_cursor_reset(platform: Platform, drop: Drop) -> None:
    number = drop(MANY)
    decided = f"SELECT count(*) FROM promotions WHERE week = '{monday(number)}'"
    wait(lambda: platform.rows(decided) == [(1,)], 240)
    platform.must_be_sound()
    counted = "SELECT (SELECT count(*) FROM retraining_decisions), count(*) FROM promotions"
    before = platform.rows(counted)
    runs = len(platform.person.runs())

    # Every decision is found again, under run keys that Dagster has started already.
    assert platform.person.replay("drift_alert_sensor", cursor="0") == []
    for name in SENSORS:
        platform.person.set_cursor(name, None)
    wait(lambda: all(platform.person.sensor(name)["cursor"] for name in SENSORS), 120)
    platform.must_be_sound()
    assert platform.rows(counted) == before
    assert len(platform.person.runs()) == runs

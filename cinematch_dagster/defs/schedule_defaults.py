"""Which schedules run from the start: a choice of the profile, changed in the UI at any time."""

import dagster as dg

from cinematch_dagster.settings import load_settings


def schedule_status(name: str) -> dg.DefaultScheduleStatus:
    """Return whether `orchestration.schedules_on` names the schedule."""
    on = name in load_settings().orchestration.schedules_on
    return dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED

"""The settings that definitions need when they are imported, read in this one place.

What a run, a tick or a check needs comes with the resource `settings`.
"""

import dagster as dg

from cinematch_dagster.settings import load_settings

_settings = load_settings()

FIRST_WEEK = _settings.data.first_week
WEEKS = _settings.data.weeks
API_ADDRESS = f"http://127.0.0.1:{_settings.api_port}"
SENSOR_INTERVAL_SECONDS = _settings.orchestration.sensor_interval_seconds
RETRY_DELAY_SECONDS = _settings.orchestration.retry_delay_seconds
NOTICES_STATUS = (
    dg.DefaultSensorStatus.RUNNING
    if _settings.notices.webhook_url
    else dg.DefaultSensorStatus.STOPPED
)


def schedule_status(name: str) -> dg.DefaultScheduleStatus:
    """Return whether `orchestration.schedules_on` names the schedule.

    It is the profile's choice of what runs from the start, and changed in the UI at any time.
    """
    on = name in _settings.orchestration.schedules_on
    return dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED

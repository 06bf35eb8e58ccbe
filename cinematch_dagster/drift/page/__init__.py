"""Self-contained HTML pages of the drift reports: one a week, and an index over the weeks."""

from cinematch_dagster.drift.page.inputs import (
    Decided,
    Side,
    WeekReport,
)
from cinematch_dagster.drift.page.render import (
    WEEKS_ON_A_PAGE,
    index_page,
    week_page,
    week_picture,
)

__all__ = [
    "WEEKS_ON_A_PAGE",
    "Decided",
    "Side",
    "WeekReport",
    "index_page",
    "week_page",
    "week_picture",
]

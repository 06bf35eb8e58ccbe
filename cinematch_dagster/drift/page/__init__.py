"""Self-contained HTML pages of the drift reports: one a week, and an index over the weeks."""

from cinematch_dagster.drift.page.inputs import (
    SLICES,
    Decided,
    Performance,
    Side,
    Slice,
    WeekReport,
)
from cinematch_dagster.drift.page.render import (
    WEEKS_ON_A_PAGE,
    index_page,
    week_page,
    week_picture,
)

__all__ = [
    "SLICES",
    "WEEKS_ON_A_PAGE",
    "Decided",
    "Performance",
    "Side",
    "Slice",
    "WeekReport",
    "index_page",
    "week_page",
    "week_picture",
]

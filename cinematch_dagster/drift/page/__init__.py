"""Self-contained HTML pages of the drift reports: one a week, and an index over the weeks."""

from cinematch_dagster.drift.page.inputs import Decided, Side, WeekReport
from cinematch_dagster.drift.page.render import index_page, week_page

__all__ = ["Decided", "Side", "WeekReport", "index_page", "week_page"]

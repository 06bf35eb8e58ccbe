"""Titles as MovieLens writes them: the year of release stands at the end, `Heat (1995)`."""

from __future__ import annotations

import re
from typing import Final

YEAR: Final = r"\((?P<year>[0-9]{4})\)\s*$"
"""Finds the year: for `re`, pandas and Arrow alike."""
_YEAR = re.compile(YEAR)


def year_of(title: str) -> int | None:
    """Return the year at the end of a title, if there is one."""
    found = _YEAR.search(title)
    return int(found["year"]) if found else None


def without_year(title: str) -> tuple[str, str]:
    """Part a title into its name and its year in brackets, or a text without characters."""
    found = _YEAR.search(title)
    return (title[: found.start()].rstrip(), found[0].strip()) if found else (title, "")

"""Numbers, days and times as texts of a page; None is a dash."""

from __future__ import annotations

import datetime

from markupsafe import Markup

MINUS, NARROW_SPACE, DASH = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}", "\N{EN DASH}"


def number(value: float | None, digits: int = 0) -> str:
    """Write 12345.678 as 12,345.68 with two digits after the point."""
    return DASH if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


def percent(share: float | None, digits: int = 2) -> str:
    """Write 0.0949 as 9.49 %."""
    return DASH if share is None else f"{number(share * 100, digits)}{NARROW_SPACE}%"


def change(share: float | None, digits: int = 2) -> str:
    """Write 0.0333 as +3.33 %, and a decrease with its minus sign."""
    return DASH if share is None else f"{'+' if share >= 0 else ''}{percent(share, digits)}"


def p_value(value: float | None) -> str:
    """Write a p-value to three digits; those below 0.001 as < 0.001."""
    if value is None:
        return DASH
    return number(value, 3) if value >= 0.001 else "< 0.001"


def of_threshold(score: float, threshold: float) -> str:
    """Write how far a score reaches: '84 % of its threshold', or '1.9 times its threshold'."""
    ratio = score / threshold
    size = f"{number(ratio, 1)} times" if score > threshold else percent(ratio, 0)
    return f"{size} its threshold" if score > threshold else f"{size} of its threshold"


def day(date: datetime.date) -> str:
    """Write 5 February 2024."""
    return f"{date.day} {date:%B %Y}"


def moment(value: str | datetime.datetime | None) -> str:
    """Write a time, or its ISO form, to the minute and in UTC: 5 Feb 2024, 06:30."""
    if value is None:
        return DASH
    at = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(datetime.UTC):%-d %b %Y, %H:%M}"


def exact(value: float | None, text: str) -> Markup:
    """Wrap the text of a number so that a machine can read all of its digits."""
    if value is None:
        return Markup(text)
    return Markup('<data value="{}">{}</data>').format(value, text)

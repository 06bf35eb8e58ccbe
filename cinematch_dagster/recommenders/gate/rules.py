"""One comparison of a figure with its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Needs = Literal["more than", "at least", "at most"]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Rule:
    """A figure, what it needed to be, and whether it was; counts are whole numbers."""

    name: str
    value: float
    needs: Needs
    limit: float
    passed: bool

    def __str__(self) -> str:
        name = self.name.replace("_", " ")
        return f"{name} {_text(self.value)}, {self.needs} {_text(self.limit)} was expected"


def more_than(name: str, value: float, limit: float) -> Rule:
    """Pass when the value is above the limit; a tie is not."""
    return Rule(name, value, "more than", limit, bool(value > limit + _ROUNDING))


def at_least(name: str, value: float, limit: float) -> Rule:
    """Pass when the value reaches the limit."""
    return Rule(name, value, "at least", limit, bool(value >= limit - _ROUNDING))


def at_most(name: str, value: float, limit: float) -> Rule:
    """Pass when the value doesn't exceed the limit."""
    return Rule(name, value, "at most", limit, bool(value <= limit + _ROUNDING))


def _text(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.4f}"

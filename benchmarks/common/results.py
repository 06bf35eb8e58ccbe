"""What was measured: a JSON file for each part, written as soon as a figure is there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypedDict

from serving.base.files import replace_text


class Measured(TypedDict):
    """When and on what: the first and the last day, the machine, and versions."""

    days: list[str]
    machine: str
    versions: str


class Entry(TypedDict):
    """Figures, and when and on what they were measured."""

    measured: Measured
    figures: Any


@dataclass(frozen=True)
class Results:
    """Entries by name; a slash in a name parts a group from what is in it."""

    path: Path

    def entries(self) -> dict[str, Entry]:
        """Return every entry in the order of their names."""
        found: dict[str, Entry] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        return dict(sorted(found.items()))

    def keep(self, name: str, figures: Any, measured: Measured) -> None:
        """Write an entry; the others stay as they are.

        Raises:
            ValueError: a figure is not a finite number.
        """
        entry = Entry(measured=measured, figures=_rounded(figures))
        text = json.dumps(
            self.entries() | {name: entry}, indent=1, ensure_ascii=False, allow_nan=False
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(self.path, f"{text}\n")

    def figures(self) -> dict[str, Any]:
        """Return the figures of all entries, a dictionary in a dictionary for each slash."""
        tree: dict[str, Any] = {}
        for name, entry in self.entries().items():
            *groups, last = name.split("/")
            place = tree
            for group in groups:
                place = place.setdefault(group, {})
            place[last] = entry["figures"]
        return tree

    def measured(self, *prefixes: str) -> str:
        """Say when and on what the entries under these names were measured; a line a machine."""
        all_of_them = [e["measured"] for n, e in self.entries().items() if n.startswith(prefixes)]
        ordered = sorted(all_of_them, key=_where)
        return "\n".join(_line(list(group)) for _, group in groupby(ordered, key=_where))


def _where(measured: Measured) -> tuple[str, str]:
    return measured["machine"], measured["versions"]


def _line(together: list[Measured]) -> str:
    days = sorted({day for measured in together for day in measured["days"]})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    machine, versions = _where(together[0])
    return f"Measured on {when} on {machine}. {versions}."


def _rounded(value: Any) -> Any:
    """Return the value with every number to nine digits."""
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.9g}")
    return value

"""Results on disk, each written as soon as it is there: an interrupted run is not lost."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from benchmarks.report import measured_on
from serving.base.files import replace_text

Figures = dict[str, float]


class Entry(TypedDict):
    """Figures, and when and on what they were measured."""

    figures: Figures
    measured: str


PACKAGES: Final = ("numpy", "scipy", "pandas", "scikit-surprise", "implicit", "numba")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Store:
    """A JSON file of figures by name, with when and on what each was measured."""

    path: Path

    def measure(self, name: str, work: Callable[[], Figures], *, again: bool = False) -> None:
        """Do the work and write its figures down, unless they are there already."""
        if again or name not in self._all():
            figures = work()
            entry = Entry(figures=figures, measured=measured_on(PACKAGES))
            self._write({**self._all(), name: entry})
            log.info("%s: %s", name, " ".join(f"{k}={v:.4g}" for k, v in figures.items()))

    def figures(self, prefix: str) -> dict[str, Figures]:
        """Return what is there under names that begin with `prefix`, by the rest of the name."""
        found = self._all()
        return {
            name.removeprefix(prefix): entry["figures"]
            for name, entry in sorted(found.items())
            if name.startswith(prefix)
        }

    def measured(self, prefixes: Iterable[str]) -> str:
        """Return when and on what these were measured, a line for each way that it was."""
        begins = tuple(prefixes)
        lines = {e["measured"] for name, e in self._all().items() if name.startswith(begins)}
        return "".join(sorted(lines))

    def _all(self) -> dict[str, Entry]:
        found: dict[str, Entry] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        return found

    def _write(self, entries: dict[str, Entry]) -> None:
        replace_text(self.path, json.dumps(entries, indent=1))

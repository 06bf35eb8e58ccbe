"""The dashboard's data: a JSON file that the platform writes beside the reports."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FILE = "dashboard.json"
Row = Mapping[str, Any]

COLUMNS: Mapping[str, Sequence[str]] = {
    "batches": (
        "week", "batch_id", "status", "ratings", "injected", "loaded_at", "merged_at",
        "merged_version", "notes",
    ),
    "drift": ("week", "view", "test", "score", "threshold", "alert", "verdict"),
    "performance": ("week", "version", "rmse", "mae", "own_rmse", "own_mae", "computed_at"),
    "decisions": (
        "decided_at", "decision", "target_week", "buffer_size", "drift_score", "reason",
    ),
    "promotions": ("decided_at", "week", "version", "from_version", "promoted", "reason"),
    "models": ("version", "week", "trained_at", "ratings", "rmse", "mae", "precision_at_10"),
    "stars": ("stars", "ratings"),
}  # fmt: skip
"""Tables and their columns."""


class SnapshotError(ValueError):
    """The file is there, and is not the dashboard's data."""


@dataclass(frozen=True)
class Snapshot:
    """What the platform knew when it wrote the file.

    Attributes:
        written_at: when.
        overview: ratings, waiting, users, movies, weeks: counts.
        tables: name to rows, newest first (`stars`: ascending), with the columns of `COLUMNS`.
    """

    written_at: datetime.datetime
    overview: Mapping[str, int]
    tables: Mapping[str, Sequence[Row]]

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return what was written last; None before anything was.

        Raises:
            SnapshotError: the file does not hold what it should.
        """
        path = folder / FILE
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                datetime.datetime.fromisoformat(found["written_at"]),
                found["overview"],
                {name: found["tables"][name] for name in COLUMNS},
            )
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"{path} is not the dashboard's data: {error!r}") from error

    def csv(self, table: str) -> str:
        """Return a table with a line of names; no text begins like a spreadsheet's formula."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(COLUMNS[table])
        for row in self.tables[table]:
            writer.writerow([_harmless(row.get(column)) for column in COLUMNS[table]])
        return text.getvalue()


def _harmless(value: object) -> object:
    return (
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
    )


def by_week(rows: Iterable[Row], **wanted: object) -> dict[str, Row]:
    """Return the rows that have these values, by week, in the order of the weeks."""
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return {row["week"]: row for row in sorted(found, key=lambda row: str(row["week"]))}

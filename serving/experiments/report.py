"""What the answer log says of each arm: `python -m serving.experiments.report LOG [RATINGS]`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.base.scale import LIKED
from serving.live.file_store import FileStore

SHOWN = 10
"""Numbers of lines that are named."""


@dataclass
class ArmReport:
    """One arm.

    Attributes:
        answers: logged.
        users: who got them.
        fallbacks: answers to users whom the model did not know.
        versions: that answered.
        rated: movies that were rated after they were recommended to that user.
        liked: those of them with 4 stars or more.
        overlap: mean share of an answer that the shadow gave too; None without a shadow.
    """

    answers: int = 0
    users: set[int] = field(default_factory=set)
    fallbacks: int = 0
    versions: set[str] = field(default_factory=set)
    rated: int = 0
    liked: int = 0
    overlaps: list[float] = field(default_factory=list)

    @property
    def overlap(self) -> float | None:
        """Mean overlap with the shadow."""
        return sum(self.overlaps) / len(self.overlaps) if self.overlaps else None


def report(
    lines: Iterable[Mapping[str, Any]], ratings: Mapping[tuple[int, int], tuple[str, float]]
) -> dict[str, ArmReport]:
    """Sum up a log by arm.

    Args:
        lines: of the answer log, in the order of time.
        ratings: (user, movie) to when it was given, ISO in UTC, and the stars; it counts for the
            first arm that had recommended the movie to the user before.
    """
    experiment: defaultdict[str, ArmReport] = defaultdict(ArmReport)
    counted: set[tuple[int, int]] = set()
    for line in lines:
        arm = experiment[line["arm"]]
        arm.answers += 1
        arm.users.add(line["user_id"])
        arm.fallbacks += line["fallback"]
        arm.versions.add(line["version"])
        if line["movies"] and "shadow" in line:
            common = set(line["movies"]) & set(line["shadow"]["movies"])
            arm.overlaps.append(len(common) / len(line["movies"]))
        for movie in line["movies"]:
            pair = (line["user_id"], movie)
            if pair in ratings and pair not in counted and ratings[pair][0] > line["time"]:
                counted.add(pair)
                arm.rated += 1
                arm.liked += ratings[pair][1] >= LIKED
    return dict(experiment)


def read(path: Path) -> tuple[list[Mapping[str, Any]], list[int]]:
    """Return the lines of an answer log, and the numbers of those that are no answers."""
    lines, skipped = [], []
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                lines.append(_checked(json.loads(text)))
            except (ValueError, KeyError, TypeError):
                skipped.append(number)
    return lines, skipped


def _checked(line: Any) -> Mapping[str, Any]:
    """Return a line that has all that the report reads; raise KeyError or TypeError else."""
    for key in ("time", "user_id", "arm", "version", "fallback", "movies"):
        line[key]
    set(line["movies"]), set(line.get("shadow", line)["movies"])
    return {**line}


def table(experiment: Mapping[str, ArmReport]) -> str:
    """Return the report as a Markdown table."""
    head = [
        "| arm | versions | answers | users | fallback | rated after | liked | overlap |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows = [
        f"| {name} | {', '.join(sorted(a.versions))} | {a.answers} | {len(a.users)} "
        f"| {a.fallbacks / a.answers:.1%} | {a.rated} | {a.liked} "
        f"| {'-' if a.overlap is None else f'{a.overlap:.1%}'} |"
        for name, a in sorted(experiment.items())
    ]
    return "\n".join([*head, *rows])


def main() -> None:
    """Print the report of a log, and of the ratings in a file of live ratings."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit("usage: python -m serving.experiments.report LOG [RATINGS]")
    lines, skipped = read(Path(sys.argv[1]))
    stored = FileStore(Path(sys.argv[2])).after(0) if len(sys.argv) == 3 else []
    ratings = {
        (e.user_id, e.movie_id): (e.given_at.isoformat(timespec="milliseconds"), e.rating)
        for e in (s.event for s in stored)
        if e.rating is not None
    }
    sys.stdout.write(table(report(lines, ratings)) + "\n")
    if skipped:
        numbers = ", ".join(map(str, skipped[:SHOWN])) + (", …" if len(skipped) > SHOWN else "")
        sys.stderr.write(f"{len(skipped)} lines are no answers, and not counted: {numbers}\n")


if __name__ == "__main__":
    main()

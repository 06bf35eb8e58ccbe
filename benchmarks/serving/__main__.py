"""Measure the API beside other ways to serve the same model, and show it in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Final

from benchmarks.common.bench import Bench, options
from benchmarks.serving.measure import Effort, grow, measure
from benchmarks.serving.synthetic import SIZES, Size

GROWTH: Final = "growth"
PARTS: Final = (*SIZES, GROWTH)
PACKAGES: Final = (
    "fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "numpy", "mlflow",
    "scikit-surprise",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and not known yet."""
    parser = options("serving", __doc__, PARTS, rows=())
    parser.add_argument("--seconds", type=float, default=Effort.seconds, help="of a way in a round")
    given = parser.parse_args(arguments)
    effort = Effort(given.rounds, given.seconds)
    sizes = {name: _of(size, given.rows) for name, size in SIZES.items()}
    bench = Bench("serving", PACKAGES, given)
    work: dict[str, Any] = {name: partial(measure, size, effort) for name, size in sizes.items()}
    work[GROWTH] = lambda: [grow(size, effort) for size in corners(*sizes.values())]
    bench.measure({part: work[part] for part in given.parts})
    bench.show()


def corners(few: Size, many: Size) -> list[Size]:
    """Return few and many movies with few and many users, the ratings in proportion to these."""
    return [
        Size(movies, users.users, users.ratings)
        for users, movies in product((few, many), (few.movies, many.movies))
    ]


def _of(size: Size, rows: Sequence[int]) -> Size:
    """Return the size with other numbers of ratings and, in proportion, users."""
    if not rows:
        return size
    return replace(size, ratings=rows[0], users=max(1, size.users * rows[0] // size.ratings))


if __name__ == "__main__":
    main()

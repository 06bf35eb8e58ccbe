"""Results as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.drift.delay import HORIZON, Delay
from benchmarks.drift.false_positives import EVIDENCE, THRESHOLDS, NoDrift
from benchmarks.drift.power import Caught
from benchmarks.drift.real_weeks import RealWeek
from benchmarks.drift.scores import KS, MEAN, STD
from benchmarks.drift.speed import Speed
from benchmarks.report import table
from cinematch_dagster.drift import Level, ViewResult

SHORT = {
    KS: "KS",
    MEAN: "mean",
    STD: "std",
    "rating_psi": "PSI",
    "rating_jensen_shannon": "JS",
    "rating_wasserstein": "Wasserstein",
    "genre_psi": "genre PSI",
    "genre_jensen_shannon": "genre JS",
    "any": "`any`",
}


def percent(share: float, digits: int = 1) -> str:
    """Return a share as per cent: 0.0435 is '4.3 %' (half to even)."""
    return f"{100 * share:.{digits}f} %"


def whole(number: float) -> str:
    """Return a number without decimals, thousands parted by commas."""
    return f"{number:,.0f}"


def up(score: float) -> str:
    """Return a score with three digits, rounded up: a threshold must not end up below it."""
    return f"{math.ceil(score * 1000) / 1000:.3f}"


def false_positives(rows: Iterable[NoDrift]) -> str:
    """Show the share of no-drift batches that alert."""
    return table(
        ["data", "drawn", "baseline", "n", "KS", "mean", "std", "`any`", "2-of-3"],
        [
            [
                *_where(row),
                *(percent(row.rates[name]) for name in THRESHOLDS),
                f"**{percent(row.any_rate)}**",
                percent(row.two_rate),
            ]
            for row in rows
        ],
    )


def quantiles(rows: Iterable[NoDrift]) -> str:
    """Show the 95th percentile of each score, and the KS threshold that keeps the promise."""
    return table(
        ["data", "baseline", "n", "KS", "mean", "std", "`drift.ks_threshold` for `any`"],
        [
            [
                row.population,
                whole(row.baseline_size),
                whole(row.n),
                *(up(row.quantiles[name]) for name in THRESHOLDS),
                "none: mean and std alone break it"
                if row.ks_threshold is None
                else up(row.ks_threshold),
            ]
            for row in rows
        ],
    )


def evidence(rows: Iterable[NoDrift]) -> str:
    """Show the measures beside the verdict: share above their threshold, and 95th percentile."""
    return table(
        ["data", "baseline", "n", *(SHORT[name] for name in EVIDENCE)],
        [
            [
                row.population,
                whole(row.baseline_size),
                whole(row.n),
                *(f"{percent(row.rates[name])} ({up(row.quantiles[name])})" for name in EVIDENCE),
            ]
            for row in rows
        ],
    )


def rating_power(rows: Sequence[Caught]) -> str:
    """Show the smallest change of mean or standard deviation that is caught."""
    return table(
        ["change", "caught by", *(f"n = {n:,}" for n in rows[0].smallest)],
        [
            [row.what, SHORT[row.test], *(_or_none(value) for value in row.smallest.values())]
            for row in rows
        ],
    )


def genre_power(by_way: Mapping[str, Sequence[Caught]]) -> str:
    """Show the smallest share of a genre that is marked as high."""
    sizes = next(iter(by_way.values()))[0].smallest
    return table(
        ["genre", "usual share", "measure", "drawn", *(f"n = {n:,}" for n in sizes)],
        [
            [
                row.what,
                percent(row.before),
                SHORT[row.test],
                way,
                *(_or_none(value) for value in row.smallest.values()),
            ]
            for way, rows in by_way.items()
            for row in rows
        ],
    )


def delays(rows: Iterable[Delay]) -> str:
    """Show the weeks until the first alert."""
    return table(
        ["mean", "quiet weeks before", "view", "median", "90 % within", "not in time",
         "quiet weeks with an alert"],
        [
            [
                row.scenario,
                str(row.quiet),
                row.view,
                _weeks(row.median),
                _weeks(row.ninetieth),
                percent(row.missed),
                percent(row.false_alarms),
            ]
            for row in rows
        ],
    )  # fmt: skip


def real_weeks(weeks: Iterable[RealWeek]) -> str:
    """Show each real week: signed changes in both views, and the verdict of each."""
    return table(
        ["week", "ratings", "by new users", "KS", "mean", "std", "per_batch",
         "KS, cumulative", "mean", "std", "cumulative"],
        [
            [
                week.week.isoformat(),
                whole(week.report.per_batch.n),
                percent(week.new_users, 0),
                *_view(week.report.per_batch),
                *_view(week.report.cumulative),
            ]
            for week in weeks
        ],
    )  # fmt: skip


def real_summary(weeks: Sequence[RealWeek]) -> dict[str, Any]:
    """Count alerts and scores above their thresholds, and find the largest scores, by view."""
    views = {
        name: [getattr(week.report, name) for week in weeks] for name in ("per_batch", "cumulative")
    }
    rows = []
    for name, found in views.items():
        for i, test in enumerate(THRESHOLDS):
            judged = [view for view in found if view.level is not Level.INSUFFICIENT]
            rows.append(
                [
                    name,
                    SHORT[test],
                    str(sum(view.tests[i].triggered for view in found)),
                    f"{sum(view.tests[i].exceeded for view in judged)} of {len(judged)}",
                    max((f"{view.tests[i].score:.4f}" for view in judged), default="-"),
                    f"{sum(view.tests[i].exceeded for view in found)} of {len(found)}",
                ]
            )
    head = ["view", "test", "alerts", "above its threshold, weeks with enough ratings",
            "largest score there", "above its threshold, all weeks"]  # fmt: skip
    first = weeks[0]
    return {
        "table": table(head, rows),
        "n_weeks": len(weeks),
        "baseline": first.report.baseline_n,
        "first": first.week,
        "insufficient": sum(v.level is Level.INSUFFICIENT for v in views["per_batch"]),
    }


def speed(speeds: Iterable[Speed]) -> str:
    """Show the time of a week and of all weeks, both ways."""
    speeds = list(speeds)
    counts = sorted(speeds[0].all_weeks)
    return table(
        ["rows", "rounds", "a week from counts", "of it reading the counts",
         "a week from ratings", "ratio",
         *(f"{count} weeks from counts" for count in counts),
         f"{counts[-1]} weeks from ratings", "ratio"],
        [
            [
                whole(s.rows),
                str(s.rounds),
                f"{1000 * s.week:.1f} ms",
                f"{1000 * s.reading:.1f} ms",
                f"{s.from_rows:.2f} s",
                f"**{s.ratio:,.0f}**",
                *(f"{s.all_weeks[count]:.2f} s" for count in counts),
                f"{s.all_from_rows:,.0f} s",
                f"**{s.all_ratio:,.0f}**",
            ]
            for s in speeds
        ],
    )  # fmt: skip


def _where(row: NoDrift) -> list[str]:
    return [row.population, row.way, whole(row.baseline_size), whole(row.n)]


def _view(view: ViewResult) -> list[str]:
    return [
        f"{view.tests[0].score:.4f}",
        *(f"{100 * test.change:+.1f} %" for test in view.tests[1:]),
        view.level.value.partition(" - ")[0].lower(),
    ]


def _or_none(share: float | None) -> str:
    return "-" if share is None else percent(share)


def _weeks(number: float) -> str:
    return f"over {HORIZON}" if math.isinf(number) else f"{number:.0f}"

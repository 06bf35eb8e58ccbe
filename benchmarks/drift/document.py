"""From results to `docs/drift-calibration.md`: its sentences, as far as they depend on figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import jinja2

from benchmarks.drift import tables
from benchmarks.drift.false_positives import (
    EVIDENCE,
    LARGEST,
    PROMISE,
    THRESHOLDS,
    NoDrift,
    design_effect,
)
from benchmarks.drift.results import (
    BY_RATING,
    BY_USER,
    DELAY_SIZE,
    REFERENCE_BASELINE,
    SAMPLE,
    SAMPLE_BASELINE,
    SAMPLE_SIZES,
    Plan,
    Results,
    Sufficient,
)
from benchmarks.drift.speed import Speed
from benchmarks.drift.tables import percent, whole
from cinematch_dagster.drift import DriftPolicy

TEMPLATE: Final = Path(__file__).with_name("calibration.md.jinja")
DESIGN_SIZE: Final = 10_000


def render(results: Results, speeds: Sequence[Speed], plan: Plan, measured_on: str) -> str:
    """Return the document; `measured_on` tells the date, the machine and the versions."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"percent": percent, "whole": whole}
    by_user = [row for row in results.no_drift if row.way == BY_USER]
    by_rating = [row for row in results.no_drift if row.way == BY_RATING]
    return environment.from_string(TEMPLATE.read_text()).render(
        measured_on=measured_on,
        standard_error=math.sqrt(PROMISE * (1 - PROMISE) / plan.trials),
        plan=plan,
        policy=DriftPolicy(),
        thresholds=THRESHOLDS,
        evidence_thresholds=EVIDENCE,
        promise=PROMISE,
        reference=REFERENCE_BASELINE,
        sample_baseline=SAMPLE_BASELINE,
        sample_sizes=SAMPLE_SIZES,
        delay_size=DELAY_SIZE,
        populations=results.populations,
        worst_by_rating=max(by_rating, key=lambda row: row.any_rate),
        verdicts=[verdict(group) for group in _groups(by_user)],
        two_of_three=broken(by_user),
        sufficient=[enough(found) for found in results.sufficient],
        design_effects=[f"{name}: {n:.0f}" for name, n in design_effects(results)],
        design_size=DESIGN_SIZE,
        false_positives=tables.false_positives(results.no_drift),
        quantiles=tables.quantiles(by_user),
        evidence=tables.evidence(by_user),
        evidence_by_rating=max(row.rates[name] for row in by_rating for name in EVIDENCE),
        example=example(results),
        rating_power={t: tables.rating_power(rows) for t, rows in results.rating_power.items()},
        genre_power=tables.genre_power(results.genre_power),
        delays=tables.delays(results.delays),
        weeks=results.weeks and tables.real_weeks(results.weeks),
        real=results.weeks and tables.real_summary(results.weeks),
        speed=tables.speed(speeds),
        growth=[growth(speed) for speed in speeds],
        weeks_loaded=_listed([str(count) for count in sorted(plan.weeks)]),
    )


def verdict(rows: Sequence[NoDrift]) -> str:
    """Say of one population and baseline where the policy `any` keeps the promise."""
    first = rows[0]
    broken = [f"{row.n:,} ({percent(row.any_rate)})" for row in rows if row.any_rate > PROMISE]
    kept = [f"{row.n:,} ({percent(row.any_rate)})" for row in rows if row.any_rate <= PROMISE]
    where = f"**{first.population}, baseline of {first.baseline_size:,}**"
    return f"{where}: broken at {_listed(broken)}; kept at {_listed(kept)}."


def broken(rows: Iterable[NoDrift]) -> str:
    """List where the policy 2-of-3 breaks the promise from the count threshold on."""
    judged = [row for row in rows if row.n >= DriftPolicy().count_threshold]
    found = [
        f"{row.population}, baseline of {row.baseline_size:,}, {row.n:,} ({percent(row.two_rate)})"
        for row in judged
        if row.two_rate > PROMISE
    ]
    highest = max(row.two_rate for row in judged)
    return _listed(found) if found else f"none; the highest rate is {percent(highest)}"


def enough(found: Sufficient) -> str:
    """Say from how many ratings on whole users keep the promise."""
    where = f"**{found.population}, baseline of {found.baseline_size:,}**"
    if found.n is None:
        return f"{where}: not even {LARGEST:,} ratings are enough."
    return f"{where}: from about {math.ceil(found.n / 1000):,},000 ratings on."


def example(results: Results) -> dict[str, str]:
    """Return the KS threshold for the sample's buffer, and a count threshold for the reference."""
    for_buffer = next(
        row.ks_threshold
        for row in results.no_drift
        if (row.population, row.way) == (SAMPLE, BY_USER)
        and (row.baseline_size, row.n) == (SAMPLE_BASELINE, SAMPLE_SIZES[1])
    )
    count = next(
        found.n
        for found in results.sufficient
        if (found.population, found.baseline_size) == (SAMPLE, REFERENCE_BASELINE)
    )
    return {
        "KS_THRESHOLD": "none" if for_buffer is None else tables.up(for_buffer),
        "COUNT_THRESHOLD": "none" if count is None else str(1000 * math.ceil(count / 1000)),
    }


def design_effects(results: Results) -> list[tuple[str, float]]:
    """Return by population how many ratings of whole users tell what one drawn alone tells."""
    rows = {
        (row.population, row.way): row
        for row in results.no_drift
        if row.n == DESIGN_SIZE and row.baseline_size == REFERENCE_BASELINE
    }
    return [
        (p.name, design_effect(rows[p.name, BY_USER], rows[p.name, BY_RATING]))
        for p in results.populations
    ]


def growth(speed: Speed) -> str:
    """Say how the time of all weeks grows, against their number."""
    (few, seconds), *others = sorted(speed.all_weeks.items())
    parts = [
        f"{count / few:.0f} times the weeks take {later / seconds:.1f} times as long"
        for count, later in others
    ]
    return f"{speed.rows:,} rows: {_listed(parts)}."


def _groups(rows: Iterable[NoDrift]) -> list[list[NoDrift]]:
    groups: dict[tuple[str, int], list[NoDrift]] = {}
    for row in rows:
        groups.setdefault((row.population, row.baseline_size), []).append(row)
    return list(groups.values())


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "none"

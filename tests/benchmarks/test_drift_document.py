import dataclasses
import datetime
import math
from pathlib import Path

import pytest

from benchmarks.drift import tables
from benchmarks.drift.delay import Delay
from benchmarks.drift.document import broken, enough, growth, verdict
from benchmarks.drift.false_positives import EVIDENCE, THRESHOLDS, NoDrift, measure
from benchmarks.drift.power import Caught
from benchmarks.drift.results import (
    BY_USER,
    SAMPLE,
    SAMPLE_BASELINE,
    SAMPLE_SIZES,
    SIZES,
    Plan,
    Sufficient,
    sample_population,
)
from benchmarks.drift.scores import KS
from benchmarks.drift.speed import Speed
from benchmarks.drift_calibration import main
from cinematch_dagster.settings import ROOT
from tests.sample import prepared_sample

DOCUMENT = ROOT / "docs" / "drift-calibration.md"
NAMES = [*THRESHOLDS, *EVIDENCE]
QUIET = NoDrift(
    "tiny",
    BY_USER,
    5_000,
    10_000,
    rates=dict.fromkeys(NAMES, 0.01),
    quantiles=dict.fromkeys(NAMES, 0.0481),
    any_rate=0.02,
    two_rate=0.0,
    ks_threshold=0.0481,
    mean_spread=0.1,
)
NOISY = dataclasses.replace(QUIET, n=1_000, any_rate=0.4, two_rate=0.2, ks_threshold=None)
SPEED = Speed(
    1_000_000,
    "PostgreSQL 18",
    3,
    0.005,
    0.002,
    {52: 0.1, 104: 0.2, 520: 1.5},
    4.0,
    all_from_rows=1_800.0,
)


def test_where_the_promise_breaks_is_said_in_words() -> None:
    assert verdict([NOISY, QUIET]) == (
        "**tiny, baseline of 5,000**: broken at 1,000 (40.0 %); kept at 10,000 (2.0 %)."
    )
    assert verdict([QUIET]).startswith("**tiny, baseline of 5,000**: broken at none")


def test_exactly_five_percent_keeps_the_promise() -> None:
    row = dataclasses.replace(QUIET, any_rate=0.05, two_rate=0.05)
    assert verdict([row]).endswith("kept at 10,000 (5.0 %).")
    assert broken([row]) == "none; the highest rate is 5.0 %"


def test_two_of_three_is_judged_from_the_count_threshold_on() -> None:
    large = dataclasses.replace(NOISY, n=10_000)
    assert broken([NOISY, QUIET]) == "none; the highest rate is 0.0 %"
    assert broken([NOISY, large]) == "tiny, baseline of 5,000, 10,000 (20.0 %)"


def test_a_sufficient_size_is_rounded_up() -> None:
    assert enough(Sufficient("tiny", 5_000, 36_847)).endswith("from about 37,000 ratings on.")
    assert enough(Sufficient("tiny", 5_000, None)).endswith("not even 400,000 ratings are enough.")


def test_growth_is_told_against_the_fewest_weeks() -> None:
    assert growth(SPEED) == (
        "1,000,000 rows: 2 times the weeks take 2.0 times as long, "
        "10 times the weeks take 15.0 times as long."
    )


def test_a_threshold_is_never_rounded_below_the_score() -> None:
    assert [tables.up(score) for score in (0.0481, 0.048, 0.0999)] == ["0.049", "0.048", "0.100"]


def cells(table: str) -> list[list[str]]:
    lines = table.strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_no_threshold_and_no_change_are_told_apart_from_zero() -> None:
    (row,) = cells(tables.quantiles([NOISY]))
    assert row[-1] == "none: mean and std alone break it"
    (row,) = cells(tables.rating_power([Caught("mean up", KS, {10: 0.0, 20: None})]))
    assert row == ["mean up", "KS", "0.0 %", "-"]


def test_a_delay_beyond_the_horizon_is_no_number() -> None:
    delay = Delay("+5 % at once", 4, "cumulative", 11.0, math.inf, 0.105, 0.02)
    assert cells(tables.delays([delay]))[0][3:] == ["11", "over 26", "10.5 %", "2.0 %"]


def test_a_large_size_is_timed_once() -> None:
    assert [Plan().rounds_at(rows) for rows in (1_000_000, 25_000_000)] == [3, 1]


def test_the_ratios_of_speeds_are_shown() -> None:
    assert cells(tables.speed([SPEED]))[0] == [
        "1,000,000", "3", "5.0 ms", "2.0 ms", "4.00 s", "**800**", "0.10 s", "0.20 s", "1.50 s",
        "1,800 s", "**1,200**",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def ml_1m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen weeks of 2000 in the format of ml-1m: six users, each eight ratings."""
    folder = tmp_path_factory.mktemp("ml-1m")
    start = int(datetime.datetime(2000, 4, 24, tzinfo=datetime.UTC).timestamp())
    (folder / "ratings.dat").write_text(
        "".join(
            f"{user}::{movie}::{1 + (user + movie) % 5}::{start + week * 7 * 86_400}\n"
            for user in range(1, 7)
            for movie, week in enumerate(range(user % 2, 16, 2), start=1)
        )
    )
    (folder / "movies.dat").write_text(
        "".join(f"{movie}::Film {movie} (1999)::Drama|War\n" for movie in range(1, 9))
    )
    return folder


@pytest.mark.parametrize("given", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_whole_program_writes_a_whole_document(
    tmp_path: Path, ml_1m: Path, given: bool
) -> None:
    plan = Plan(trials=8, histories=3, synthetic_ratings=4_000, weeks=(2, 4), rounds=1)
    output = tmp_path / "page.md"
    options = ["--rows", "3000", "--output", str(output)]
    main([*options, "--ml-1m", str(ml_1m)] if given else options, plan)
    text = output.read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [line for line in DOCUMENT.read_text().splitlines() if line[:3] == "## "]
    assert ("not measured here" in text) is not given
    assert ("ml-1m, 2000" in text) is given
    assert "2000-07-24" in text or not given
    assert "8 pairs of baseline and" in text
    assert "PostgreSQL" in text
    assert not {"{{", "{%", "nan", "None"} & set(text.split())


def test_the_shipped_documents_figures_are_the_programs() -> None:
    plan = Plan()
    rows = measure(
        sample_population(),
        BY_USER,
        SAMPLE_BASELINE,
        sorted((*SIZES, *SAMPLE_SIZES)),
        plan.trials,
        plan.seed,
    )
    text = DOCUMENT.read_text()
    for table in (tables.false_positives(rows), tables.quantiles(rows), tables.evidence(rows)):
        for line in table.splitlines()[2:]:
            assert line in text
    assert verdict(rows) in text


def test_the_samples_own_sizes_are_those_of_its_profile() -> None:
    prepared = prepared_sample(injected_shift=0.0)
    sizes = [len(batch.ratings) for batch in prepared.batches]
    assert (prepared.baseline["data_split"] == "train").sum() == SAMPLE_BASELINE
    assert (sizes[0], sum(sizes)) == SAMPLE_SIZES
    assert sample_population().name == SAMPLE
    assert sample_population().size == len(prepared.baseline) + sum(sizes)

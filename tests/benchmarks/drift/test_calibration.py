import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common.pages import DOCS, render, results_of
from benchmarks.common.results import Measured, Results
from benchmarks.drift.__main__ import main
from benchmarks.drift.false_positives import SECONDARY, THRESHOLDS, measure
from benchmarks.drift.plan import (
    SAMPLE,
    SAMPLE_BASELINE,
    SAMPLE_SIZES,
    SIZES,
    Plan,
    sample_population,
)
from benchmarks.drift.resampling import WAYS
from tests.sample import prepared_sample

DOCUMENT = DOCS / "drift-calibration.md"
NOW: Measured = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}
BY_RATING, BY_USER = WAYS
KEPT = results_of("drift")


class Page:
    """The shipped results, of which a test changes some, and their page."""

    def __init__(self, path: Path) -> None:
        self.results = Results(path)
        self.entries = {name: entry["figures"] for name, entry in KEPT.entries().items()}

    def alarms(self, key: str, size: int, way: str = BY_USER) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.entries[f"false_alarms/{key}"]["baselines"][str(size)][
            "ways"
        ][way]
        return rows

    def text(self) -> str:
        for name, figures in self.entries.items():
            self.results.keep(name, figures, NOW)
        return render("drift/calibration", self.results)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path / "results.json")


def test_where_the_promise_breaks_is_said_in_words(page: Page) -> None:
    page.alarms("ml-1m", 25_179)[:] = [
        row | {"any_rate": rate}
        for row, rate in zip(page.alarms("ml-1m", 25_179), (0.4, 0.06, 0.02, 0.0), strict=True)
    ]
    for row in page.alarms("synthetic", 700_000):
        row["any_rate"] = 0.01
    text = page.text()
    assert (
        "**ml-1m, 2000, baseline of 25,179**: broken at 1,000 (40.0 %), 10,000 (6.0 %); "
        "kept at 43,000 (2.0 %), 100,000 (0.0 %).\n"
    ) in text
    assert "**synthetic, baseline of 700,000**: broken at none; kept at 1,000 (1.0 %)" in text


def test_exactly_five_percent_keeps_the_promise(page: Page) -> None:
    for key in ("sample", "synthetic", "ml-1m"):
        for size in (700_000, 25_179):
            for row in page.alarms(key, size):
                row |= {"any_rate": 0.05, "two_rate": 0.05}
    text = page.text()
    assert "kept at none" not in text
    assert "it, from 10,000 ratings on, at: none; the highest rate is 5.0 %." in text


def test_two_of_three_is_judged_from_the_count_threshold_on(page: Page) -> None:
    rows = page.alarms("ml-1m", 25_179)
    assert rows[0]["two_rate"] > 0.05  # at a thousand, which is not judged
    assert "on, at: none; the highest rate is 5.0 %." in page.text()
    rows[1]["two_rate"] = 0.2
    assert "on, at: ml-1m, 2000, baseline of 25,179, 10,000 (20.0 %)." in page.text()


def test_by_rating_the_first_of_the_highest_rates_is_named(page: Page) -> None:
    assert "is 0.4 % (synthetic, n = 1,000): the promise of\n5 % is kept" in page.text()
    page.alarms("sample", 25_179, BY_RATING)[2]["any_rate"] = 0.06
    assert "is 6.0 % (half-star sample, n = 10,000): the promise of\n5 % is broken" in page.text()


def test_a_sufficient_size_is_rounded_up(page: Page) -> None:
    page.entries["false_alarms/sample"]["baselines"]["700000"]["sufficient"] = 36_847
    page.entries["false_alarms/ml-1m"]["baselines"]["25179"]["sufficient"] = None
    text = page.text()
    assert "**half-star sample, baseline of 700,000**: from about 37,000 ratings on.\n" in text
    assert "CINEMATCH_DRIFT__COUNT_THRESHOLD=37000\n" in text
    assert "**ml-1m, 2000, baseline of 25,179**: not even 400,000 ratings are enough.\n" in text


def test_no_threshold_and_no_change_are_told_apart_from_zero(page: Page) -> None:
    rows = page.alarms("ml-1m", 25_179)
    rows[1]["ks_threshold"], rows[2]["ks_threshold"] = None, 0.0481
    first = page.entries["power"]["By rating, default thresholds"][0]
    first["smallest"] = {"1000": 0.0, "10000": None, "43000": 0.1, "100000": 0.1}
    text = page.text()
    assert "| ml-1m, 2000 | 25,179 | 10,000 | 0.085 | 0.057 | 0.092 | none: mean and std" in text
    assert "| ml-1m, 2000 | 25,179 | 43,000 | 0.055 | 0.038 | 0.063 | 0.049 |" in text
    assert "| mean up | `any` | 0.0 % | - | 10.0 % | 10.0 % |" in text


def test_a_delay_beyond_the_horizon_is_no_number(page: Page) -> None:
    page.entries["delay"][0] |= {"median": 11.0, "ninetieth": None, "missed": 0.105}
    assert "| +5 % at once | 4 | per_batch | 11 | over 26 | 10.5 % | 6.5 % |" in page.text()


def test_speeds_their_ratios_and_their_growth_are_shown(page: Page) -> None:
    page.entries["speed/1000000"] = {
        "rounds": 3, "week": 0.005, "reading": 0.002, "from_rows": 4.0, "ratio": 800.0,
        "all_weeks": {"52": 0.1, "104": 0.2, "520": 1.5}, "all_from_rows": 1_800.0,
        "all_ratio": 1_200.0, "growth": [{"weeks": 2, "time": 2.0}, {"weeks": 10, "time": 15.0}],
    }  # fmt: skip
    text = page.text()
    assert (
        "| 1,000,000 | 3 | 5.0 ms | 2.0 ms | 4.00 s | **800** | 0.10 s | 0.20 s | 1.50 s | "
        "1,800 s | **1,200** |\n"
    ) in text
    assert (
        "- 1,000,000 rows: 2 times the weeks take 2.0 times as long, "
        "10 times the weeks take 15.0 times as long.\n"
    ) in text
    assert text.index("| 1,000,000 | 3") < text.index("| 25,000,000 | 1")


def test_without_ml_1m_the_page_says_so(page: Page) -> None:
    del page.entries["real_weeks"], page.entries["false_alarms/ml-1m"]
    text = page.text()
    assert "not measured here" in text
    assert "ml-1m, 2000" not in text


def test_a_large_size_is_timed_once() -> None:
    assert [Plan().rounds_at(rows) for rows in (1_000_000, 25_000_000)] == [3, 1]


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
def test_the_whole_program_makes_a_whole_page(tmp_path: Path, ml_1m: Path, given: bool) -> None:
    plan = Plan(trials=8, histories=3, synthetic_ratings=4_000, weeks=(2, 4), rounds=1)
    document, results = tmp_path / "page.md", tmp_path / "results.json"
    document.write_text("<!-- drift/calibration -->\n<!-- end of drift/calibration -->\n")
    options = ["--rows", "3000", "--docs", str(tmp_path), "--results", str(results)]
    main([*options, "--ml-1m", str(ml_1m)] if given else options, plan)
    text = document.read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [line for line in DOCUMENT.read_text().splitlines() if line[:3] == "## "]
    assert ("not measured here" in text) is not given
    assert ("ml-1m, 2000" in text) is given
    assert "2000-07-24" in text or not given
    assert "8 pairs of baseline and" in text
    assert "PostgreSQL" in text
    assert not {"{{", "{%", "nan", "None"} & set(text.split())
    kept = json.loads(results.read_text())
    main([*options, "--ml-1m", str(ml_1m)] if given else options, plan)
    assert json.loads(results.read_text()) == kept


def test_the_shipped_figures_are_the_programs() -> None:
    plan, sizes = Plan(), sorted((*SIZES, *SAMPLE_SIZES))
    found = measure(sample_population(), BY_USER, SAMPLE_BASELINE, sizes, plan.trials, plan.seed)
    sample = KEPT.figures()["false_alarms"]["sample"]
    kept = sample["baselines"][str(SAMPLE_BASELINE)]["ways"][BY_USER]
    assert [row["n"] for row in kept] == sizes
    for row, again in zip(kept, found, strict=True):
        for name in (*THRESHOLDS, *SECONDARY):
            assert row["rates"][name] == pytest.approx(again.rates[name], abs=0.00051)
            assert 0 <= row["quantiles"][name] - again.quantiles[name] < 0.001
        assert row["any_rate"] == pytest.approx(again.any_rate, abs=0.00051)
        assert row["two_rate"] == pytest.approx(again.two_rate, abs=0.00051)
        assert (row["ks_threshold"] is None) == (again.ks_threshold is None)
        if again.ks_threshold is not None:
            assert 0 <= row["ks_threshold"] - again.ks_threshold < 0.001


def test_the_samples_own_sizes_are_those_of_its_profile() -> None:
    prepared = prepared_sample(injected_shift=0.0)
    sizes = [len(batch.ratings) for batch in prepared.batches]
    assert (prepared.baseline["data_split"] == "train").sum() == SAMPLE_BASELINE
    assert (sizes[0], sum(sizes)) == SAMPLE_SIZES
    assert sample_population().name == SAMPLE
    assert sample_population().size == len(prepared.baseline) + sum(sizes)

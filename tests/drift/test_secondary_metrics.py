from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cinematch_dagster.drift.activity import Activity, aligned, shares
from cinematch_dagster.drift.divergence import (
    chi_square,
    jensen_shannon_distance,
    psi,
    wasserstein_distance,
)
from cinematch_dagster.drift.secondary_metrics import SecondaryMetrics, SecondaryThresholds, measure

BASE = np.array([0, 0, 0, 50, 0, 0, 0, 50, 0, 0])
LOUD = np.array([0, 0, 0, 20, 0, 0, 0, 80, 0, 0])
EMPTY = np.zeros(10, dtype=np.int64)
COMEDY, DRAMA = {"Comedy": 30, "Drama": 70}, {"Drama": 50, "War": 50}

genre_counts = st.dictionaries(st.text(max_size=3), st.integers(0, 1_000), max_size=6)


def test_evidence_is_every_measure_with_its_threshold() -> None:
    evidence = measure(BASE, LOUD, SecondaryThresholds(rating_psi=0.5), (COMEDY, DRAMA))
    before, after = np.array([30, 70, 0]), np.array([0, 50, 50])
    assert {t.feature_name: (t.score, t.threshold) for t in evidence.ratings + evidence.genres} == {
        "rating_psi": (psi(BASE, LOUD), 0.5),
        "rating_jensen_shannon": (jensen_shannon_distance(BASE, LOUD), 0.1),
        "rating_wasserstein": (wasserstein_distance(BASE, LOUD), 0.25),
        "genre_psi": (psi(before, after), 0.25),
        "genre_jensen_shannon": (jensen_shannon_distance(before, after), 0.1),
    }
    assert evidence.chi_square == chi_square(BASE, LOUD)
    assert [t.exceeded for t in evidence.ratings] == [False, True, True]


def test_evidence_never_alerts() -> None:
    evidence = measure(BASE, LOUD, SecondaryThresholds(), (COMEDY, DRAMA))
    assert any(t.exceeded for t in evidence.ratings)
    assert all(t.exceeded for t in evidence.genres)
    assert not any(t.triggered for t in evidence.ratings + evidence.genres)


@pytest.mark.parametrize(("baseline", "buffer"), [(EMPTY, LOUD), (BASE, EMPTY), (EMPTY, EMPTY)])
def test_a_side_without_ratings_is_no_evidence(baseline: Any, buffer: Any) -> None:
    assert measure(baseline, buffer, SecondaryThresholds()) == SecondaryMetrics((), None, ())


@pytest.mark.parametrize("genres", [({}, DRAMA), (DRAMA, {}), (DRAMA, {"War": 0})])
def test_a_side_without_genres_says_nothing_about_genres(genres: Any) -> None:
    evidence = measure(BASE, LOUD, SecondaryThresholds(), genres)
    assert evidence.genres == ()
    assert len(evidence.ratings) == 3


def test_evidence_is_plain() -> None:
    evidence = measure(BASE, LOUD, SecondaryThresholds(), (COMEDY, DRAMA))
    json.dumps(asdict(evidence), allow_nan=False)


@pytest.mark.parametrize("bad", [{"rating_psi": 0}, {"genre_psi": -1}, {"rating_ks": 0.1}])
def test_thresholds_out_of_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(bad))):
        SecondaryThresholds(**bad)


def test_activity_worked_by_hand() -> None:
    activity = Activity(ratings=200, users=8, by_new_users=50, of_new_movies=20)
    assert activity.new_user_share == 0.25
    assert activity.new_movie_share == 0.1
    assert activity.ratings_per_user == 25


def test_activity_of_nobody_is_unknown_and_not_zero() -> None:
    nobody = Activity(ratings=0, users=0, by_new_users=0, of_new_movies=0)
    assert nobody.new_user_share is None
    assert nobody.new_movie_share is None
    assert nobody.ratings_per_user is None


@given(genre_counts, genre_counts)
def test_alignment_keeps_every_count(baseline: dict[str, int], buffer: dict[str, int]) -> None:
    before, after = aligned(baseline, buffer)
    assert len(before) == len(after) == len({*baseline, *buffer})
    assert before.dtype == after.dtype == np.int64
    assert sorted(before[before > 0]) == sorted(n for n in baseline.values() if n)
    for row, name in enumerate(sorted({*baseline, *buffer})):
        assert (before[row], after[row]) == (baseline.get(name, 0), buffer.get(name, 0))


@given(genre_counts)
def test_shares_add_up(counts: dict[str, int]) -> None:
    found = shares(counts)
    assert sum(found.values()) == pytest.approx(1 if sum(counts.values()) else 0)
    assert found == {} or found.keys() == counts.keys()


@pytest.mark.parametrize("module", ["drift", "drift.secondary_metrics"])
def test_importing_the_package_is_cheap(module: str) -> None:
    code = f"import sys, cinematch_dagster.{module}; sys.exit('scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

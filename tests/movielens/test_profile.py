from __future__ import annotations

import dataclasses
import datetime
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.movielens import load
from cinematch_dagster.movielens.profile.page import profile_page, profile_picture
from cinematch_dagster.movielens.profile.statistics import Profile, distribution, profile
from tests.movielens.strategies import T0, ratings, ratings_frames, rows

DATA = Path(__file__).parents[2] / "data"
MOVIES = pd.DataFrame(
    {
        "movieId": [1, 2, 3],
        "title": ["Heat <1995>", "Casino (1995)", None],
        "genres": ["Crime", "Crime|Drama", "Drama"],
    }
)
DAY = 86_400


@pytest.fixture(scope="module")
def sample() -> Profile:
    return profile(*load("sample", DATA)[:2])


def test_a_profile_by_hand() -> None:
    # T0 is 2004-11-09. Two users, three movies, four of the six pairs.
    frame = rows((1, 1, 0.5, T0), (1, 2, 5.0, T0 + 60 * DAY), (2, 1, 5.0, T0), (2, 9, 3.0, T0))
    found = profile(frame, MOVIES)
    assert found.n_ratings == 4
    assert found.histogram == (1, 0, 0, 0, 0, 1, 0, 0, 0, 2)
    assert (found.mean, found.std) == pytest.approx((13.5 / 4, np.std([0.5, 5, 5, 3], ddof=1)))
    assert (found.first, found.last) == (datetime.date(2004, 11, 9), datetime.date(2005, 1, 8))
    assert found.by_month == (3, 0, 1)
    assert found.months == [
        datetime.date(2004, 11, 1),
        datetime.date(2004, 12, 1),
        datetime.date(2005, 1, 1),
    ]
    assert found.sparsity == pytest.approx(2 / 6)
    assert found.most_rated == (("Heat <1995>", 2), ("Casino (1995)", 1), ("(no title)", 1))
    assert (found.users.n, found.movies.n, found.n_movies_listed) == (2, 3, 3)
    assert found.half_stars
    assert found.missing["title (movies)"] == 1


def test_a_distribution_by_hand() -> None:
    # Of 1, 1, 2, 4: Gini (-3·1 - 1·1 + 1·2 + 3·4) / (4·8) = 10/32.
    found = distribution(np.array([4, 1, 2, 1]))
    assert found.gini == pytest.approx(10 / 32)
    assert found.mean == 2.0
    assert found.by_doubling == (2, 1, 1)
    assert found.quantiles[0] == 1
    assert found.quantiles[3] == 1.5
    assert found.quantiles[-1] == 4
    assert (found.top_1_percent, found.top_10_percent) == (0.5, 0.5)


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=50))
def test_the_gini_coefficient_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    values = np.array(counts, dtype=float)
    differences = np.abs(values[:, None] - values).mean()
    found = distribution(np.array(counts))
    assert found.gini == pytest.approx(differences / (2 * values.mean()), abs=1e-12)
    assert sum(found.by_doubling) == found.n == len(counts)


@given(ratings_frames(min_size=1))
def test_every_rating_is_counted_once(frame: pd.DataFrame) -> None:
    found = profile(frame, MOVIES)
    assert sum(found.histogram) == sum(found.by_month) == len(frame)
    assert found.users.mean * found.users.n == pytest.approx(len(frame))
    assert found.movies.mean * found.movies.n == pytest.approx(len(frame))
    assert len(found.months) == len(found.by_month)


def test_missing_values_are_counted_and_their_rows_left_out() -> None:
    frame = rows((1, 1, 3.0, T0), (1, None, 4.0, T0), (2, 1, None, T0), (None, None, 4.0, T0))
    found = profile(frame, MOVIES)
    assert [found.missing[str(c)] for c in frame] == [1, 2, 1, 0]
    assert found.n_ratings == 4
    assert sum(found.histogram) == 1


@pytest.mark.parametrize(
    ("stars", "time"),
    [(3.0, T0 * 1_000), (3.0, 10**17), (3.0, -(10**13)), (3.0, 0), (3.0, 1e30), (1e9, T0)],
)
def test_implausible_ratings_are_counted_and_left_out(stars: float, time: float) -> None:
    sound = [(1, 1, 3.5, T0), (1, 2, 4.5, T0 + 60 * DAY), (2, 1, 4.0, T0)]
    found = profile(rows(*sound, (3, 2, stars, time)), MOVIES)
    expected = profile(rows(*sound), MOVIES)
    assert found == dataclasses.replace(expected, n_ratings=4, implausible=1)
    assert (found.mean, found.by_month) == (4.0, (2, 0, 1))
    assert "1 ratings are off the scale" in profile_page(found, "x")
    assert "off the scale" not in profile_page(expected, "x")


def test_ratings_without_a_usable_row_are_an_error() -> None:
    useless = rows((None, 1, 3.0, T0), (1, None, 3.0, T0), (1, 1, 9.0, T0), (1, 1, 3.0, 0))
    with pytest.raises(ValueError, match="4 ratings, none complete with stars on the scale and a"):
        profile(useless, MOVIES)


def test_the_sample_has_its_known_shape(sample: Profile) -> None:
    assert (sample.n_ratings, sample.users.n, sample.movies.n) == (100_004, 671, 9_066)
    assert sample.n_movies_listed == 9_125
    assert sample.sparsity == pytest.approx(1 - 100_004 / (671 * 9_066))
    assert sample.most_rated[0] == ("Forrest Gump (1994)", 341)
    assert set(sample.missing.values()) == {0}
    assert (sample.first.year, sample.last) == (1995, datetime.date(2016, 10, 16))


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in {"meta", "br", "link", "img", "input", "rect", "path", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing(sample: Profile) -> None:
    page = profile_page(sample, "sample")
    parser = Elements()
    parser.feed(page)
    assert parser.open == []
    assert {name for name, _ in parser.attributes} & {"src", "onclick"} == set()
    links = {value for name, value in parser.attributes if name == "href"}
    assert all(link and not link.startswith(("http", "//")) for link in links)
    assert not re.search(r"https?://(?!www\.w3\.org)|@import|<script", page)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_the_page_shows_the_numbers(sample: Profile) -> None:
    page = profile_page(sample, "sample")
    assert "<h1>Profile of sample</h1>" in page
    for shown in ("100,004 ratings", "671 users", "9,066 movies rated, of 9,125", "9 January 1995"):
        assert shown in page
    assert page.count("<svg") == 4
    assert re.search(r"Gini coefficient</th><td[^>]*>0\.580</td><td[^>]*>0\.719", page)
    assert "whole stars only" not in page


def test_titles_are_escaped_and_whole_stars_are_told() -> None:
    page = profile_page(profile(ratings((1, 1, 3.0, T0)), MOVIES), "a & b")
    assert "Heat &lt;1995&gt;" in page
    assert "Profile of a &amp; b" in page
    assert "There are whole stars only" in page


@pytest.mark.parametrize("days", [0, 40, 400, 4_000])
def test_the_months_have_few_labels_but_one(days: int) -> None:
    frame = ratings((1, 1, 3.0, T0), (1, 2, 3.0, T0 + days * DAY))
    page = profile_page(profile(frame, MOVIES), "x")
    chart = page[page.index("By month") :]
    labels = re.findall(r">(\d{4}(?:-\d\d)?)</text>", chart[: chart.index("</svg>")])
    assert 1 <= len(labels) <= 7


def test_the_picture_has_the_four_charts_of_the_page(sample: Profile) -> None:
    drawn = ElementTree.fromstring(profile_picture(sample, "a & b"))
    assert drawn[0].text == "Profile of a & b"
    charts = [part for part in drawn if part.tag.endswith("}svg")]
    assert [chart[0].text for chart in charts] == [
        "Ratings by stars",
        "Ratings by month",
        "Users by ratings",
        "Movies by ratings",
    ]
    bars = [sum(one.get("class") == "total" for one in chart.iter()) for chart in charts]
    assert bars == [
        10,
        len(sample.by_month),
        len(sample.users.by_doubling),
        len(sample.movies.by_doubling),
    ]

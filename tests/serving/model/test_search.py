import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.model.search import TitleIndex, readable, words

TITLES = [
    "Toy Story (1995)",
    "Toy Story 2 (1999)",
    "Matrix, The (1999)",
    "Matrix Reloaded, The (2003)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
    "Spider-Man (2002)",
    "WALL·E (2008)",
    "Schindler's List (1993)",
    "Seven (a.k.a. Se7en) (1995)",
    "Story of Us, The (1999)",
]
INDEX = TitleIndex(TITLES)


def found(query: str, index: TitleIndex = INDEX) -> list[str]:
    return [TITLES[row] for row in index.find(query)[0]]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("toy story", "Toy Story (1995)"),
        ("toy story 2", "Toy Story 2 (1999)"),
        ("toy stroy", "Toy Story (1995)"),  # letters that changed places
        ("The Matrix", "Matrix, The (1999)"),
        ("matrix 1999", "Matrix, The (1999)"),
        ("matirx relaoded", "Matrix Reloaded, The (2003)"),
        ("MATR", "Matrix, The (1999)"),
        ("cite des enfants", "City of Lost Children, The (Cité des enfants perdus, La) (1995)"),
        ("amélie", "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        ("spiderman", "Spider-Man (2002)"),
        ("spider man", "Spider-Man (2002)"),
        ("walle", "WALL·E (2008)"),
        ("wall-e", "WALL·E (2008)"),
        ("shindlers list", "Schindler's List (1993)"),
        ("se7en", "Seven (a.k.a. Se7en) (1995)"),
    ],
)
def test_the_first_that_is_found(query: str, first: str) -> None:
    assert found(query)[0] == first


def test_both_parts_are_found_and_nothing_else() -> None:
    assert found("toy story") == ["Toy Story (1995)", "Toy Story 2 (1999)"]


@pytest.mark.parametrize("query", ["", "   ", "!?", "zzzzzz", "toz", "the zzzzzzzz"])
def test_what_matches_nothing_finds_nothing(query: str) -> None:
    assert found(query) == []


def test_a_short_word_must_be_right() -> None:
    assert found("toi") == []


def test_scores_descend_from_one() -> None:
    rows, scores = INDEX.find("toy story")
    assert len(rows) == len(scores)
    assert scores[0] == pytest.approx(1.0)
    assert (np.diff(scores) <= 0).all()


def test_a_catalogue_without_movies() -> None:
    assert list(TitleIndex([]).find("toy")[0]) == []


@given(st.text(max_size=300))
def test_any_text_may_be_asked(query: str) -> None:
    rows, scores = INDEX.find(query)
    assert len(set(rows.tolist())) == len(rows)
    assert ((scores > 0) & (scores <= 1 + 1e-6)).all()


@given(st.sampled_from(["Reloaded", "Children", "Schindler's"]), st.data())
def test_one_wrong_letter_in_a_long_word_is_forgiven(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    wrong = word[:place] + letter + word[place + 1 :]
    assert any(word in title for title in found(wrong))


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Matrix, The (1999)", "The Matrix (1999)"),
        ("Matrix, The", "The Matrix"),
        ("Argent, L' (1983)", "L'Argent (1983)"),
        ("Toy Story (1995)", "Toy Story (1995)"),
        ("Babylon 5", "Babylon 5"),
    ],
)
def test_the_article_goes_in_front(title: str, expected: str) -> None:
    assert readable(title) == expected


def test_words_lose_accents_capitals_and_apostrophes() -> None:
    assert words("Ålesund's Ærø, straße") == ["alesunds", "aero", "strasse"]

"""The glossary's words are explained once, and stand where it says."""

import pytest

from cinematch_dagster.settings import ROOT
from tests.docs.support import rows

ROWS = rows((ROOT / "docs" / "glossary.md").read_text())
FOLDERS = (ROOT, ROOT / "cinematch_dagster")


def test_a_word_is_explained_once() -> None:
    words = [word for row in ROWS for word in row[0].split(", ")]
    assert len(words) > 40
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("word", "path"), [(row[0], row[2]) for row in ROWS])
def test_a_word_stands_where_it_says(word: str, path: str) -> None:
    assert any((folder / path).exists() for folder in FOLDERS), f"{word}: {path}"

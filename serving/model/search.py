"""Find movies by words of their titles, spelt roughly right."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from serving.base.titles import without_year

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

ENOUGH = 0.6
"""Share of a query's weight that a title must match."""
BEGINNING = 0.9
"""How well a word matches one that it begins."""
MOST_WORDS = 12
"""Words of a query that are looked at."""

_ARTICLE = re.compile(r"^(.*), (The|A|An|Le|La|Les|L'|Il|Lo|El|Los|Las|Der|Die|Das)$")
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae", "ł": "l", "Ł": "l"})


def readable(title: str) -> str:
    """Put the article in front: `Matrix, The (1999)` is `The Matrix (1999)`."""
    name, year = without_year(title)
    if found := _ARTICLE.match(name):
        gap = "" if found[2].endswith("'") else " "
        name = f"{found[2]}{gap}{found[1]}"
    return f"{name} {year}" if year else name


def words(text: str) -> list[str]:
    """Return a text's words without accents and capitals."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return _WORD.findall(
        letters.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )


class TitleIndex:
    r"""Every word of every title, and the titles that have it.

    A title's score is the share of the query's weight that it matches:
    :math:`\sum_t w_t s_t / \sum_t w_t`, where :math:`s_t` is 1 for a word that is there,
    `BEGINNING` for the beginning of one, :math:`1 - d / l` for a word of l letters that is d
    letters away (none up to 3 letters, 1 up to 7, then 2), and :math:`w_t` is the rarer word's
    larger logarithm. Words joined by a hyphen or a dot count as one, too.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        rows = defaultdict(list)
        lengths = np.ones(len(titles), dtype=np.float32)
        for row, title in enumerate(titles):
            found = set(_terms(title))
            lengths[row] = len(found)
            for word in found:
                rows[word].append(row)
        self._n = len(titles)
        self._lengths = lengths
        self._words = sorted(rows)
        self._rows = [np.array(rows[word], dtype=np.int32) for word in self._words]
        self._letters = np.array([len(word) for word in self._words], dtype=np.float32)

    def find(self, query: str) -> tuple[Rows, Floats]:
        """Return the rows of the titles that match, best first, and their scores, above 0 to 1.

        Of equally good ones the shorter title comes first.
        """
        asked = list(dict.fromkeys(words(query)))[:MOST_WORDS]
        if not asked or not self._words:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
        total = 0.0
        scores = np.zeros(self._n, dtype=np.float32)
        for word in asked:
            matched = np.zeros(self._n, dtype=np.float32)
            for place, similarity in self._similar(word):
                rows = self._rows[place]
                matched[rows] = np.maximum(matched[rows], similarity)
            weight = math.log(1 + self._n / max(int(np.count_nonzero(matched)), 1))
            scores += weight * matched
            total += weight
        scores /= total
        found = np.flatnonzero(scores >= ENOUGH)
        order = np.lexsort((found, self._lengths[found], -scores[found].round(4)))
        return found[order], scores[found[order]]

    def _similar(self, word: str) -> Iterator[tuple[int, float]]:
        """Yield the places of the words that this one may stand for, and how well."""
        start = bisect_left(self._words, word)
        for place in range(start, len(self._words)):
            if not self._words[place].startswith(word):
                break
            yield place, 1.0 if self._words[place] == word else BEGINNING
        allowed = _allowed(len(word))
        if allowed:
            distances = cdist(
                [word], self._words, scorer=OSA.distance, score_cutoff=allowed, dtype=np.uint8
            )[0]
            for place in np.flatnonzero(distances <= allowed).tolist():
                longer = max(len(word), float(self._letters[place]))
                yield place, 1.0 - float(distances[place]) / longer


def _allowed(letters: int) -> int:
    """Return how many letters of a word may be wrong."""
    if letters <= 3:
        return 0
    return 1 if letters <= 7 else 2


def _terms(title: str) -> Iterator[str]:
    """Yield a title's words, and those that a hyphen or dot separates once more as one."""
    for part in title.split():
        found = words(part)
        yield from found
        if len(found) > 1:
            yield "".join(found)

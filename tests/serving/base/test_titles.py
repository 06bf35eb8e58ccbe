from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from serving.base.titles import YEAR, without_year, year_of

TITLES = {
    "Toy Story (1995)": ("Toy Story", 1995),
    "Babylon 5": ("Babylon 5", None),
    "2001 (a) (1968) ": ("2001 (a)", 1968),
    "(1999)": ("", 1999),
    "Ikiru (١٩٥٢)": ("Ikiru (١٩٥٢)", None),
}


@pytest.mark.parametrize(("title", "expected"), TITLES.items())
def test_the_year_stands_at_the_end(title: str, expected: tuple[str, int | None]) -> None:
    name, year = expected
    assert year_of(title) == year
    assert without_year(title) == (name, f"({year})" if year else "")


def test_all_that_read_titles_agree() -> None:
    years = [None if year is None else str(year) for _, year in TITLES.values()]
    by_pandas = pd.Series(list(TITLES)).str.extract(YEAR, expand=False)
    by_arrow = pc.struct_field(pc.extract_regex(pa.array(list(TITLES)), YEAR), "year")
    assert [None if pd.isna(year) else year for year in by_pandas] == years
    assert by_arrow.to_pylist() == years

"""Lines of ratings: what is read, what is a reject, and that both ways of reading agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.batches.frame import COLUMNS
from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources import raw_files
from cinematch_dagster.movielens.sources.layout import Layout
from cinematch_dagster.movielens.sources.rating_lines import (
    count_lines,
    narrowed,
    parse_by_field,
    parse_plain,
)
from cinematch_dagster.movielens.sources.raw_files import read_ratings

T0 = 964_982_703
HEADER = "userId,movieId,rating,timestamp\n"
ROW = [1, 31, 2.5, T0]
COMMAS = Layout(list(COLUMNS), [], ",", 0, 2)
COLONS = Layout(
    ["userId", "e0", "movieId", "e1", "rating", "e2", "timestamp"], ["e0", "e1", "e2"], ":", 0, 1
)


def read(
    folder: Path, text: str | bytes, name: str = "ratings.csv"
) -> tuple[list[list[float]], list[str]]:
    """Return the rows that were read, and what is wrong with the lines that were not."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    ratings, unparsable = read_ratings(folder)
    return ratings.to_numpy().tolist(), unparsable["fault"].tolist()


@pytest.mark.parametrize("rows", [1_000, 900_000])
def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path, rows: int) -> None:
    lines = [f"{n},{n},2.0,{T0}\n" for n in range(rows)]
    lines[rows // 2] = f'20,"22500,2.0,{T0}\n'
    (tmp_path / "ratings.csv").write_text(HEADER + "".join(lines))
    ratings, unparsable = read_ratings(tmp_path)
    assert (len(ratings), unparsable["line"].tolist()) == (rows - 1, [rows // 2 + 2])
    assert unparsable["fault"][0] == "column movieId: '\"22500', expected a whole number"


def test_a_stray_quote_in_the_format_of_ml_1m_costs_its_own_line_only(tmp_path: Path) -> None:
    lines = [f"{n}::{n}::2::{T0}\n" for n in range(50)]
    lines[20] = f'20::"225::2::{T0}\n'
    rows, faults = read(tmp_path, "".join(lines), "ratings.dat")
    assert (len(rows), len(faults)) == (49, 1)


@pytest.mark.parametrize(
    "line",
    [
        f"1, 31, 2.5, {T0}",
        f"1,\t31,2.5\t,{T0} ",
        f"1,31,2.5,{T0},",
        f"1.0,31.0,2.50,{T0}.0",
        f'"1","31","2.5","{T0}"',
        "1,31,2.5,2000-07-30 18:45:03",
        "1,31,2.5,2000-07-30T18:45:03Z",
        "1,31,2.5,2000-07-30T20:45:03.25+02:00",
        f"1,31,2.5,{T0}000",
        f"1,31,2.5,{T0}123456",
        f"1,31,2.5,{T0}\r",
    ],
)
def test_what_is_unambiguous_is_read_whether_or_not_another_line_is_bad(
    tmp_path: Path, line: str
) -> None:
    assert read(tmp_path, HEADER + f"{line}\n" * 3) == ([ROW] * 3, [])
    rows, faults = read(tmp_path, HEADER + f"{line}\n" * 3 + "?\n")
    assert rows == [ROW] * 3
    assert faults == ["'?', expected 4 fields"]


@pytest.mark.parametrize(
    "head",
    [
        "\ufeffuserId,movieId,rating,timestamp",
        '"userId","movieId","rating","timestamp"',
        "userId, movieId, rating, timestamp",
        "\nuserId,movieId,rating,timestamp\r",
        "userId,movieId,rating,timestamp,",
    ],
)
def test_the_header_may_have_blanks_quotes_and_a_mark(tmp_path: Path, head: str) -> None:
    assert read(tmp_path, f"{head}\n1,31,2.5,{T0}\n") == ([ROW], [])


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_the_delimiter_is_the_header_s(tmp_path: Path, delimiter: str) -> None:
    text = f"timestamp,title,movieId,rating,userId\n{T0},Heat,31,2.5,1\n".replace(",", delimiter)
    assert read(tmp_path, text) == ([ROW], [])


def test_a_mark_in_the_format_of_ml_1m_is_no_part_of_the_first_user(tmp_path: Path) -> None:
    text = f"\ufeff1::31::3::{T0}\n2 :: 31 :: 3 :: {T0}\n"
    rows = [[1, 31, 3, T0], [2, 31, 3, T0]]
    assert read(tmp_path, text, "ratings.dat") == (rows, [])
    assert read(tmp_path, f"{text}?\n", "ratings.dat")[0] == rows


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"1,31,2.5,{T0},7", f"'1,31,2.5,{T0},7', expected 4 fields"),
        ("1\t31\t2.5\t9", "'1\\t31\\t2.5\\t9', expected 4 fields"),
        (f"0x1,31,2.5,{T0}", "column userId: '0x1', expected a whole number"),
        (f"1.5,31,2.5,{T0}", "column userId: '1.5', expected a whole number"),
        (f"1,31,inf,{T0}", "column rating: 'inf', expected a number"),
        (f"1,31,1e999,{T0}", "column rating: '1e999', expected a number"),
        (f'1,31,"2.5,{T0}', "column rating: '\"2.5', expected a number"),
        ("1,31,2.5,02/04/2005", "column timestamp: '02/04/2005', expected unix seconds or a"),
        ("1,31,2.5,2005-02-30 10:00:00", "column timestamp: '2005-02-30 10:00:00', expected"),
    ],
)
def test_what_is_ambiguous_is_a_reject_with_column_and_value(
    tmp_path: Path, line: str, fault: str
) -> None:
    rows, (found,) = read(tmp_path, f"{HEADER}1,31,2.5,{T0}\n{line}\n")
    assert rows == [ROW]
    assert found.startswith(fault)


def test_something_between_the_colons_is_no_rating(tmp_path: Path) -> None:
    rows, faults = read(tmp_path, f"1:x:31:y:3:z:{T0}\n1::31::3::{T0}\n", "ratings.dat")
    assert rows == [[1, 31, 3, T0]]
    assert faults == ["more than the 4 fields that were expected"]


def test_stars_that_are_nearly_right_are_not_rounded(tmp_path: Path) -> None:
    for tail in ("", "?\n"):
        rows, _ = read(tmp_path, f"{HEADER}1,31,3.9999999,{T0}\n{tail}")
        assert rows == [[1, 31, 3.9999999, T0]]


def test_timestamps_in_two_units_stay_what_they_are(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, f"{HEADER}1,31,2.5,{T0}000\n1,31,2.5,{T0}\n")
    assert [row[3] for row in rows] == [T0 * 1_000, T0]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        ("userId,movieId\n1,2\n".encode("utf-16"), "is in UTF-16, expected UTF-8"),
        (b"\n\n", "column userId is not in the header"),
        (b"userId,userId,movieId,rating,timestamp\n", "column userId is twice in the header"),
        (f"1,31,2.5,{T0}\n".encode(), "column userId is not in the header ['1', '31', "),
    ],
)
def test_a_file_without_a_usable_head_is_one_sentence(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    with pytest.raises(BadDatasetError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path / 'ratings.csv'}: {fault}")


def test_a_file_of_nothing_but_rejects_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEADER + "1 31 2.5 9\n" * 30
    assert read(tmp_path, text) == ([], ["'1 31 2.5 9', expected 4 fields"] * 30)
    monkeypatch.setattr(raw_files, "MOST_FAULTS", 29)
    with pytest.raises(BadDatasetError, match=r"more than 29 lines .* line 2, '1 31 2\.5 9', exp"):
        read(tmp_path, text)


def test_a_reader_that_loses_a_line_refuses_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_one(block: bytes, layout: Layout) -> pa.Table:
        table = parse_plain(block, layout)
        assert table is not None
        return table.slice(1)

    monkeypatch.setattr(raw_files, "parse_plain", lose_one)
    with pytest.raises(BadDatasetError, match=r"2 ratings and 0 rejects .* each of 3 lines"):
        read(tmp_path, HEADER + f"1,31,2.5,{T0}\n" * 3)


FIELDS = st.one_of(
    st.sampled_from(["1", "31", "2.5", "5", "0.5", str(T0), "", " 7", "12.0", "NA", "-3", '"4"']),
    st.sampled_from(
        ["1e1", ".5", "5.", "inf", "nan", "0x1f", "1e999", "3.9999999", "+1", "0" * 30]
    ),
    st.sampled_from([f"{2**31}", f"{2**63}", f"{2**64}", "2005-04-02 23:53:47", "2005-02-30", '"']),
    st.text(st.sampled_from("01.e-+x\"' \t\0é"), max_size=6),
)
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\r"])


@given(
    st.lists(st.tuples(st.lists(FIELDS, min_size=3, max_size=5), ENDS), min_size=1), st.booleans()
)
def test_both_ways_read_the_same_and_lose_no_line(
    lines: list[tuple[list[str], str]], colons: bool
) -> None:
    layout, mark = (COLONS, "::") if colons else (COMMAS, ",")
    for some in ([line] for line in lines) if len(lines) > 1 else (lines,):
        assert_same("".join(mark.join(fields) + end for fields, end in some), layout)
    assert_same("".join(mark.join(fields) + end for fields, end in lines), layout)


def assert_same(text: str, layout: Layout) -> None:
    block = text.encode()
    rows, faults = parse_by_field(block, layout, layout.first_line)
    assert len(rows) + len(faults) == count_lines(block)
    assert count_lines(block) == len(
        [line for line in block.replace(b"\r", b"\n").split(b"\n") if line]
    )
    plain = parse_plain(block, layout)
    if plain is not None:
        assert faults == []
        assert plain.equals(narrowed(rows))


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2, st.integers(1, 10)), min_size=1, max_size=30))
def test_lines_that_are_plain_are_read_at_once(some: list[tuple[int, int, int]]) -> None:
    block = "".join(f"{u},{m},{half / 2},{T0}\n" for u, m, half in some).encode()
    found = parse_plain(block, COMMAS)
    assert found is not None
    assert found["rating"].to_pylist() == [np.float32(half / 2) for _, _, half in some]

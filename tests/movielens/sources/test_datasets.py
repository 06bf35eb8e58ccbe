from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cinematch_dagster.batches import has_half_stars
from cinematch_dagster.movielens import fetch, load, prepare
from cinematch_dagster.movielens.errors import (
    BadDatasetError,
    DownloadError,
    MissingDatasetError,
    TooManyRejectsError,
    UnknownDatasetError,
)
from cinematch_dagster.movielens.sources import datasets, raw_files
from cinematch_dagster.movielens.sources.raw_files import read_movies, read_ratings
from cinematch_dagster.movielens.sources.synthetic import Synthetic
from tests.movielens.sources.archive_server import ArchiveServer
from tests.movielens.strategies import T0, ratings, rows

CSV = f"userId,movieId,rating,timestamp\n1,31,2.5,{T0 + 1}\n2,7,4.0,{T0}\n".encode()
MOVIES_CSV = 'movieId,title,genres\n31,"Misérables, Les (1995)",Drama|War\n7,Heat (1995),Crime\n'
DAT = f"1::31::3::{T0 + 1}\n2::7::4::{T0}\n".encode()
MOVIES_DAT = "31::Misérables, Les: Part 2 (1995)::Drama|War\n7::Heat (1995)::Crime\n"
FILES_CSV = {"ratings.csv": CSV, "movies.csv": MOVIES_CSV.encode(), "tags.csv": b"no"}
FILES_DAT = {"ratings.dat": DAT, "movies.dat": MOVIES_DAT.encode("latin-1"), "users.dat": b"no"}


def zipped(path: Path, files: dict[str, bytes], top: str = "ml/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(top + name, content)
    return path


def laid_out(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("top", ["", "ml-25m/", "a/b/"])
def test_the_csv_format_is_read_from_a_zip(tmp_path: Path, top: str) -> None:
    source = zipped(tmp_path / "my.zip", FILES_CSV, top)
    folder = fetch("ml-25m", tmp_path, source)
    assert folder == tmp_path / "raw" / "ml-25m"
    raw = load("ml-25m", tmp_path)
    assert_frame_equal(
        raw.ratings.sort_values("timestamp", ignore_index=True),
        ratings((2, 7, 4.0, T0), (1, 31, 2.5, T0 + 1)),
    )
    assert raw.movies.to_numpy().tolist() == [
        [31, "Misérables, Les (1995)", "Drama|War"],
        [7, "Heat (1995)", "Crime"],
    ]
    assert sorted(p.name for p in folder.iterdir()) == ["movies.csv", "ratings.csv"]
    assert has_half_stars(raw.ratings)


def test_the_format_of_ml_1m_is_read_from_a_folder(tmp_path: Path) -> None:
    fetch("ml-1m", tmp_path, laid_out(tmp_path / "downloads" / "ml-1m", FILES_DAT).parent)
    raw = load("ml-1m", tmp_path)
    assert raw.ratings.to_numpy().tolist() == [[1, 31, 3, T0 + 1], [2, 7, 4, T0]]
    assert raw.ratings.dtypes.astype(str).tolist() == ["int32", "int32", "float32", "int64"]
    assert raw.movies["title"].tolist() == ["Misérables, Les: Part 2 (1995)", "Heat (1995)"]
    assert not has_half_stars(raw.ratings["rating"])
    assert raw.unparsable is not None
    assert raw.unparsable.empty


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("text", [MOVIES_CSV, MOVIES_DAT])
def test_titles_are_read_in_both_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    suffix = "csv" if text is MOVIES_CSV else "dat"
    (tmp_path / f"movies.{suffix}").write_bytes(text.encode(encoding))
    movies = read_movies(tmp_path)
    assert movies["movieId"].tolist() == [31, 7]
    assert movies["title"].iloc[0].startswith("Misérables, Les")


def test_a_dataset_comes_from_its_address_once(
    archive_server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_server.content = zipped(tmp_path / "made.zip", FILES_CSV).read_bytes()
    monkeypatch.setattr(datasets, "GROUPLENS", archive_server.url.rpartition("/")[0])
    for _ in range(2):
        fetch("ml-latest-small", tmp_path)
    assert len(archive_server.ranges) == 1
    assert len(load("ml-latest-small", tmp_path).ratings) == 2
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["ml-latest-small"]


def test_an_archive_that_is_not_the_published_one_is_not_used(
    archive_server: ArchiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "GROUPLENS", archive_server.url.rpartition("/")[0])
    with pytest.raises(DownloadError, match=r"/ml-1m\.zip came with the MD5 checksum"):
        fetch("ml-1m", tmp_path)
    with pytest.raises(MissingDatasetError, match="cinematch data prepare --dataset ml-1m"):
        load("ml-1m", tmp_path)


def test_addresses_are_those_of_grouplens() -> None:
    assert datasets.GROUPLENS == "https://files.grouplens.org/datasets/movielens"
    assert set(datasets.CHECKSUMS) == {"ml-latest-small", "ml-1m", "ml-25m", "ml-32m"}


def test_the_sample_is_here_already() -> None:
    data = Path(__file__).parents[3] / "data"
    assert fetch("sample", data) == data / "sample"
    assert has_half_stars(load("sample", data).ratings)


def test_synthetic_data_are_made_in_the_place_of_a_download(tmp_path: Path) -> None:
    folder = fetch("synthetic", tmp_path, synthetic=Synthetic(2_000, 5, users=50, movies=400))
    assert folder == tmp_path / "raw" / "synthetic"
    raw = load("synthetic", tmp_path)
    assert len(raw.ratings) == 2_000
    assert raw.movies["title"].str.startswith("Synthetic ").all()


def test_an_unknown_dataset_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(UnknownDatasetError, match=r"dataset .\.\./x.: expected one of sample"):
        fetch("../x", tmp_path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"not a zip", "not a readable zip or folder"),
        (None, "no such file, expected a zip or a folder"),
        ({"movies.csv": b""}, r"holds no ratings\.csv or ratings\.dat"),
        ({"ratings.csv": CSV}, r"holds no movies\.csv or movies\.dat"),
    ],
)
def test_a_source_that_is_no_dataset_leaves_what_was_there(
    tmp_path: Path, content: bytes | dict[str, bytes] | None, fault: str
) -> None:
    fetch("ml-1m", tmp_path, zipped(tmp_path / "good.zip", FILES_DAT))
    source = tmp_path / "bad.zip"
    if isinstance(content, dict):
        zipped(source, content)
    elif content is not None:
        source.write_bytes(content)
    with pytest.raises(BadDatasetError, match=rf"bad\.zip: {fault}"):
        fetch("ml-1m", tmp_path, source)
    assert len(load("ml-1m", tmp_path).ratings) == 2
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["ml-1m"]


@pytest.mark.parametrize("dataset", ["sample", "synthetic"])
def test_what_is_shipped_or_made_takes_no_source(tmp_path: Path, dataset: str) -> None:
    source = zipped(tmp_path / "my.zip", FILES_CSV)
    shipped = laid_out(datasets.folder_of(dataset, tmp_path), {"ratings.parquet": b"shipped"})
    with pytest.raises(BadDatasetError, match=r"my\.zip: .* --dataset ml-1m .*one of ml-latest"):
        fetch(dataset, tmp_path, source)
    assert [path.read_bytes() for path in shipped.iterdir()] == [b"shipped"]


def test_a_source_that_is_the_folder_itself_stays_as_it_is(tmp_path: Path) -> None:
    mine = laid_out(tmp_path / "raw" / "ml-25m", FILES_CSV)
    assert fetch("ml-25m", tmp_path, mine / ".." / "ml-25m") == mine
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == FILES_CSV
    (mine / "movies.csv").unlink()
    with pytest.raises(BadDatasetError, match=r"ml-25m: holds no movies\.csv or movies\.dat"):
        fetch("ml-25m", tmp_path, mine)


def test_a_source_inside_the_folder_that_it_would_replace_is_refused(tmp_path: Path) -> None:
    source = zipped(laid_out(tmp_path / "raw" / "ml-25m", {}) / "my.zip", FILES_CSV)
    with pytest.raises(BadDatasetError, match=r"my\.zip: lies in .*ml-25m, which it replaces"):
        fetch("ml-25m", tmp_path, source)
    assert source.is_file()


@pytest.mark.parametrize("name", ["ratings.csv", "movies.csv"])
def test_files_that_can_not_be_read_replace_nothing(tmp_path: Path, name: str) -> None:
    fetch("ml-25m", tmp_path, zipped(tmp_path / "good.zip", FILES_CSV))
    source = zipped(tmp_path / "bad.zip", FILES_CSV | {name: b"a,b\n1,2\n"})
    with pytest.raises(BadDatasetError, match=rf"{source}/{name}: .*header"):
        fetch("ml-25m", tmp_path, source)
    assert len(load("ml-25m", tmp_path).ratings) == 2


def test_a_damaged_member_is_found_by_its_checksum(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", FILES_CSV)
    source.write_bytes(source.read_bytes().replace(b"1,31,2.5", b"1,31,3.5"))
    with pytest.raises(BadDatasetError, match=r"a\.zip: not a readable zip .*CRC"):
        fetch("ml-25m", tmp_path, source)


def test_members_can_not_leave_the_folder(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", FILES_CSV, "../../outside/")
    folder = fetch("ml-25m", tmp_path / "data", source)
    assert (folder / "ratings.csv").is_file()
    assert not (tmp_path / "outside").exists()


def test_lines_that_are_no_rating_are_kept_with_their_number_and_text(tmp_path: Path) -> None:
    lines = ["hello", "1,x,3.0,5", f"1,5,3.0,{T0}", "1,5,3.0", f"2,,3.0,{T0}", f"9,9,9,{10**30}"]
    (tmp_path / "ratings.csv").write_text(CSV.decode() + "\n".join([*lines, ""]))
    found, unparsable = read_ratings(tmp_path)
    assert found["userId"].tolist() == [1, 2, 1, 2]
    assert found["movieId"].isna().tolist() == [False, False, False, True]
    assert unparsable[["line", "text", "reason"]].to_numpy().tolist() == [
        [line, lines[line - 4], "unparsable_line"] for line in (4, 5, 7, 9)
    ]
    assert unparsable["fault"].tolist() == [
        "'hello', expected 4 fields",
        "column movieId: 'x', expected a whole number",
        "'1,5,3.0', expected 4 fields",
        f"column timestamp: '{10**30}', expected unix seconds or a date and time as "
        "2005-04-02 23:53:47",
    ]


def test_a_bad_line_in_the_format_of_ml_1m_keeps_its_separators(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_bytes(DAT + b"1::\xe9::3::5\n3:1:3:5\n")
    found, unparsable = read_ratings(tmp_path)
    assert found["userId"].tolist() == [1, 2]
    assert unparsable["line"].tolist() == [3, 4]
    assert unparsable["text"].tolist() == ["1::é::3::5", "3:1:3:5"]


@pytest.mark.parametrize("n_blocks", [1, 7])
def test_faults_in_many_blocks_keep_their_line_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_blocks: int
) -> None:
    lines = [f"{n},{n},3.0,{T0 + n}" for n in range(700)]
    bad = {3: "?", 4: "x,1,1,1", 300: "1,1,1", 301: "1,1,1,1,1", 302: "1,1,1,x", 698: "x,x,x,x"}
    for n, text in bad.items():
        lines[n] = text
    content = "\n".join(["userId,movieId,rating,timestamp", *lines, ""])
    (tmp_path / "ratings.csv").write_text(content)
    monkeypatch.setattr(raw_files, "BLOCK_SIZE", len(content) // n_blocks + 1)
    found, unparsable = read_ratings(tmp_path)
    assert dict(zip(unparsable["line"] - 2, unparsable["text"], strict=True)) == bad
    assert found["userId"].tolist() == [n for n in range(700) if n not in bad]
    assert found.dtypes.astype(str).tolist() == ["int32", "int32", "float32", "int64"]


def test_a_header_without_ratings_is_an_empty_dataset(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n")
    found, unparsable = read_ratings(tmp_path)
    assert (len(found), len(unparsable)) == (0, 0)


def test_a_file_without_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_files, "BLOCK_SIZE", 1_000)
    (tmp_path / "ratings.dat").write_bytes(bytes(range(32, 256)) * 20)
    with pytest.raises(BadDatasetError, match=r"ratings\.dat: can't be read as lines of ratings"):
        read_ratings(tmp_path)


def test_a_missing_column_names_the_file_and_the_header(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,movieId,rating,timestamp\n")
    with pytest.raises(BadDatasetError, match=r"ratings\.csv: column userId is not in the header"):
        read_ratings(tmp_path)


@pytest.mark.parametrize("line", ["7::Heat (1995)", "x::Heat (1995)::Crime", f"{2**31}::Heat::"])
def test_a_line_that_is_no_movie_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "movies.dat").write_text(f"7::Heat (1995)::Crime\n{line}\n")
    with pytest.raises(BadDatasetError, match=r"movies\.dat: line 2: .* expected movieId, title"):
        read_movies(tmp_path)


@pytest.mark.parametrize("text", [MOVIES_CSV, MOVIES_DAT])
def test_empty_lines_among_the_movies_are_skipped(tmp_path: Path, text: str) -> None:
    path = tmp_path / ("movies.csv" if text is MOVIES_CSV else "movies.dat")
    path.write_text(text.replace("\n", "\n\n") + "\n")
    assert read_movies(tmp_path)["movieId"].tolist() == [31, 7]


def test_the_largest_movie_id_is_read(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_text(f"{2**31 - 1}::Heat (1995)::Crime\n")
    assert read_movies(tmp_path)["movieId"].tolist() == [2**31 - 1]


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99), st.integers(1, 10)), min_size=1))
def test_one_bad_line_changes_nothing_about_the_others(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("raw")
    body = "".join(f"{u},{m},{half / 2},{T0 + half}\n" for u, m, half in some)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + body)
    sound, none = read_ratings(folder)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n?\n" + body)
    found, one = read_ratings(folder)
    assert (len(none), one["line"].tolist()) == (0, [2])
    assert_frame_equal(found.astype(sound.dtypes), sound)


def settings(max_bad_share: float) -> dict[str, object]:
    shares = {"baseline_share": 0.5, "train_share": 0.5, "max_bad_share": max_bad_share}
    return {"start": None, "most_recent": 100, "batches": 1, "injected_shift": 0.0, **shares}


def test_rejects_are_counted_by_reason_and_too_many_refuse_the_whole() -> None:
    raw = rows(*((1, movie, 3.0, T0) for movie in range(6)), (1, 1, 9.0, T0), (1, 2, 3.0, -1))
    unparsable = pd.DataFrame(
        {"line": [9, 12], "text": "?", "reason": "unparsable_line", "fault": "'?', expected 4"}
    )
    done = prepare(raw, unparsable=unparsable, **settings(0.4))  # type: ignore[arg-type]
    assert done.rejects["reason"].tolist() == [
        *["unparsable_line"] * 2,
        "rating_off_scale",
        "bad_timestamp",
    ]
    assert np.isnan(done.rejects["line"].iloc[2])
    with pytest.raises(TooManyRejectsError) as caught:
        prepare(raw, unparsable=unparsable, **settings(0.39))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "4 of 10 ratings can't be used (unparsable_line 2, rating_off_scale 1, bad_timestamp 1), "
        "expected at most 39.00%; the first is line 9, '?', expected 4"
    )
    assert_frame_equal(caught.value.rejects, done.rejects)


def test_ratings_given_again_do_not_refuse_the_whole() -> None:
    raw = rows(*((1, movie, 3.0, T0 + n) for n in range(2) for movie in range(6)))
    done = prepare(raw, **settings(0.0))  # type: ignore[arg-type]
    assert done.rejects["reason"].tolist() == ["duplicate"] * 6
    off_scale = pd.concat([raw, rows((1, 9, 9.0, T0))], ignore_index=True)
    with pytest.raises(TooManyRejectsError) as caught:
        prepare(off_scale, **settings(0.0))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "1 of 13 ratings can't be used (rating_off_scale 1), expected at most 0.00%; "
        f"the first is userId 1, movieId 9, rating 9.0, timestamp {T0}: rating_off_scale"
    )
    assert len(caught.value.rejects) == 7


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (rows((1, 1, 3.0, T0), (1, 2, 3.0, T0 + 86_400)), "from 2004-11-09 to 2004-11-10"),
        (rows(), "none"),
    ],
)
def test_days_that_leave_too_few_ratings_are_named(raw: pd.DataFrame, found: str) -> None:
    days = {"start": datetime.date(2030, 1, 1), "batches": 2}
    with pytest.raises(BadDatasetError) as caught:
        prepare(raw, **settings(0.0) | days)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "0 ratings can't fill 2 batches: expected at least 2, but data.start is 2030-01-01, "
        f"data.end is none and the usable ratings are {found}"
    )


@given(st.lists(st.integers(1, 10), max_size=9))
def test_half_stars_are_recognised(halves: list[int]) -> None:
    stars = pd.Series([h / 2 for h in halves], dtype="float32")
    assert has_half_stars(stars) == any(h % 2 for h in halves)
    assert has_half_stars(pd.concat([stars, pd.Series([np.nan])])) == has_half_stars(stars)

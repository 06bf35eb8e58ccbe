"""Files of movies: columns by name, and one sentence for the first line that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources.raw_files import read_movies

HEADER = "movieId,title,genres\n"
HEAT = [7, "Heat, The (1995)", "Crime|Drama"]


def read(folder: Path, text: str, name: str = "movies.csv") -> list[list[object]]:
    (folder / name).write_text(text, newline="")
    return list(read_movies(folder).to_numpy().tolist())


@pytest.mark.parametrize(
    "text",
    [
        'movieId,title,genres\n7,"Heat, The (1995)",Crime|Drama\n',
        '\ufeffmovieId,genres,title\r\n\r\n7,Crime|Drama,"Heat, The (1995)"\r\n',
        'title,year,movieId,genres\n"Heat, The (1995)",1995,7.0,Crime|Drama\n',
        '"movieId", "title", "genres"\n 7 ,"Heat, The (1995)",Crime|Drama,\n',
        "movieId\ttitle\tgenres\n7\tHeat, The (1995)\tCrime|Drama\n",
        'movieId;title;genres\n"7";"Heat, The (1995)";Crime|Drama\n',
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == [HEAT]


def test_a_stray_quote_takes_no_other_movie_along(tmp_path: Path) -> None:
    movies = [f"{n},Movie {n} (1995),Drama\n" for n in range(1, 5_001)]
    movies[4] = '5,"Movie 5 (1995),Drama\n'
    movies[29] = '30,"Movie 30, The (1995)",Drama\n'
    with pytest.raises(BadDatasetError, match=r"movies\.csv: line 6: '5,\"Movie 5 \(1995\),Drama'"):
        read(tmp_path, HEADER + "".join(movies))
    movies[4] = '5,"Movie ""5"" (1995)",Drama\n'
    assert read(tmp_path, HEADER + "".join(movies))[4] == [5, 'Movie "5" (1995)', "Drama"]


@pytest.mark.parametrize("name", ["movies.csv", "movies.dat"])
@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("7;Heat", "line 2: '7.*Heat'.*expected"),
        ("7;Heat;Crime;more", "line 2: .*Crime.*more'.*expected"),
        ("x;Heat;Crime", "line 2: column movieId: 'x', expected movieId, title, genres"),
        ("-1;Heat;Crime", "line 2: column movieId: '-1', expected"),
        ("٣;Heat;Crime", "line 2: column movieId: '٣', expected"),
        ("2147483648;Heat;Crime", "line 2: column movieId: '2147483648', expected"),
        ("1;Heat;Crime", "line 2: column movieId: 1 is there twice, first as 'Casino'"),
        ("7;He\0at;Crime", r"line 2: column title: 'He\\x00at', expected text without NUL"),
        ("7;Heat;Cri\0me", r"line 2: column genres: 'Cri\\x00me', expected text without NUL"),
        ("7; ;Crime", "line 2: column title: is empty, expected a title"),
    ],
)
def test_the_first_bad_line_is_named_with_its_column(
    tmp_path: Path, name: str, row: str, fault: str
) -> None:
    dat = name.endswith(".dat")
    text = f"1;Casino;Crime\n{row}\n".replace(";", "::" if dat else ",")
    fault = fault if dat else fault.replace("line 2", "line 3")
    with pytest.raises(BadDatasetError, match=rf"{name}: {fault}") as caught:
        read(tmp_path, text if dat else HEADER + text, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("movies.csv", "", "is empty"),
        ("movies.dat", "", "is empty"),
        ("movies.csv", HEADER, "holds no movie"),
        ("movies.dat", "\n", "holds no movie"),
        ("movies.csv", "7,Heat (1995),Crime\n", "column movieId is not in the header"),
        ("movies.csv", "movieId,title,title,genres\n", "column title is twice in the header"),
    ],
)
def test_a_file_without_header_or_movies_is_refused(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    with pytest.raises(BadDatasetError, match=rf"{name}: {fault}"):
        read(tmp_path, text, name)


@pytest.mark.parametrize("name", ["movies.csv", "movies.dat"])
def test_titles_in_the_place_of_genres_are_noticed(tmp_path: Path, name: str) -> None:
    mark, head = ("::", "") if name.endswith(".dat") else (",", HEADER)
    rows = (mark.join([str(n), "Drama", f"Movie {n} (1995)\n"]) for n in range(101))
    with pytest.raises(BadDatasetError, match="column genres: 101 different ones, as 'Movie 0 "):
        read(tmp_path, head + "".join(rows), name)

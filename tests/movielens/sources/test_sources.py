"""What `--source` may be: one dataset in a folder or zip, the one that was named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.movielens import fetch, load
from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.sources import datasets

CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,31,2.5,964982703\n",
    "movies.csv": "movieId,title,genres\n31,Heat (1995),Crime\n",
}
DAT = {"ratings.dat": "1::31::3::964982703\n", "movies.dat": "31::Heat (1995)::Crime\n"}


def folder_of(path: Path, **folders: dict[str, str]) -> Path:
    """Make a folder of folders with files; '_' is the folder itself."""
    for name, files in folders.items():
        inside = path if name == "_" else path / name
        inside.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (inside / file).write_text(text)
    return path


def zip_of(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo()
            info.filename = name  # as it is, also with backslashes
            archive.writestr(info, text)
    return path


def refused(tmp_path: Path, dataset: str, source: Path) -> str:
    with pytest.raises(BadDatasetError) as caught:
        fetch(dataset, tmp_path / "data", source)
    raw = tmp_path / "data" / "raw"
    assert not raw.exists() or not list(raw.iterdir())
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{source}: ")


def test_several_datasets_are_an_error_that_lists_them(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "Downloads", a=CSV, b=DAT)
    assert refused(tmp_path, "ml-1m", source) == (
        "holds ratings or movies in several folders (a: movies.csv, ratings.csv; "
        "b: movies.dat, ratings.dat): name the folder of one dataset with --source"
    )
    fetch("ml-1m", tmp_path / "data", source / "b")
    assert len(load("ml-1m", tmp_path / "data").ratings) == 1


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"a/ratings.csv": "", "b/movies.csv": ""}, "in several folders (a: ratings.csv; b: mov"),
        ({"x/a/ratings.csv": "", "x/movies.csv": ""}, "in several folders (x: movies.csv; x/a: "),
        ({**CSV, **DAT}, "holds movies.csv 1 times, movies.dat 1 times, ratings.csv 1 times, "),
        ({"ratings.csv": "", "movies.dat": ""}, "expected one file of ratings and one of movies"),
        ({"ratings.csv/part-0.csv": "", "movies.csv": ""}, "ratings.csv is a folder, expected a"),
        ({"ml/movies.csv/a": "", "ratings.csv": ""}, "ml/movies.csv is a folder, expected a file"),
    ],
)
@pytest.mark.parametrize("as_zip", [False, True])
def test_what_is_no_single_dataset_is_one_sentence(
    tmp_path: Path, files: dict[str, str], fault: str, as_zip: bool
) -> None:
    source = tmp_path / ("mine.zip" if as_zip else "mine")
    if as_zip:
        zip_of(source, files)
    for name, text in () if as_zip else files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    assert fault in refused(tmp_path, "ml-25m", source)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_not_chosen(tmp_path: Path) -> None:
    source = tmp_path / "twice.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for name, text in [*CSV.items(), *CSV.items()]:
            archive.writestr(name, text)
    assert "movies.csv 2 times, ratings.csv 2 times" in refused(tmp_path, "ml-25m", source)


def test_a_zip_with_backslashes_is_read(tmp_path: Path) -> None:
    source = zip_of(tmp_path / "a.zip", {f"ml-25m\\{name}": text for name, text in CSV.items()})
    fetch("ml-25m", tmp_path / "data", source)
    assert load("ml-25m", tmp_path / "data").movies["title"].tolist() == ["Heat (1995)"]


@pytest.mark.parametrize(
    ("dataset", "files", "name", "fault"),
    [
        ("ml-1m", CSV, "ml-25m", "is ml-25m by its name, expected ml-1m: name what it is with"),
        ("ml-25m", CSV, "ml-latest-small", "is ml-latest-small by its name, expected ml-25m"),
        ("ml-1m", CSV, "mine", "holds movies.csv, expected files that end in .dat, as those of"),
        ("ml-32m", DAT, "mine", "holds movies.dat, expected files that end in .csv, as those of"),
    ],
)
def test_another_dataset_s_files_are_refused(
    tmp_path: Path, dataset: str, files: dict[str, str], name: str, fault: str
) -> None:
    inside = {f"{name}/{file}": text for file, text in files.items()}
    named = f"{name}/" if name == "mine" else ""
    for source in (
        folder_of(tmp_path / "around", **{name: files}),
        folder_of(tmp_path / name, _=files),
        zip_of(tmp_path / "a.zip", inside),
        zip_of(tmp_path / f"{name}.zip", files),
    ):
        found = refused(tmp_path, dataset, source).replace(f"holds {named}", "holds ")
        assert fault in found


def test_more_ratings_than_were_published_are_another_dataset_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(datasets.PUBLISHED, "ml-25m", 1)
    source = folder_of(tmp_path / "mine", _=CSV)
    fetch("ml-25m", tmp_path / "data", source)
    (source / "ratings.csv").write_text(CSV["ratings.csv"] + "1,32,2.5,964982703\n")
    with pytest.raises(BadDatasetError, match="holds 2 ratings, expected at most the 1 of ml-25m"):
        fetch("ml-25m", tmp_path / "data", source)
    assert len(load("ml-25m", tmp_path / "data").ratings) == 1


@given(st.data())
def test_a_damaged_zip_is_one_sentence_or_read_right(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    method = data.draw(st.sampled_from([0, 8, 12, 14]))
    source = folder / "a.zip"
    with zipfile.ZipFile(source, "w", method) as archive:
        for name, text in CSV.items():
            archive.writestr(name, text)
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    source.write_bytes(content)
    try:
        fetch("ml-25m", folder, source)
    except BadDatasetError:
        return
    assert len(load("ml-25m", folder).ratings) == 1

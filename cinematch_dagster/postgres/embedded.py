"""A Postgres server of our own for a machine without one: no TCP, no password, one unix socket.

The server runs in a session of its own and outlives the process that started it. Processes that
start it at the same time wait for each other and share one server. A server that was killed is
cleared away and started again; Postgres then recovers from its log.
"""

import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fasteners
import psutil
import psycopg

from cinematch_dagster.postgres import cluster as clusters
from cinematch_dagster.postgres.binaries import find_programs
from cinematch_dagster.postgres.cluster import Cluster
from cinematch_dagster.postgres.os_user import EmbeddedPostgresError

PATIENCE_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": "100",
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is 64 MB in many containers
    "max_wal_size": "512MB",
    "timezone": "UTC",
}
_threads = threading.Lock()  # the lock on the file is the whole process's


def start(folder: Path) -> str:
    """Start the server whose files are in `folder`, unless it runs; return its DSN.

    The DSN names the database `postgres` and stays the same over restarts. The folder is made,
    with an empty cluster, if it is missing.

    Raises:
        EmbeddedPostgresError: when there is no Postgres to run, or it does not come up.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        cluster = clusters.find(folder) or clusters.create(folder)
        if not _answers(cluster):
            _wait_until_ready(cluster, cluster.postmaster() or _launch(cluster))
        return cluster.dsn


def stop(folder: Path) -> None:
    """End the server's sessions, stop it and wait until it is gone; nothing if it does not run."""
    _end(folder.resolve(), signal.SIGINT)  # Postgres' "fast shutdown"


def _end(folder: Path, how: signal.Signals) -> None:
    if not folder.is_dir():
        return
    with _alone(folder):
        cluster = clusters.find(folder)
        postmaster = cluster.postmaster() if cluster else None
        if postmaster:
            with suppress(psutil.NoSuchProcess):
                postmaster.send_signal(how)
            _wait_until_gone(postmaster)


def running(folder: Path) -> bool:
    """Whether the server accepts connections."""
    cluster = clusters.find(folder.resolve())
    return cluster is not None and _answers(cluster)


def destroy(folder: Path) -> None:
    """Stop the server and delete its databases, for good."""
    _end(folder.resolve(), signal.SIGQUIT)  # at once: what it would still write goes as well
    clusters.remove_private(folder.resolve())
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with _threads, fasteners.InterProcessLock(folder / "lock"):
        yield


def _answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _launch(cluster: Cluster) -> psutil.Process:
    cluster.clear_remains()
    programs = find_programs(cluster.account, cluster.home)
    settings = _SETTINGS | {"unix_socket_directories": f'"{cluster.run}"'}
    options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    server = (str(programs.folder / "postgres"), "-D", str(cluster.data), *options)
    # The shell ends at once, so that init adopts the server, and it never becomes our zombie.
    script = '"$@" >>"$0" 2>&1 & echo $!'
    shell = cluster.account.run("/bin/sh", "-c", script, _log(cluster), *server)
    try:
        return psutil.Process(int(shell.stdout))
    except psutil.NoSuchProcess:  # it has ended already
        raise _not_started(cluster) from None


def _log(cluster: Cluster) -> Path:
    return cluster.run / "server.log"


def _wait_until_ready(cluster: Cluster, postmaster: psutil.Process) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _answers(cluster):
        if not _alive(postmaster) or time.monotonic() > deadline:
            raise _not_started(cluster)
        time.sleep(0.02)


def _not_started(cluster: Cluster) -> EmbeddedPostgresError:
    last = _log(cluster).read_text(errors="replace").strip().splitlines()[-3:]
    return EmbeddedPostgresError(
        f"Postgres did not start ({' / '.join(last)}): see {_log(cluster)}, "
        "or set CINEMATCH_DATABASE_URL"
    )


def _wait_until_gone(postmaster: psutil.Process) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _alive(postmaster):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"Postgres (process {postmaster.pid}) did not stop within {PATIENCE_SECONDS:.0f} s"
            )
        time.sleep(0.02)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

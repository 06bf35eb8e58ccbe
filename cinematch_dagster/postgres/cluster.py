"""A database cluster: where its files are, and which processes are its own.

`<folder>/data` holds the data. As root, when the server's unprivileged user can't reach the
folder (below /root, say), it is a link to `/var/tmp/cinematch-<hash of the folder's path>/data`.
Deleting the folder deletes the cluster: what it left in /var/tmp goes at the next start.
"""

import hashlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

import psutil

from cinematch_dagster.postgres.binaries import find_programs
from cinematch_dagster.postgres.os_user import (
    Account,
    EmbeddedPostgresError,
    owner,
    server_account,
)

_SOCKET = ".s.PGSQL.5432"
_SOCKET_BYTES = 103  # the longest path of a unix socket: 107 on Linux, 103 on macOS
_SUPERUSER = "postgres"
_SHARED = Path("/var/tmp")
_PREFIX = "cinematch-"


@dataclass(frozen=True)
class Cluster:
    """An existing cluster.

    data: the real folder of the data, mode 0700.
    run: the folder of the socket and the server's log, mode 0700.
    account: who owns both and runs the server.
    """

    data: Path
    run: Path
    account: Account

    @property
    def home(self) -> Path:
        """The folder around the data."""
        return self.data.parent

    @property
    def dsn(self) -> str:
        """The address of the database `postgres`, over the unix socket."""
        return f"postgresql://{_SUPERUSER}@/postgres?host={quote(str(self.run))}&port=5432"

    def postmaster(self) -> psutil.Process | None:
        """Return the server's first process; a stale or reused pid, or a zombie, is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().partition("\n")[0])
            process = psutil.Process(pid)
        except (FileNotFoundError, ValueError, psutil.Error):
            return None
        return process if self._owns(process) else None

    def processes(self) -> list[psutil.Process]:
        """Return the server processes of this cluster, orphans of a killed one included."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def clear_remains(self) -> None:
        """End what a killed server left running, and remove the files that name its pid."""
        remains = self.processes()
        for process in remains:
            process.send_signal(signal.SIGKILL)
        while any(self._owns(process) for process in remains):
            time.sleep(0.01)
        for stale in (self.data / "postmaster.pid", *self.run.glob(f"{_SOCKET}*")):
            stale.unlink(missing_ok=True)

    def _owns(self, process: psutil.Process) -> bool:
        # Every server process works in the data folder; a zombie has no working folder.
        try:
            return process.name() == "postgres" and process.cwd() == str(self.data)
        except psutil.Error:
            return False


def find(folder: Path) -> Cluster | None:
    """Return the folder's cluster, if it has one."""
    data = (folder / "data").resolve()
    if not (folder / "data").exists():
        return None
    account = owner(data)
    if os.geteuid() not in (0, account.uid):
        raise EmbeddedPostgresError(
            f"the Postgres cluster in {folder} belongs to user {account.uid}, not to us: remove it "
            "as that user, choose another CINEMATCH_STATE_DIR or set CINEMATCH_DATABASE_URL"
        )
    return Cluster(data, _run_folder(folder, data.parent, account), account)


def create(folder: Path) -> Cluster:
    """Make an empty cluster (trust authentication, UTF-8) for a folder that has none."""
    account = server_account()
    remove_private(folder)
    home = folder if account.can_enter(folder) else _private_folder(folder)
    programs = find_programs(account, home)
    for unfinished in home.glob("initdb-*"):
        # The initdb of a killed starter may still be writing: what is left goes another time.
        shutil.rmtree(unfinished, ignore_errors=True)
    fresh = account.own(Path(mkdtemp(prefix="initdb-", dir=home)))
    options = ["--encoding=UTF8", "--locale=C", "--auth=trust", f"--username={_SUPERUSER}"]
    if programs.version >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    result = account.run(programs.folder / "initdb", "--pgdata", fresh, *options)
    if result.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed in {fresh}: {result.stderr.strip()}")
    data = fresh.rename(home / "data").resolve()
    if home != folder:
        (folder / "data").unlink(missing_ok=True)
        (folder / "data").symlink_to(data)
    return Cluster(data, _run_folder(folder, home, account), account)


def remove_private(folder: Path) -> None:
    """Remove what stands for this folder in /var/tmp, with the server in it."""
    home = _private_path(folder)
    if not home.exists():
        return
    _require_ours(home)
    if (home / "data").exists():
        Cluster(home / "data", home / "run", owner(home / "data")).clear_remains()
    shutil.rmtree(home, ignore_errors=True)


def _run_folder(folder: Path, home: Path, account: Account) -> Path:
    run = home / "run"
    # Postgres and libpq read a comma or a quote as punctuation between several folders.
    if len(os.fsencode(run / _SOCKET)) > _SOCKET_BYTES or {",", '"'} & set(str(run)):
        run = _private_folder(folder) / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    return account.own(run)


def _private_path(folder: Path) -> Path:
    return _SHARED / f"{_PREFIX}{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def is_private(home: Path) -> bool:
    """Whether a folder is what stands for a cluster's folder in /var/tmp."""
    return home.parent == _SHARED and home.name.startswith(_PREFIX)


def _private_folder(folder: Path) -> Path:
    path = _private_path(folder)
    path.mkdir(exist_ok=True)
    _require_ours(path)
    path.chmod(0o711)  # others may pass through it, not look
    return path


def _require_ours(path: Path) -> None:
    if path.is_symlink() or owner(path).uid != os.geteuid():
        raise EmbeddedPostgresError(f"{path} is not ours: remove it or set CINEMATCH_DATABASE_URL")

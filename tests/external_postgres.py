"""The system's own Postgres as a server elsewhere: TCP on 127.0.0.1, passwords, no superuser."""

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from cinematch_dagster.postgres.binaries import OLDEST
from cinematch_dagster.postgres.os_user import Account
from tests.needs import missing
from tests.ports import free_port

PASSWORD = "p@ss/w:rd%&?"
SUPERUSER_PASSWORD = "superuser's"


def system_programs(account: Account) -> Path:
    """The folder of a Postgres that is not the wheel's; skips the test when there is none."""
    folders = [Path(f).resolve().parent for f in [shutil.which("postgres")] if f]
    for folder in (*folders, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)):
        version = re.search(
            r"\(PostgreSQL\) (\d+)", account.run(folder / "postgres", "--version").stdout
        )
        if version and int(version[1]) >= OLDEST:
            return folder
    return missing(f"a Postgres {OLDEST} or later of the system's own", "apt install postgresql")


class ExternalServer:
    """A server in a folder that its user can reach; our own child process."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder = account.own(folder)
        self.account = account
        self.programs = system_programs(account)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        secret = folder / "password"
        secret.write_text(SUPERUSER_PASSWORD)
        result = account.run(
            self.programs / "initdb", "--pgdata", self.data, "--auth=scram-sha-256",
            "--username=owner", f"--pwfile={account.own(secret)}", "--encoding=UTF8", "--locale=C",
            "--no-sync",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        self.start()
        with psycopg.connect(self.dsn("owner", SUPERUSER_PASSWORD, "postgres")) as connection:
            connection.execute(
                f"CREATE ROLE app LOGIN CREATEDB NOSUPERUSER PASSWORD '{PASSWORD}'".encode()
            )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def dsn(self, user: str = "app", password: str = PASSWORD, name: str = "cinematch") -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, *options],
                cwd="/", stdout=log, stderr=log, user=self.account.uid, group=self.account.gid,
                extra_groups=[],
            )  # fmt: skip
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.dsn("owner", SUPERUSER_PASSWORD, "postgres")).close()
            except psycopg.OperationalError:
                assert self.process is not None
                assert self.process.poll() is None, (self.folder / "server.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End all sessions and the server: Postgres' "fast shutdown"."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
            self.process = None

"""The user that runs the embedded server: Postgres refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class EmbeddedPostgresError(RuntimeError):
    """The embedded server can't be had; the message says why and what to do instead."""


@dataclass(frozen=True)
class Account:
    """A user of this machine by its numbers."""

    uid: int
    gid: int

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in a session of its own, and collect what it writes.

        Raises:
            OSError: when this user may not run it.
        """
        switch: dict[str, Any] = {}
        if self.uid != os.geteuid():
            switch = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, start_new_session=True, **switch,
        )  # fmt: skip

    def can_enter(self, folder: Path) -> bool:
        """Whether every folder down to this one may be passed through."""
        return self.run("/bin/sh", "-c", 'cd "$0"', folder).returncode == 0

    def own(self, path: Path) -> Path:
        """Give the path to this user."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path


def current() -> Account:
    """Return the user of this process."""
    return Account(os.geteuid(), os.getegid())


def server_account() -> Account:
    """Return who runs a new server: ourselves, or for root an unprivileged user that exists."""
    if os.geteuid() != 0:
        return current()
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(user.pw_uid, user.pw_gid)
    raise EmbeddedPostgresError(
        "Postgres can't run as root and there is neither a user 'postgres' nor 'nobody': "
        "run as an ordinary user or set CINEMATCH_DATABASE_URL"
    )


def owner(path: Path) -> Account:
    """Return the user that a path belongs to."""
    status = path.stat()
    return Account(status.st_uid, status.st_gid)

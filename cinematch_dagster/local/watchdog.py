"""For tests and benchmarks: what they start ends with them, even when they are killed.

The platform's servers and the embedded Postgres run in sessions of their own and outlive whoever
has started them. A process that calls `end_with_us` marks its environment, which everything
started from then on inherits, and starts a watchdog, which waits until that process is gone and
then ends all that carry the mark. Children that are forked and run no program of their own have
no environment of their own either: they are not found.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from cinematch_dagster.local import processes
from cinematch_dagster.local.processes import OWNER_VARIABLE
from cinematch_dagster.postgres.cluster import is_private

_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 2.0
_ROUNDS = 5  # what is being stopped may start something


def end_with_us() -> None:
    """Let whatever this process starts from now on end with it; a second call changes nothing."""
    if _ours(os.environ.get(OWNER_VARIABLE, "")):
        return
    unmarked = {name: value for name, value in os.environ.items() if name != OWNER_VARIABLE}
    os.environ[OWNER_VARIABLE] = f"{os.getpid()}-{uuid.uuid4().hex}"
    watchdog = (sys.executable, "-m", __name__, os.environ[OWNER_VARIABLE])
    # The shell ends at once: as nobody's child the watchdog is not stopped with our descendants.
    subprocess.run(
        ["/bin/sh", "-c", '"$0" "$@" >/dev/null 2>&1 &', *watchdog],
        env=unmarked,  # the watchdog of whoever started us must leave ours alone
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        check=True,
        start_new_session=True,
    )


def _ours(mark: str) -> bool:
    return mark.partition("-")[0] == str(os.getpid())


def marked(mark: str) -> Iterator[psutil.Process]:
    """Yield the processes that carry a mark and may be looked at."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(OWNER_VARIABLE) == mark and processes.is_alive(process):
                yield process


def end(mark: str) -> None:
    """Stop all that carry a mark; what their Postgres servers keep in /var/tmp goes with them."""
    for _ in range(_ROUNDS):
        left = list(marked(mark))
        homes = {home for process in left if (home := _private_home(process))}
        processes.stop(left, _PATIENCE_SECONDS)
        for home in homes:
            shutil.rmtree(home, ignore_errors=True)
        if not left:
            return


def _private_home(process: psutil.Process) -> Path | None:
    with contextlib.suppress(psutil.Error):
        home = Path(process.cwd()).parent
        return home if process.name() == "postgres" and is_private(home) else None
    return None


def main(mark: str) -> None:
    """Wait until the process that a mark names is gone; then end what it has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        owner = psutil.Process(int(mark.partition("-")[0]))
        while processes.is_alive(owner):
            time.sleep(_LOOK_SECONDS)
    end(mark)


if __name__ == "__main__":
    main(sys.argv[1])

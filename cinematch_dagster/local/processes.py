"""Start processes, wait until they answer, and stop them with everything they started."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from cinematch_dagster.local.signals import default_signals

STOP_SECONDS = 20.0
KILL_SECONDS = 5.0
LOG_VARIABLE = "CINEMATCH_SERVICE_LOG"
"""Every process of a service has the path of its log in its environment: `found` goes by it."""

OWNER_VARIABLE = "ENDS_WITH_PROCESS"
"""Names the process that a process must not outlive, where there is one: `watchdog` goes by it."""


class ProcessError(RuntimeError):
    """A process did not start, or ended on its own; the message says which and where to look."""


@dataclass(frozen=True)
class Service:
    """A server: its command line, where it listens and the path that answers 200 once it is up."""

    name: str
    command: tuple[str, ...]
    port: int
    health: str
    port_setting: str

    @property
    def url(self) -> str:
        """The address that a browser opens."""
        return f"http://127.0.0.1:{self.port}"


def start(service: Service, environment: Mapping[str, str], logs: Path) -> subprocess.Popen[bytes]:
    """Start a service in a session of its own; its output goes to `<logs>/<name>.log`.

    It runs in that folder: where there is a `.env`, Dagster would read it over the environment.

    Raises:
        ProcessError: when there is no such program.
    """
    logs.mkdir(parents=True, exist_ok=True)
    path = _log(service, logs)
    with path.open("wb") as log:
        try:
            return subprocess.Popen(
                service.command,
                env={**_owner(), **environment, LOG_VARIABLE: str(path)},
                cwd=logs,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=default_signals,
            )
        except OSError as error:
            raise ProcessError(
                f"{service.name} did not start: {service.command[0]}: {error.strerror}"
            ) from None


def _owner() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name == OWNER_VARIABLE}


def _log(service: Service, logs: Path) -> Path:
    return logs.resolve() / f"{service.name}.log"


def wait_until_healthy(
    service: Service, process: subprocess.Popen[bytes], logs: Path, seconds: float = 120.0
) -> None:
    """Wait until the service answers.

    Raises:
        ProcessError: when it ended or did not answer in time, naming its log.
    """
    deadline = time.monotonic() + seconds
    with httpx.Client(timeout=2.0) as client:  # making one takes longer than to ask
        while time.monotonic() < deadline:
            require_running(service, process, logs)
            with contextlib.suppress(httpx.TransportError):
                if client.get(service.url + service.health).is_success:
                    return
            time.sleep(0.2)
    raise ProcessError(
        f"{service.name} did not answer within {seconds:.0f} s: see {_log(service, logs)}"
    )


def require_running(service: Service, process: subprocess.Popen[bytes], logs: Path) -> None:
    """Check that a service has not ended on its own.

    Raises:
        ProcessError: naming its exit status (below zero: the signal that killed it) and its log.
    """
    if process.poll() is not None:
        raise ProcessError(
            f"{service.name} ended with status {process.returncode}: see {_log(service, logs)}"
        )


def found(logs: Path) -> dict[str, list[psutil.Process]]:
    """Return what runs of the services whose logs are in a folder, by name.

    A service's processes are those that no other of them has started: the service itself, or the
    orphans that it left.
    """
    marked = dict(_marked(logs.resolve()))
    services: dict[str, list[psutil.Process]] = {}
    for process, name in marked.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.parent() not in marked:
                services.setdefault(name, []).append(process)
    return services


def _marked(logs: Path) -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it ended, or belongs to another account
            log = Path(process.environ().get(LOG_VARIABLE, ""))
            if log.parent == logs and is_alive(process):
                yield process, log.stem


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and all its descendants; nothing when it is gone."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident_bytes(process: psutil.Process) -> int:
    """Return the memory of a process and its descendants, in bytes; those that ended have none."""
    total = 0
    for member in family(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += member.memory_info().rss
    return total


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not, nor does another process that was given its pid."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stop(processes: Sequence[psutil.Process], patience: float | None = None) -> None:
    """Stop processes and all their descendants: politely first, by force after 20 s, or less."""
    everyone = [member for process in processes for member in family(process)]
    _signal(processes, signal.SIGTERM)
    _wait_until_gone(processes, STOP_SECONDS if patience is None else patience)
    left = [process for process in everyone if is_alive(process)]
    _signal(left, signal.SIGTERM)
    stubborn = _wait_until_gone(left, KILL_SECONDS if patience is None else patience)
    _signal(stubborn, signal.SIGKILL)
    _wait_until_gone(stubborn, KILL_SECONDS)


def _signal(processes: Sequence[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _wait_until_gone(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the end of processes, which need not be ours; return those that are left."""
    deadline = time.monotonic() + seconds
    while (alive := [p for p in processes if is_alive(p)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive

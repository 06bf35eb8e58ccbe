"""Start processes, wait until they answer, and stop them with everything they started."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

STOP_SECONDS = 20.0


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
        """Where a person reaches it."""
        return f"http://127.0.0.1:{self.port}"


def require_free_ports(services: Sequence[Service]) -> None:
    """Refuse to start when a port is taken.

    Raises:
        ProcessError: naming the service, the port and the setting that moves it.
    """
    for service in services:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", service.port))
            except OSError:
                raise ProcessError(
                    f"port {service.port} of {service.name} is taken: "
                    f"free it or set {service.port_setting} to another"
                ) from None


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(service: Service, environment: Mapping[str, str], logs: Path) -> subprocess.Popen[bytes]:
    """Start a service in a session of its own; its output goes to `<logs>/<name>.log`."""
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{service.name}.log").open("wb") as log:
        return subprocess.Popen(
            service.command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_default_signals,  # a shell's `&` hands down ignored signals
        )


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def wait_until_healthy(
    service: Service, process: subprocess.Popen[bytes], logs: Path, seconds: float = 120.0
) -> None:
    """Wait until the service answers.

    Raises:
        ProcessError: when it ended or did not answer in time, naming its log.
    """
    log = logs / f"{service.name}.log"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ProcessError(f"{service.name} ended with status {process.returncode}: see {log}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(service.url + service.health, timeout=2.0).is_success:
                return
        time.sleep(0.2)
    raise ProcessError(f"{service.name} did not answer within {seconds:.0f} s: see {log}")


def stop(processes: Sequence[psutil.Process]) -> None:
    """Stop processes and all their descendants: politely first, by force after 20 s."""
    trees = [p for root in processes for p in (*_descendants(root), root)]
    for root in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            root.terminate()
    _, alive = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    left = [p for p in trees if p.is_running() and p not in alive] + alive
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=5.0)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5.0)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def remember(path: Path, pids: Mapping[str, int]) -> None:
    """Write which processes run; a start time beside each pid tells a reused pid apart."""
    started = {name: [pid, psutil.Process(pid).create_time()] for name, pid in pids.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(started))
    temporary.replace(path)


def remembered(path: Path) -> dict[str, psutil.Process]:
    """Return the remembered processes that still run."""
    if not path.is_file():
        return {}
    running: dict[str, psutil.Process] = {}
    for name, (pid, created) in json.loads(path.read_text()).items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1.0:
                running[name] = process
    return running

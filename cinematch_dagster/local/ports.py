"""Ports of 127.0.0.1: chosen together, kept until the servers that are to have them run."""

import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from cinematch_dagster.local.processes import ProcessError, Service

_KEPT = sys.platform == "linux"


class PortTakenError(ProcessError):
    """A port of a service is used by another process; the message names the setting that moves it.

    Starting again with another port helps.
    """


@contextmanager
def reserved(count: int = 1) -> Iterator[tuple[int, ...]]:
    """Give different ports that no other socket is given inside the block.

    Each is bound, and nobody listens on it: connections are refused. Linux hands such a port to
    nobody who asks for any port, and lets a server that asks for this one and sets SO_REUSEADDR
    (uvicorn, Postgres and `http.server` do) listen on it all the same. Where the system would
    refuse the server as well, the ports are let go, all together, as the block begins.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(_bound(0)) for _ in range(count)]
        ports = tuple(int(probe.getsockname()[1]) for probe in sockets)
        if not _KEPT:
            stack.close()
        yield ports


def require_free(services: Sequence[Service]) -> None:
    """Refuse to start when a port is taken, or meant for two services.

    Raises:
        PortTakenError: naming the service, the port and the setting that moves it.
        ProcessError: when this user may not listen on it.
    """
    with ExitStack() as probes:
        for service in services:
            try:
                probes.enter_context(_bound(service.port)).listen()
            except PermissionError:
                problem = _refused(service, "is not allowed to an ordinary user")
                raise ProcessError(problem) from None
            except OSError:
                raise PortTakenError(_refused(service, "is taken")) from None


def _refused(service: Service, problem: str) -> str:
    return (
        f"port {service.port} of {service.name} {problem}: "
        f"free it or set {service.port_setting} to another"
    )


def _bound(port: int) -> socket.socket:
    probe = socket.socket()
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    except OSError:
        probe.close()
        raise
    return probe

"""A wire to a server that can be cut and mended."""

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict

Connect = Callable[[], socket.socket]


class Wire:
    """Passes bytes on between a listening socket and a server; cut, it refuses and hangs up."""

    def __init__(self, listening: socket.socket, connect: Connect) -> None:
        self._listening, self._connect = listening, connect
        self._whole = True
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Hang up, and on whoever calls."""
        self._whole = False
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def mend(self) -> None:
        """Pass on again."""
        self._whole = True

    def close(self) -> None:
        """Cut it for good."""
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                if not self._whole:
                    near.close()
                    continue
                far = self._connect()
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError), source:
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to_url(url: str) -> Iterator[tuple[Wire, str]]:
    """Give a wire to an HTTP server, and the address at its near end."""
    port = int(url.rpartition(":")[2])
    listening = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listening, lambda: socket.create_connection(("127.0.0.1", port)))
    yield wire, f"http://127.0.0.1:{listening.getsockname()[1]}"
    wire.close()


@contextmanager
def wire_to_postgres(dsn: str) -> Iterator[tuple[Wire, str]]:
    """Give a wire to a database on a unix socket, and the DSN at its near end."""
    known = conninfo_to_dict(dsn)
    name = f".s.PGSQL.{known.get('port', 5432)}"

    def connect() -> socket.socket:
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{known['host']}/{name}")
        return far

    folder = tempfile.mkdtemp(prefix="wire-", dir="/tmp")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{folder}/{name}")
    listening.listen()
    wire = Wire(listening, connect)
    yield wire, dsn.replace(str(known["host"]), folder)
    wire.close()
    shutil.rmtree(folder)

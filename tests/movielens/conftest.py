from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.movielens.sources.archive_server import ArchiveServer, Handler


@pytest.fixture
def archive_server() -> Iterator[ArchiveServer]:
    server = ArchiveServer(("127.0.0.1", 0), Handler)
    server.ranges = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from tests.movielens.sources.archive_server import ArchiveServer


@pytest.fixture
def archive_server(httpserver: HTTPServer) -> ArchiveServer:
    return ArchiveServer(httpserver)

"""Ports for tests."""

import atexit
from contextlib import ExitStack

from cinematch_dagster.local.ports import reserved

_reserved = ExitStack()
atexit.register(_reserved.close)


def free_port() -> int:
    """A port that nobody listens on and nobody else is given until this process ends."""
    (port,) = _reserved.enter_context(reserved())
    return port

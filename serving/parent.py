"""A worker ends with the process that started it, however that ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

SECONDS_TO_END = 5.0
"""From the signal to end in good order to the end in any."""


def end_with_parent() -> None:
    """Have a thread wait for the end of the parent; nothing to do in a process without one."""
    if multiprocessing.parent_process() is not None:
        threading.Thread(target=_end_after_it, name="parent", daemon=True).start()


def _end_after_it() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SECONDS_TO_END)
        os._exit(1)

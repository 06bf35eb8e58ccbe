"""The signals that end a program: they become an exception, and cleaning up outlasts them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def default_signals() -> None:
    """Forget that a shell's `&` hands down an ignored SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def raise_on_signals() -> None:
    """Let each of `ENDING` raise KeyboardInterrupt, so that `with` blocks clean up.

    SIGHUP stays ignored where it is (`nohup`).
    """
    for number in ENDING:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back the signals of `ENDING` until the end of the block; main thread only."""
    held: set[int] = set()

    def hold(number: int, _: FrameType | None) -> None:
        held.add(number)

    before = {number: signal.signal(number, hold) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for arrived in held:
            signal.raise_signal(arrived)

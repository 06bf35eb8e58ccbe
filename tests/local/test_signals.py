import os
import signal
import sys
import time

import pytest

from cinematch_dagster.local.signals import ENDING, raise_on_signals, uninterrupted

pytestmark = pytest.mark.usefixtures("_signals_restored")


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_a_block_through_its_clean_up(number: signal.Signals) -> None:
    raise_on_signals()
    cleaned = []

    def work() -> None:
        try:
            signal.raise_signal(number)
            time.sleep(60)
        finally:
            cleaned.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert cleaned == [True]


def test_an_ignored_interrupt_counts_again_and_an_ignored_hangup_does_not() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # `command &` in a script
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # `nohup command`
    raise_on_signals()
    signal.raise_signal(signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", ENDING)
def test_signals_wait_for_the_end_of_an_uninterrupted_block(number: signal.Signals) -> None:
    raise_on_signals()
    done = []

    def work() -> None:
        with uninterrupted():
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            done.append("to the end")
        pytest.fail("the signal was lost")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["to the end"]


def test_an_uninterrupted_block_leaves_the_handlers_as_they_were() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = [signal.getsignal(number) for number in ENDING]
    with uninterrupted():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    assert [signal.getsignal(number) for number in ENDING] == before


def test_an_exception_passes_through_an_uninterrupted_block() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with pytest.raises(ValueError, match="mine"), uninterrupted():
        raise ValueError("mine")
    assert [signal.getsignal(number) for number in ENDING] == before
    assert sys.exc_info() == (None, None, None)

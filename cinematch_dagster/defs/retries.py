"""How often a step is tried again when the fault may pass: a network, a restart, a full queue."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from cinematch_dagster.defs.definition_settings import RETRY_DELAY_SECONDS

#: Three tries in all. What won't pass is `final`.
transient_faults = dg.RetryPolicy(
    max_retries=2,
    delay=RETRY_DELAY_SECONDS,
    backoff=dg.Backoff.EXPONENTIAL,
    jitter=dg.Jitter.PLUS_MINUS,
)


@contextmanager
def final(*errors: type[Exception]) -> Iterator[None]:
    """Turn errors that another try would meet again into a failure that is not retried."""
    try:
        yield
    except errors as error:
        raise dg.Failure(str(error), allow_retries=False) from error

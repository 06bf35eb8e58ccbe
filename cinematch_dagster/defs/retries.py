"""How often a step is tried again when the fault may pass: a network, a restart, a full queue."""

import dagster as dg

from cinematch_dagster.settings import load_settings

#: Three tries in all. A fault that won't pass is a `dg.Failure(allow_retries=False)`.
transient_faults = dg.RetryPolicy(
    max_retries=2,
    delay=load_settings().orchestration.retry_delay_seconds,
    backoff=dg.Backoff.EXPONENTIAL,
    jitter=dg.Jitter.PLUS_MINUS,
)

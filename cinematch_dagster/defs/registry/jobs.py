"""`rollback_production`: production goes back to a version that served before."""

import dagster as dg

from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.settings import Settings


class RollbackConfig(dg.Config):
    """What a person fills in when launching the job.

    Attributes:
        version: to go back to; empty for the one that the present version replaced.
        reason: kept in `promotions`.
        who: asks for it.
    """

    version: str = ""
    reason: str = "no reason given"
    who: str = "a person in Dagster's UI"


@dg.op
def roll_back_production(
    context: dg.OpExecutionContext,
    config: RollbackConfig,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> None:
    """Record the rollback and move the alias, which the API follows."""
    from cinematch_dagster.pipeline.registry.rollback import roll_back

    done = roll_back(
        warehouse.dsn,
        settings,
        config.version or None,
        why=config.reason,
        who=config.who,
        dagster_run_id=context.run_id,
    )
    context.log.info(done.reason)
    context.add_output_metadata(
        {"version": done.version, "from": done.from_version or "none", "reason": done.reason}
    )


@dg.job(
    tags={"dagster/max_retries": "0"},  # twice goes back by two
    description=(
        "Take production back to the version that the present one replaced, or to the one in the "
        "configuration. The API follows within seconds; the row in promotions says who and why."
    ),
)
def rollback_production() -> None:
    """One op: no data is touched, so nothing has to wait for the pool of the retrainings."""
    roll_back_production()

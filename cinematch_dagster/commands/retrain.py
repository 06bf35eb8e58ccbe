"""`cinematch retrain`: train, compare and promote without Dagster's servers, for one week."""

import datetime
import json
import sys
from contextlib import redirect_stdout
from typing import Annotated, Any

import httpx
import typer

from cinematch_dagster.batches.weeks import monday_of
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.pipeline.retraining.decide import mark_trigger_failed
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.registry.promotions import Promotion, promotion_of_run
from cinematch_dagster.warehouse.retraining.decisions import Decision, pending_decision
from cinematch_dagster.warehouse.training.model_metrics import latest_run

JOB = "trigger_retraining"


class RetrainingError(RuntimeError):
    """The run failed, or its outcome could not be reported; the message says which."""


def retrain(
    week: Annotated[
        str | None,
        typer.Option(help="A Monday or a batch; without it, what was decided and not yet done."),
    ] = None,
    report_to: Annotated[
        str | None, typer.Option(help="Address of a Dagster web server that shows the outcome.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Do here what the job `trigger_retraining` does: train, compare, promote or keep."""
    settings = load_settings()
    dsn = warehouse_dsn(settings)
    with connect(dsn) as connection:
        decision = None if week else pending_decision(connection)
    monday = monday_of(week, settings.data.first_week) if week else _target(decision)
    if monday is None:
        typer.echo("null" if as_json else "Nothing to retrain: every decision was carried out.")
        return
    run_id = _run(dsn, monday, decision)
    with connect(dsn) as connection:
        trained = latest_run(connection, monday)
        outcome = promotion_of_run(connection, trained) if trained else None
    assert outcome is not None
    shown = _outcome(outcome) | {"dagster_run_id": run_id}
    if report_to:
        _report(report_to, monday, shown)
    typer.echo(json.dumps(shown, indent=2) if as_json else outcome.reason)


def _target(decision: Decision | None) -> datetime.date | None:
    return decision.target_week if decision else None


def _run(dsn: str, week: datetime.date, decision: Decision | None) -> str:
    """Run the job inside this process; a failure opens the decision's alerts again."""
    import dagster as dg  # 3 s, and only this command needs it

    from cinematch_dagster.definitions import defs

    # MLflow writes to stdout, which holds the outcome and nothing else.
    with dg.DagsterInstance.ephemeral() as instance, redirect_stdout(sys.stderr):
        result = defs.resolve_job_def(JOB).execute_in_process(
            instance=instance, partition_key=week.isoformat(), raise_on_error=False
        )
    if not result.success:
        failed = [str(event.step_key) for event in result.get_step_failure_events()]
        steps = ", ".join(failed) or "before its first step"
        why = f"the retraining of week {week} failed ({steps}): the log above says why"
        if decision:
            with connect(dsn) as connection:
                mark_trigger_failed(connection, decision.run_key, why)
        raise RetrainingError(why)
    return result.run_id


def _outcome(promotion: Promotion) -> dict[str, Any]:
    return {
        "week": promotion.week.isoformat(),
        "version": promotion.version,
        "promoted": promotion.promoted,
        "reason": promotion.reason,
        "mlflow_run_id": promotion.mlflow_run_id,
    }


def _report(url: str, week: datetime.date, outcome: dict[str, Any]) -> None:
    """Mark the week's partitions as materialized in Dagster's UI."""
    for asset in ("trained_model", "production_registration"):
        address = f"{url.rstrip('/')}/report_asset_materialization/{asset}"
        body = {"partition": week.isoformat(), "metadata": outcome}
        try:
            httpx.post(address, json=body, timeout=30.0).raise_for_status()
        except httpx.HTTPError as error:
            raise RetrainingError(f"{address} could not be told: {error}") from None

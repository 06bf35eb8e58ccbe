"""Which model is in production, since when and why; and what a promotion does to the buffer."""

import datetime
from dataclasses import asdict, dataclass
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cinematch_dagster.warehouse.schema import lock_ratings
from cinematch_dagster.warehouse.statements import query, scalar

Policy = Literal["merge", "clear", "archive"]


class ConservationError(RuntimeError):
    """Moving the buffer lost or made rows; the transaction must be rolled back."""


@dataclass(frozen=True)
class Promotion:
    """A decision about a challenger, promoted or not, or a rollback to a version that served.

    Attributes:
        version: of the registry; `from_version` is what was in production before.
        week: through which the challenger was trained.
        buffer_policy: what happened to the buffer; None when it was left alone.
        scores: the figures that were compared, ready for JSON.
        decided_at: given by the database.
        rolled_back_by: who took production back to this version; None when the gate decided.
    """

    version: str
    from_version: str | None
    week: datetime.date
    promoted: bool
    reason: str
    mlflow_run_id: str
    dagster_run_id: str
    buffer_policy: Policy | None
    scores: dict[str, Any]
    decided_at: datetime.datetime | None = None
    rolled_back_by: str | None = None


def record_promotion(connection: psycopg.Connection, promotion: Promotion) -> None:
    """Write a decision, and the version into the model's metrics; a run's first one stays."""
    values = asdict(promotion) | {"scores": Jsonb(promotion.scores)}
    connection.execute(query("registry/promotion_insert"), values)
    connection.execute(
        query("training/metrics_version"), {"mlflow_run_id": promotion.mlflow_run_id}
    )


def promotion_of_run(connection: psycopg.Connection, mlflow_run_id: str) -> Promotion | None:
    """Return the decision about a training run's model, if it was made."""
    with connection.cursor(row_factory=class_row(Promotion)) as cursor:
        return cursor.execute(
            query("registry/promotion_of_run"), {"mlflow_run_id": mlflow_run_id}
        ).fetchone()


def in_production(
    connection: psycopg.Connection,
    at: datetime.datetime | None = None,
    *,
    before: datetime.date | None = None,
) -> Promotion | None:
    """Return what is in production; None before the first promotion.

    Args:
        connection: used within its current transaction.
        at: what was in production at that moment.
        before: what the week with this Monday found: the last one promoted for an earlier week, or
            the one that production was taken back to before the week's ratings arrived.
    """
    with connection.cursor(row_factory=class_row(Promotion)) as cursor:
        return cursor.execute(
            query("registry/in_production"), {"at": at, "before": before}
        ).fetchone()


def merge_buffer(
    connection: psycopg.Connection, through: datetime.date, version: str, policy: Policy
) -> int:
    """Empty the buffer up to a week after a promotion; return how many rows left it.

    'merge' moves them into `ratings`, the held-out ones as 'test', the others as 'train'; 'archive'
    moves them into `ratings_archive`; 'clear' deletes them.

    Args:
        connection: used within its current transaction.
        through: the promoted model's week.
        version: of the promoted model.
        policy: as above.

    Raises:
        ConservationError: the rows that left are not those that were loaded.
    """
    lock_ratings(connection)
    moved = connection.execute(query(f"registry/buffer_{policy}"), {"through": through}).rowcount
    marked = {"through": through, "version": version}
    loaded = int(scalar(connection, query("registry/buffer_mark_merged"), marked))
    if moved != loaded:
        raise ConservationError(
            f"{moved} rows of the buffer up to {through} were to be moved with policy {policy!r} "
            f"(expected the {loaded} that were loaded)"
        )
    return moved

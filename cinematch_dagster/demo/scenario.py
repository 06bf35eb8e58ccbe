"""The demo, week by week: what is done by hand is done here, the rest is the platform's work.

By hand: the first preparation and the first training are launched, and batch files are dropped
into the landing folder. Everything else (loading, testing for drift, deciding, retraining,
comparing, promoting, merging, swapping the served model) is waited for.
"""

import datetime
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from rich.console import Console

from cinematch_dagster.batches.weeks import WEEK, batch_id, week_zero
from cinematch_dagster.demo import measured
from cinematch_dagster.demo.orchestrator import Orchestrator
from cinematch_dagster.demo.traffic import Traffic
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.pipeline.operations.pages import outdated
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from serving.base.files import replacing

PATIENCE_SECONDS = 900.0
"""A failed run ends the wait at once, so this only has to be long enough for millions of rows."""


class Scenario:
    """One run of the demo on a platform that runs already.

    Args:
        settings: of the running platform.
        console: where progress is shown.
    """

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.api = f"http://127.0.0.1:{settings.api_port}"
        self.dagster = Orchestrator(f"http://127.0.0.1:{settings.dagster_port}")
        self.seconds: dict[str, float] = {}
        self.dsn = warehouse_dsn(settings)

    def run(self) -> dict[str, Any]:
        """Run the whole scenario; return what was measured (the contents of `report.json`)."""
        first_week = self.settings.data.first_week
        with self._stage("prepare and load the data"):
            self.dagster.run_job("data_preparation", seconds=PATIENCE_SECONDS)
        with self._stage("train and promote the first model"):
            week = week_zero(first_week).isoformat()
            self.dagster.run_job("trigger_retraining", week, PATIENCE_SECONDS)
        with self._stage("the API picks the model up"):
            self._wait("a model in the API", self._model_loaded, 60)
        files = self._batch_files()
        with Traffic(self.api, measured.followed_user(self.settings.prepared_dir)) as traffic:
            before = traffic.ask()
            for number, file in enumerate(files):
                self._week(first_week + number * WEEK, file)
            with self._stage("the API serves what was promoted last"):
                version = measured.production(self._connect)["version"]
                self._wait("the new model in the API", lambda: version in traffic.by_version, 60)
            after = traffic.ask()
            with self._stage("the pages show what was decided"):
                self._wait("pages of the present state", self._pages_are_current, 60)
            with self._stage("the last batch once more"):
                again = self._drop_again(files[-1])
        self.dagster.close()
        return {
            "profile": self.settings.profile,
            "weeks": measured.weeks(self._connect),
            "decisions": measured.decisions(self._connect),
            "models": measured.models(self._connect),
            "serving": measured.serving(self._connect, traffic, before, after),
            "dropped_again": again,
            "database_megabytes": measured.database_megabytes(self._connect),
            "seconds": self.seconds,
        }

    def _connect(self) -> psycopg.Connection:
        return connect(self.dsn)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        with self.console.status(f"{name} …"):
            yield
        self.seconds[name] = round(time.monotonic() - started, 1)
        self.console.print(f"  {self.seconds[name]:6.1f} s  {name}")

    def _wait(self, what: str, ready: Any, seconds: float) -> None:
        self.dagster.wait_for(what, ready, seconds)

    def _model_loaded(self) -> bool:
        return bool(httpx.get(f"{self.api}/health").json()["model_loaded"])

    def _pages_are_current(self) -> bool:
        with self._connect() as connection:
            return not outdated(connection, self.settings.reports_dir)

    def _batch_files(self) -> list[Path]:
        prepared = self.settings.prepared_dir
        regular = [
            prepared / "buffer_batches" / f"{self._batch_id(n)}.parquet"
            for n in range(self.settings.data.batches)
        ]
        return [*regular, *sorted((prepared / "injected_batches").glob("*.parquet"))]

    def _batch_id(self, number: int) -> str:
        return batch_id(
            self.settings.data.first_week + number * WEEK, self.settings.data.first_week
        )

    def _drop(self, file: Path) -> None:
        with replacing(self.settings.landing_dir / file.name) as partial:
            shutil.copyfile(file, partial)

    def _week(self, week: datetime.date, file: Path) -> None:
        with self._stage(f"{file.stem}: load, test for drift, decide"):
            self._drop(file)
            self._wait(
                f"the decision on {file.stem}", lambda: self._decided(week), PATIENCE_SECONDS
            )
        if not self._retrained():
            with self._stage(f"{file.stem}: retrain, compare, promote"):
                self._wait("the retraining's decision", self._retrained, PATIENCE_SECONDS)

    def _decided(self, week: datetime.date) -> bool:
        with self._connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM retraining_decisions WHERE %s = ANY (weeks)", [week]
            ).fetchone()
        return bool(row and row[0])

    def _retrained(self) -> bool:
        """Every retraining that was decided on has been compared with the champion."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM retraining_decisions d WHERE decision = 'trigger_actual'"
                " AND NOT EXISTS (SELECT FROM promotions p WHERE p.week = d.target_week)"
            ).fetchone()
        return bool(row and row[0] == 0)

    def _drop_again(self, file: Path) -> dict[str, Any]:
        before = measured.counts(self._connect)
        since = time.time()
        runs = len(self.dagster.runs())
        self._drop(file)
        said: list[str] = []

        def answered() -> bool:
            reason = self.dagster.skip_reason("landing_folder_sensor", since, file.stem)
            said.extend([reason] if reason and "nothing changes" in reason else [])
            return bool(said)

        self._wait("the sensor's answer to the repeated batch", answered, 60)
        return {
            "batch_id": file.stem,
            "said": said[0],
            "runs_started": len(self.dagster.runs()) - runs,
            "rows_before": before,
            "rows_after": measured.counts(self._connect),
        }

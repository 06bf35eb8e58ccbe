"""A platform as `cinematch up` runs it, and hands on its processes, locks and invariants."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import psycopg
from mlflow import MlflowClient

from cinematch_dagster.local import platform, processes
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.local.processes import Service
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from tests.builders import week as monday
from tests.e2e.person import Person, wait

__all__ = ["GOING_ON", "MODEL", "SENSORS", "Platform", "environment", "monday"]

MODEL = "cinematch_recommender"
SENSORS = ("landing_folder_sensor", "drift_alert_sensor", "follow_up_sensor")
GOING_ON = ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"]


class Platform:
    """The platform of a user who has set `environment`, in processes of its own."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self.settings = settings
        self.environment = environment
        self.up: subprocess.Popen[bytes] | None = None
        self.beside: dict[str, subprocess.Popen[bytes]] = {}

    @cached_property
    def person(self) -> Person:
        return Person(f"http://127.0.0.1:{self.settings.dagster_port}")

    @cached_property
    def mlflow(self) -> MlflowClient:
        return MlflowClient(self.settings.tracking_uri)

    def start(self) -> None:
        """Run `cinematch up` and wait until it has said that it waits for Ctrl-C."""
        log = self.settings.state_dir.parent / "up.log"
        command = [str(Path(sys.executable).with_name("cinematch")), "up"]
        with log.open("wb") as output:
            self.up = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )

        def is_up() -> bool:
            assert self.up is not None
            assert self.up.poll() is None, log.read_text()
            return "Ctrl-C" in log.read_text()

        wait(is_up, seconds=180)

    def stop(self) -> None:
        """Do what `cinematch down` does."""
        platform.stop(self.settings)
        if self.up:
            self.up.wait(timeout=60)
            self.up = None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    @cached_property
    def dsn(self) -> str:
        return warehouse_dsn(self.settings)

    # --- faults ---

    @contextmanager
    def held(self, table: str, mode: str = "EXCLUSIVE") -> Iterator[Callable[[], None]]:
        """Hold a table's lock, so that whoever writes to it stands still in the midst of its work.

        Yields:
            what waits until somebody stands still.
        """
        with contextlib.suppress(psycopg.OperationalError), connect(self.dsn) as connection:
            connection.execute(f"LOCK TABLE {table} IN {mode} MODE".encode())
            waiting = f"SELECT FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
            yield lambda: wait(lambda: connection.execute(waiting.encode()).rowcount > 0, 180)

    def restart_postgres(self) -> None:
        """Stop the server as `pg_ctl restart -m fast` does: every session is thrown out."""
        cluster = self.settings.state_dir / "postgres"
        embedded.stop(cluster)
        time.sleep(1.0)
        embedded.start(cluster)

    def stop_mlflow(self) -> None:
        self.stop_beside("mlflow")

    def start_mlflow(self) -> None:
        """Start MLflow as a server elsewhere: `cinematch up` neither starts nor watches it."""
        own = self.settings.model_copy(update={"mlflow_tracking_uri": None})
        service = next(s for s in platform.services(own) if s.name == "mlflow")
        self.start_beside(service)

    def start_beside(self, service: Service) -> None:
        """Start a server in the platform's environment, of which `cinematch up` knows nothing."""
        with environment(self.environment):
            variables = platform.environment(self.settings, self.dsn)
        process = processes.start(service, variables, self.elsewhere)
        self.beside[service.name] = process
        processes.wait_until_healthy(service, process, self.elsewhere)

    def stop_beside(self, name: str) -> None:
        processes.stop(processes.found(self.elsewhere).get(name, []))
        if process := self.beside.pop(name, None):
            process.wait(timeout=60)

    @property
    def elsewhere(self) -> Path:
        """The folder of the logs of servers beside the platform."""
        return self.settings.state_dir.parent / "elsewhere"

    def dagster_processes(self, containing: str) -> list[psutil.Process]:
        """Those of Dagster whose command line holds a text."""
        roots = processes.found(platform.logs(self.settings)).get("dagster", [])
        return [
            process
            for root in roots
            for process in processes.family(root)
            if containing in " ".join(process.cmdline())
        ]

    # --- what must hold ---

    def is_quiet(self) -> bool:
        """Whether no run is going on or about to be tried again."""
        for run in self.person.runs(statuses=["FAILURE"]):
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            if tags.get("dagster/will_retry") == "true" and "dagster/auto_retry_run_id" not in tags:
                return False
        return not self.person.runs(statuses=GOING_ON)

    def is_settled(self) -> bool:
        """Whether nothing runs, and every sensor has looked since and asks for nothing."""
        since, runs = time.time(), len(self.person.runs())
        waiting = set(SENSORS)
        while waiting and time.time() < since + 30:
            time.sleep(0.5)
            waiting -= {name for name in waiting if self.person.skip_reason(name, since, "")}
        return not waiting and self.is_quiet() and len(self.person.runs()) == runs

    def must_be_sound(self) -> None:
        """Rows are conserved, one version is in production, and nothing is left half done."""
        wait(self.is_settled, seconds=300)
        self._rows_are_conserved()
        self._registry_agrees()
        experiment = self.mlflow.get_experiment_by_name("cinematch")
        if experiment:
            running = self.mlflow.search_runs(
                [experiment.experiment_id], "attributes.status = 'RUNNING'"
            )
            assert running == [], "MLflow runs were left running"

    def _rows_are_conserved(self) -> None:
        loaded, held, counted = self.rows(
            "SELECT (SELECT sum(record_count) FROM ingestion_metadata WHERE status = 'completed'),"
            " (SELECT count(*) FROM ratings) + (SELECT count(*) FROM ratings_buffer)"
            " + (SELECT count(*) FROM ratings_archive), (SELECT sum(n) FROM rating_histogram)"
        )[0]
        assert loaded == held == counted

    def _registry_agrees(self) -> None:
        decided = self.rows("SELECT version FROM promotions WHERE rolled_back_by IS NULL")
        known = self.mlflow.search_model_versions(f"name = '{MODEL}'")
        assert sorted(v.version for v in known) == sorted(version for (version,) in decided)
        now = "SELECT version FROM promotions WHERE promoted ORDER BY id DESC LIMIT 1"
        ((version,),) = self.rows(now)
        assert self.mlflow.get_model_version_by_alias(MODEL, "production").version == version
        stages = {v.version: v.tags["stage"] for v in known}
        assert [v for v, stage in stages.items() if stage == "Production"] == [version]
        assert set(stages.values()) <= {"Production", "None"}


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Have these variables and no others of the platform's within the block."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

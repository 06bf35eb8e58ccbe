"""`cinematch demo`: a platform of its own, the scenario on it, the table of what was measured."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from cinematch_dagster.demo.orchestrator import OrchestrationError
from cinematch_dagster.demo.scenario import Scenario
from cinematch_dagster.demo.show import show
from cinematch_dagster.local import platform
from cinematch_dagster.local.ports import PortTakenError, reserved
from cinematch_dagster.local.processes import Service
from cinematch_dagster.pipeline.preparation.prepare import fetch_dataset
from cinematch_dagster.settings import SAMPLE, Settings, read_settings
from serving.base.files import replace_text

_PORTS = ("dagster_port", "mlflow_port", "api_port")


def demo_settings(profile: str = SAMPLE) -> Settings:
    """Return a profile with a state folder and servers that no other platform uses."""
    folder = "demo" if profile == SAMPLE else f"demo-{profile}"
    state = read_settings(profile=profile).state_dir / folder / "state"
    return read_settings(
        profile=profile,
        state_dir=state,
        prepared_root=state,
        database_url=None,
        mlflow_tracking_uri=None,
    )


@contextmanager
def started(settings: Settings, on_ready: Callable[[Service], None]) -> Iterator[Settings]:
    """Run the platform on ports that are free; give its settings with them.

    Raises:
        ProcessError: when it does not come up, five times for the sake of a port.
    """
    chosen, running = _start(settings, on_ready)
    with running:
        yield chosen


@retry(retry=retry_if_exception_type(PortTakenError), stop=stop_after_attempt(5), reraise=True)
def _start(settings: Settings, on_ready: Callable[[Service], None]) -> tuple[Settings, ExitStack]:
    with ExitStack() as stack:
        found = stack.enter_context(reserved(len(_PORTS)))
        chosen = settings.model_copy(update=dict(zip(_PORTS, found, strict=True)))
        stack.enter_context(platform.running(chosen, on_ready))
        return chosen, stack.pop_all()


def run_demo(console: Console, profile: str = SAMPLE, source: Path | None = None) -> Path:
    """Run the scenario of a profile from a clean state; return the path of its `report.json`.

    Args:
        console: where progress and the tables are shown.
        profile: name of a file in `workflow_config/profiles/`.
        source: zip or folder of the profile's dataset; see `movielens.fetch`.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    settings = demo_settings(profile)
    if read_settings(profile=profile).database_url:
        console.print("The database that the settings name is left alone: the demo has its own.")
    fetch_dataset(settings, source)
    platform.stop(settings)
    shutil.rmtree(settings.state_dir, ignore_errors=True)
    console.print("Starting Postgres, MLflow, Dagster and the API …")

    def ready(service: Service) -> None:
        console.print(f"  {service.name:<8} {service.url}")

    with started(settings, ready) as settings:
        try:
            report = Scenario(settings, console).run()
        except OrchestrationError as error:
            raise OrchestrationError(f"{error}: see {platform.logs(settings)}") from None
    path = settings.state_dir.parent / "report.json"
    replace_text(path, json.dumps(report, indent=2, default=str) + "\n")
    show(report, console)
    console.print(f"\nAll of it: {path}", soft_wrap=True)
    console.print(f"To look around: {_variables(settings)} make up", soft_wrap=True)
    return path


def _variables(settings: Settings) -> str:
    """Return what another command needs in its environment to find this state."""
    profile = "" if settings.profile == SAMPLE else f"CINEMATCH_PROFILE={settings.profile} "
    return f"{profile}CINEMATCH_STATE_DIR={settings.state_dir}"

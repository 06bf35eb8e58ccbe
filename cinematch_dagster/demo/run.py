"""`cinematch demo`: a platform of its own, the story on it, the table of what was measured."""

import json
import os
import shutil
from pathlib import Path

from rich.console import Console

from cinematch_dagster.demo.orchestrator import OrchestrationError
from cinematch_dagster.demo.scenario import Story
from cinematch_dagster.demo.show import show
from cinematch_dagster.local import platform
from cinematch_dagster.local.processes import Service, free_port
from cinematch_dagster.pipeline.preparation.prepare import fetch_dataset
from cinematch_dagster.settings import SAMPLE, Settings, read_settings
from serving.base.files import replace_text


def demo_settings(profile: str = SAMPLE) -> Settings:
    """Return a profile with a state folder, servers and ports that no other platform uses."""
    ports = {f"{name}_port": free_port() for name in ("dagster", "mlflow", "api")}
    folder = "demo" if profile == SAMPLE else f"demo-{profile}"
    state = read_settings(profile=profile).state_dir / folder / "state"
    return read_settings(
        profile=profile, state_dir=state, database_url=None, mlflow_tracking_uri=None, **ports
    )


def run_demo(console: Console, profile: str = SAMPLE, source: Path | None = None) -> Path:
    """Run the story of a profile from a clean state; return the path of its `report.json`.

    Args:
        console: where progress and the tables are shown.
        profile: name of a file in `workflow_config/profiles/`.
        source: zip or folder of the profile's dataset; see `movielens.fetch`.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    settings = demo_settings(profile)
    fetch_dataset(settings, source)
    platform.stop(settings)
    shutil.rmtree(settings.state_dir, ignore_errors=True)
    console.print("Starting Postgres, MLflow, Dagster and the API …")

    def ready(service: Service) -> None:
        console.print(f"  {service.name:<8} {service.url}")

    with platform.running(settings, ready):
        try:
            report = Story(settings, console).tell()
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

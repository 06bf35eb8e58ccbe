"""Start the API: `python -m serving`."""

from __future__ import annotations

import os

import uvicorn

from serving.settings import Settings, SettingsError, load_settings
from serving.telemetry.log import LOGGING
from serving.telemetry.run_folder import folder_of_a_run

MLFLOW = {
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the next poll is the retry
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
"""Environment of MLflow's client unless set already: quiet, and soon done when out of reach."""


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    for name, value in MLFLOW.items():
        os.environ.setdefault(name, value)
    try:
        settings = load_settings()
    except SettingsError as error:
        raise SystemExit(f"the API can't start: {error}") from None
    with folder_of_a_run(settings.metrics_dir):
        _run(settings)


def _run(settings: Settings) -> None:
    uvicorn.run(
        "serving.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        ws="none",
        http="serving.http.protocol:LimitedProtocol",
        workers=settings.workers,
        forwarded_allow_ips=list(settings.trusted_proxies),
        access_log=False,
        log_config=LOGGING,
        server_header=False,
    )


if __name__ == "__main__":
    main()

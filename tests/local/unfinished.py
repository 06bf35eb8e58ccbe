"""A test that holds all servers that tests have, and never ends: it is there to be killed.

It writes its process and those that carry its mark into the file that `PIDS` names.
"""

import json
import os
import time
from pathlib import Path

import pytest

from cinematch_dagster.local.processes import OWNER_VARIABLE
from cinematch_dagster.local.watchdog import marked
from tests.local.conftest import Launch
from tests.local.fakes import fake
from tests.serving.support import api


@pytest.mark.usefixtures("warehouse_dsn")
def test_it_goes_on(mlflow_server: str, launch: Launch, tmp_path: Path) -> None:
    launch(fake())
    with api(tmp_path, mlflow_server):
        pids = [os.getpid(), *(p.pid for p in marked(os.environ[OWNER_VARIABLE]))]
        (tmp_path / "pids").write_text(json.dumps(pids))
        (tmp_path / "pids").rename(os.environ["PIDS"])
        time.sleep(600)

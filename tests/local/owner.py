"""A process that starts a bit of everything, writes down which processes carry its mark, and waits.

`owner.py FOLDER` ends with the end of its input.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from cinematch_dagster.local import processes
from cinematch_dagster.local.processes import OWNER_VARIABLE
from cinematch_dagster.local.watchdog import end_with_us, marked
from cinematch_dagster.postgres import embedded
from tests.local.fakes import fake, with_grandchild


def main(folder: Path) -> None:
    end_with_us()
    embedded.start(folder / "postgres")
    service = fake("fake", None, "children", "stubborn")
    with_grandchild(processes.start(service, {}, folder / "logs").pid)
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(command, env=clean, start_new_session=True)
    pids = [process.pid for process in marked(os.environ[OWNER_VARIABLE])]
    sys.stdout.write(json.dumps(pids) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


main(Path(sys.argv[1]))

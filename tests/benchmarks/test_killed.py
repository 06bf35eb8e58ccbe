import json
import subprocess
import sys

import psutil

from cinematch_dagster.local.processes import is_alive
from tests.local.fakes import wait_for

SCRATCH = """
import json, os, sys
from benchmarks.data.server import scratch
from cinematch_dagster.local.processes import OWNER_VARIABLE
from cinematch_dagster.local.watchdog import marked

with scratch():
    print(json.dumps([p.pid for p in marked(os.environ[OWNER_VARIABLE])]), flush=True)
    sys.stdin.read()
"""


def test_a_killed_benchmark_leaves_no_server() -> None:
    command = [sys.executable, "-c", SCRATCH]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as benchmark:
        assert benchmark.stdout
        (pid,) = json.loads(benchmark.stdout.readline())
        server = psutil.Process(pid)
        assert server.name() == "postgres"
        benchmark.kill()
        wait_for(lambda: not is_alive(server))

"""The command line and the processes it leaves, as seen from outside."""

import subprocess
import sys
from pathlib import Path

import psutil


def cinematch(*arguments: str, environment: dict[str, str], seconds: float) -> str:
    """Run the command line as a user; return what it wrote. It must succeed."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cinematch")), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def processes_of(state: Path) -> list[str]:
    """The command lines of all processes that name a state folder, or work for one that does."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        texts = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        if process.pid != psutil.Process().pid and any(str(state) in text for text in texts):
            found.append(" ".join(process.info["cmdline"] or []))
    return found

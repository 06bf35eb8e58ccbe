"""A server for the process manager: `fake_server.py PORT [BEHAVIOUR …]` answers 200 to all.

children: start a child, which starts a grandchild; both do nothing.
stubborn: ignore SIGTERM, and so does every child.
slow: take a second to stop.
mute: never listen.
broken: end at once with status 3.
"""

import http.server
import os
import signal
import subprocess
import sys
import time

port, *behaviours = sys.argv[1:]
sys.stdout.write(f"SIGINT: {signal.getsignal(signal.SIGINT)}\n")
sys.stdout.write(f"stdin: {sys.stdin.read()!r}, colour: {os.environ.get('COLOUR')}\n")
sys.stdout.flush()

if "broken" in behaviours:
    sys.exit(3)
if "stubborn" in behaviours:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "slow" in behaviours:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(time.sleep(1)))  # type: ignore[func-returns-value]
if "children" in behaviours:
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    parent = f"import subprocess; subprocess.run({sleep!r})"
    subprocess.Popen([sys.executable, "-c", parent])
if "mute" in behaviours:
    time.sleep(600)


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


http.server.HTTPServer(("127.0.0.1", int(port)), Answers).serve_forever()

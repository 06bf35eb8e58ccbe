import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from cinematch_dagster.local import processes
from cinematch_dagster.local.ports import require_free
from cinematch_dagster.local.processes import (
    ProcessError,
    Service,
    is_alive,
    require_running,
    stop,
    wait_until_healthy,
)
from tests.local.conftest import Launch
from tests.local.fakes import fake, wait_for, with_grandchild
from tests.ports import free_port


def log_of(name: str, logs: Path) -> str:
    return (logs / f"{name}.log").read_text()


def test_a_service_runs_in_its_own_session_and_writes_its_log(launch: Launch, logs: Path) -> None:
    service = fake()
    process = launch(service)
    wait_until_healthy(service, process, logs)
    assert httpx.get(f"{service.url}/anything").status_code == 200
    assert os.getsid(process.pid) == process.pid
    assert "stdin: '', colour: green" in log_of("fake", logs)


@pytest.mark.usefixtures("_signals_restored")
def test_a_signal_that_we_ignore_is_not_ignored_by_a_service(launch: Launch, logs: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # as after `sh -c 'command &'`
        signal.signal(number, signal.SIG_IGN)
    service = fake()
    process = launch(service)
    wait_until_healthy(service, process, logs)
    assert "SIGINT: <built-in function default_int_handler>" in log_of("fake", logs)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM


def test_a_service_that_ends_at_once_is_one_error_with_its_log(launch: Launch, logs: Path) -> None:
    service = fake("api", None, "broken")
    with pytest.raises(ProcessError) as raised:
        wait_until_healthy(service, launch(service), logs)
    assert str(raised.value) == f"api ended with status 3: see {logs}/api.log"


def test_a_service_that_does_not_answer_is_given_up(launch: Launch, logs: Path) -> None:
    service = fake("mlflow", None, "mute")
    with pytest.raises(ProcessError, match=r"^mlflow did not answer within 1 s: see .*/mlflow.log"):
        wait_until_healthy(service, launch(service), logs, seconds=0.6)


def test_a_service_that_was_killed_is_noticed(launch: Launch, logs: Path) -> None:
    service = fake()
    process = launch(service)
    require_running(service, process, logs)
    process.kill()
    wait_for(lambda: process.poll() is not None)
    with pytest.raises(ProcessError, match=r"^fake ended with status -9: see "):
        require_running(service, process, logs)


def test_a_program_that_is_not_there_is_one_error(logs: Path) -> None:
    service = Service("api", ("/no/such/program",), free_port(), "/", "CINEMATCH_API_PORT")
    with pytest.raises(ProcessError) as raised:
        processes.start(service, {}, logs)
    assert str(raised.value) == "api did not start: /no/such/program: No such file or directory"


def test_a_taken_port_names_the_setting_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProcessError) as raised:
            require_free([fake("mlflow"), fake("api", port)])
    assert str(raised.value) == (
        f"port {port} of api is taken: free it or set CINEMATCH_API_PORT to another"
    )
    require_free([fake("api", port)])


def test_one_port_for_two_services_is_refused() -> None:
    port = free_port()
    with pytest.raises(ProcessError, match=f"^port {port} of api is taken"):
        require_free([fake("mlflow", port), fake("api", port)])


@pytest.mark.skipif(
    os.geteuid() == 0, reason="needs an ordinary user: root may listen on every port"
)
def test_a_port_of_the_system_is_refused() -> None:
    with pytest.raises(ProcessError, match=r"^port 80 of api is not allowed to an ordinary user"):
        require_free([fake("api", 80)])


def test_stop_ends_children_and_grandchildren(launch: Launch) -> None:
    members = with_grandchild(launch(fake("fake", None, "children")).pid)
    stop(members[:1])
    assert [is_alive(member) for member in members] == [False] * 3


@pytest.mark.usefixtures("_impatient")
def test_stop_kills_what_ignores_the_polite_way(launch: Launch) -> None:
    members = with_grandchild(launch(fake("fake", None, "children", "stubborn")).pid)
    stop(members[:1])
    assert [is_alive(member) for member in members] == [False] * 3


def test_stop_does_not_wait_for_zombies(
    launch: Launch, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 3600)
    monkeypatch.setattr(processes, "KILL_SECONDS", 3600)
    process = launch(fake())
    child = psutil.Process(process.pid)
    stop([child])  # nobody has waited for it: a zombie
    assert child.status() == psutil.STATUS_ZOMBIE
    assert not is_alive(child)
    assert processes.found(logs) == {}
    process.wait()
    stop([child])


def test_services_are_found_by_the_folder_of_their_logs(
    launch: Launch, logs: Path, tmp_path: Path
) -> None:
    first, second = launch(fake("api", None, "children")), launch(fake("mlflow"))
    with_grandchild(first.pid)
    found = processes.found(logs)
    assert {name: [p.pid for p in roots] for name, roots in found.items()} == {
        "api": [first.pid],
        "mlflow": [second.pid],
    }
    assert processes.found(tmp_path / "other") == {}


def test_the_orphans_of_a_killed_service_are_found_and_stopped(launch: Launch, logs: Path) -> None:
    server, child, grandchild = with_grandchild(launch(fake("dagster", None, "children")).pid)
    server.kill()
    wait_for(lambda: processes.found(logs) == {"dagster": [child]})
    stop(processes.found(logs)["dagster"])
    assert not is_alive(child)
    assert not is_alive(grandchild)


def test_the_memory_of_a_service_is_that_of_its_family(launch: Launch) -> None:
    server, *others = with_grandchild(launch(fake("fake", None, "children")).pid)
    alone = server.memory_info().rss
    assert processes.resident_bytes(server) > alone
    for other in others:
        other.kill()
    wait_for(lambda: not any(map(is_alive, others)))
    assert processes.resident_bytes(server) == pytest.approx(alone, rel=0.2)


def test_a_process_that_ended_has_no_family_and_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        process = psutil.Process(ended.pid)
    assert processes.family(process) == []
    assert processes.resident_bytes(process) == 0

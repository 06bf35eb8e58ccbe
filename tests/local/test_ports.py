import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cinematch_dagster.demo import run as demo_run
from cinematch_dagster.local import platform, processes
from cinematch_dagster.local.ports import PortTakenError, reserved
from cinematch_dagster.settings import Settings, read_settings
from tests.local.conftest import Launch
from tests.local.fake_up import fake_services
from tests.local.fakes import fake

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux: elsewhere a bound port is let go"
)


def listen(port: int) -> socket.socket:
    """What another program does that asks for this very port."""
    return socket.create_server(("127.0.0.1", port))


def given() -> set[int]:
    """A thousand ports that the system gives to whoever asks for any."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(900)]
        for probe in held:
            probe.bind(("127.0.0.1", 0))
        return {probe.getsockname()[1] for probe in held}


@linux
def test_a_reserved_port_is_given_to_nobody_else() -> None:
    with reserved(300) as first, reserved(300) as second:
        ports = {*first, *second}
        assert len(ports) == 600
        assert ports.isdisjoint(given())


@linux
def test_a_reserved_port_refuses_until_its_server_listens(launch: Launch, logs: Path) -> None:
    with reserved() as (port,):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}")
        service = fake("fake", port)
        processes.wait_until_healthy(service, launch(service), logs)


def test_a_port_is_free_after_the_block() -> None:
    with reserved() as (port,):
        pass
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", port))


@pytest.fixture
def settings(tmp_path: Path, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a demo of light servers on the tests' Postgres."""
    monkeypatch.setattr(platform, "services", fake_services)
    return read_settings(tmp_path / "no.env", state_dir=tmp_path, database_url=warehouse_dsn)


@pytest.fixture
def others() -> Iterator[contextlib.ExitStack]:
    """Other programs, which listen until the test's end."""
    with contextlib.ExitStack() as stack:
        yield stack


def test_the_demo_chooses_again_when_a_port_is_taken_between_choice_and_start(
    settings: Settings, others: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    running = platform.running

    def slow(chosen: Settings, *arguments: object) -> object:
        tried.append(chosen)
        if len(tried) < 3:
            others.enter_context(listen(chosen.api_port))
        return running(chosen, *arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(platform, "running", slow)
    with demo_run.started(settings, lambda _: None) as chosen:
        assert chosen == tried[2]
        assert chosen.api_port not in {tried[0].api_port, tried[1].api_port}
        assert httpx.get(f"http://127.0.0.1:{chosen.api_port}/health").is_success
    assert not platform.is_running(settings)


def test_the_demo_chooses_again_when_another_program_is_faster_than_a_server(
    settings: Settings, others: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    start = processes.start

    def late(service: processes.Service, *arguments: object) -> object:
        if service.name == "dagster" and not taken:
            taken.append(service.port)
            others.enter_context(listen(service.port))
        return start(service, *arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(processes, "start", late)
    with demo_run.started(settings, lambda _: None) as chosen:
        assert [chosen.dagster_port] != taken
    assert len(taken) == 1
    assert not platform.is_running(settings)


def test_the_demo_gives_up_with_the_reason(
    settings: Settings, others: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = platform.running

    def unlucky(chosen: Settings, *arguments: object) -> object:
        others.enter_context(listen(chosen.api_port))
        return running(chosen, *arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(platform, "running", unlucky)
    with (
        pytest.raises(PortTakenError, match=r"^port \d+ of api is taken: free it or set CINE"),
        demo_run.started(settings, lambda _: None),
    ):
        pytest.fail("it ran")


def test_a_server_that_ends_by_itself_is_not_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHAVIOURS", '{"api": ["broken"]}')
    with (
        pytest.raises(processes.ProcessError, match=r"^api ended with status 3: see ") as raised,
        demo_run.started(settings, lambda _: None),
    ):
        pytest.fail("it ran")
    assert not isinstance(raised.value, PortTakenError)

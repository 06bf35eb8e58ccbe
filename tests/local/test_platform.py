import os
import socket
import sys
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from cinematch_dagster.local import platform, processes
from cinematch_dagster.local.databases import warehouse_dsn as database_of
from cinematch_dagster.local.processes import ProcessError, Service
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import ROOT, Settings, read_settings, variables_for_servers
from tests.local.fake_up import fake_services
from tests.local.fakes import wait_for, with_grandchild
from tests.ports import free_port

NO_FILE = ROOT / "no.env"
NAMES = ["mlflow", "dagster", "api"]
PASSWORD = "hunter2-of-the-tests"


def settings_in(folder: Path, **others: object) -> Settings:
    ports = {f"{name}_port": free_port() for name in NAMES}
    return read_settings(NO_FILE, **{"state_dir": folder / "var", **ports, **others})


@pytest.fixture
def settings(tmp_path: Path, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a platform of light servers on the tests' Postgres."""
    monkeypatch.setattr(platform, "services", fake_services)
    return settings_in(tmp_path, database_url=warehouse_dsn)


def pids(settings: Settings) -> dict[str, list[int]]:
    found = processes.found(platform.logs(settings))
    return {name: [process.pid for process in roots] for name, roots in found.items()}


def behave(monkeypatch: pytest.MonkeyPatch, behaviours: str) -> None:
    monkeypatch.setenv("BEHAVIOURS", behaviours)


def test_the_three_servers_listen_on_this_machine_only(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    mlflow, dagster, api = platform.services(settings)
    for server, port in ((mlflow, settings.mlflow_port), (dagster, settings.dagster_port)):
        host, number = (server.command[server.command.index(o) + 1] for o in ("--host", "--port"))
        assert (host, int(number)) == ("127.0.0.1", port)
        assert Path(server.command[0]).is_file()
    assert api.command == (sys.executable, "-m", "serving")
    assert [s.url for s in (mlflow, dagster, api)] == [
        f"http://127.0.0.1:{port}"
        for port in (settings.mlflow_port, settings.dagster_port, settings.api_port)
    ]
    assert {s.port_setting for s in (mlflow, dagster, api)} == {
        f"CINEMATCH_{name.upper()}_PORT" for name in NAMES
    }


def test_no_mlflow_is_started_where_one_is_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, mlflow_tracking_uri="http://mlflow.example")
    assert [service.name for service in platform.services(settings)] == ["dagster", "api"]


def test_the_servers_learn_from_their_environment_where_everything_is(
    tmp_path: Path, warehouse_dsn: str
) -> None:
    settings = settings_in(tmp_path, database_url=warehouse_dsn)
    found = platform.environment(settings, warehouse_dsn)
    again = settings.model_copy(
        update={"mlflow_tracking_uri": found["CINEMATCH_MLFLOW_TRACKING_URI"]}
    )
    assert found["CINEMATCH_DATABASE_URL"] == warehouse_dsn
    assert found["CINEMATCH_STATE_DIR"] == str(tmp_path / "var")
    assert found["CINEMATCH_SERVING_PORT"] == str(settings.api_port)
    assert found["CINEMATCH_SERVING_TRACKING_URI"] == again.tracking_uri == settings.tracking_uri
    assert found["DAGSTER_HOME"] == str(tmp_path / "var" / "dagster")
    assert found["PATH"] == os.environ["PATH"]
    own = conninfo_to_dict(warehouse_dsn)["dbname"]
    for variable, name in (
        ("CINEMATCH_DAGSTER_POSTGRES_URL", "dagster"),
        ("MLFLOW_BACKEND_STORE_URI", "mlflow"),
    ):
        address = found[variable].removeprefix("postgresql+psycopg2://")
        assert address != found[variable]
        with connect(f"postgresql://{address}") as connection:
            assert connection.info.dbname == f"{own}_{name}"


def test_passwords_are_in_no_command_line(tmp_path: Path) -> None:
    url = f"postgresql://user:{PASSWORD}@db.example/cinematch"
    servers = platform.services(settings_in(tmp_path, database_url=url))
    assert PASSWORD not in str(servers)


def test_the_apis_variables_come_from_the_env_file_unless_they_are_set(
    settings: Settings, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_file = {
        "CINEMATCH_SERVING_ALIAS": "file",
        "CINEMATCH_SERVING_HOST": "file",
        "CINEMATCH_SERVING_PORT": "1",
    }
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in in_file.items()))
    monkeypatch.setattr(platform, "variables_for_servers", lambda: variables_for_servers(env_file))
    monkeypatch.setenv("CINEMATCH_SERVING_HOST", "environment")
    found = platform.environment(settings, warehouse_dsn)
    assert [found[name] for name in in_file] == ["file", "environment", str(settings.api_port)]


def test_the_platform_runs_inside_the_block_only(settings: Settings) -> None:
    ready: list[Service] = []
    assert not platform.is_running(settings)
    with platform.running(settings, ready.append) as check:
        assert [service.name for service in ready] == NAMES == list(pids(settings))
        assert platform.is_running(settings)
        assert all(megabytes > 1 for megabytes in platform.memory_megabytes(settings).values())
        check()
        assert settings.landing_dir.is_dir()
        assert (settings.state_dir / "dagster" / "dagster.yaml").is_file()
        with connect(database_of(settings)) as connection:
            assert connection.execute("SELECT count(*) FROM promotions").fetchone() == (0,)
    assert not platform.is_running(settings)
    assert pids(settings) == {}
    assert platform.memory_megabytes(settings) == {}
    assert platform.stop(settings) == []


def test_a_second_one_is_refused_and_leaves_the_first_alone(settings: Settings) -> None:
    with platform.running(settings, lambda _: None) as check:
        before = pids(settings)
        with (
            pytest.raises(ProcessError, match=r"^the platform runs already: stop it with"),
            platform.running(settings, lambda _: None),
        ):
            pytest.fail("it ran twice")
        check()
        assert pids(settings) == before


def test_a_start_that_fails_stops_what_had_started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    behave(monkeypatch, '{"api": ["broken"], "mlflow": ["children"]}')
    ready: list[Service] = []
    with (
        pytest.raises(ProcessError, match=r"^api ended with status 3: see .*/var/logs/api.log$"),
        platform.running(settings, ready.append),
    ):
        pytest.fail("it ran")
    assert [service.name for service in ready] == ["mlflow", "dagster"]
    assert not platform.is_running(settings)


def test_with_a_port_taken_nothing_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = settings_in(tmp_path, dagster_port=other.getsockname()[1])
        with (
            pytest.raises(ProcessError, match="set CINEMATCH_DAGSTER_PORT to another"),
            platform.running(settings, lambda _: None),
        ):
            pytest.fail("it ran")
    assert [path.name for path in settings.state_dir.iterdir()] == ["run"]
    assert not platform.is_running(settings)


def test_a_server_that_ends_is_noticed_and_its_orphans_are_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    behave(monkeypatch, '{"dagster": ["children"]}')
    with platform.running(settings, lambda _: None) as check:
        server, child, grandchild = with_grandchild(pids(settings)["dagster"][0])
        server.kill()
        wait_for(lambda: pids(settings)["dagster"] == [child.pid])
        with pytest.raises(ProcessError, match=r"^dagster ended with status -9: see "):
            check()
    assert not any(map(processes.is_alive, (server, child, grandchild)))


def test_an_exception_in_the_block_stops_everything(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt), platform.running(settings, lambda _: None):
        raise KeyboardInterrupt
    assert not platform.is_running(settings)
    assert pids(settings) == {}


def test_our_own_postgres_starts_and_stops_with_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "services", fake_services)
    settings = settings_in(tmp_path)
    cluster = settings.state_dir / "postgres"
    with platform.running(settings, lambda _: None):
        assert embedded.running(cluster)
    assert not embedded.running(cluster)
    embedded.start(cluster)
    assert platform.stop(settings) == ["postgres"]
    assert not embedded.running(cluster)
    embedded.destroy(cluster)


def test_the_api_asks_mlflow_once_unless_the_user_says_otherwise(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    retries = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    monkeypatch.delenv(retries, raising=False)

    def found() -> dict[str, str]:
        with platform.running(settings, lambda _: None):
            servers = processes.found(platform.logs(settings))
            return {name: roots[0].environ()[retries] for name, roots in servers.items()}

    assert found() == {"mlflow": "5", "dagster": "5", "api": "0"}
    monkeypatch.setenv(retries, "2")
    assert set(found().values()) == {"2"}

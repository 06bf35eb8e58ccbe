import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.demo import run as demo_run
from cinematch_dagster.demo.orchestrator import OrchestrationError
from cinematch_dagster.local import platform
from cinematch_dagster.local.processes import ProcessError
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import DsnError
from cinematch_dagster.postgres.os_user import EmbeddedPostgresError
from cinematch_dagster.settings import SettingsError, load_settings
from cinematch_dagster.warehouse.registry.promotions import Promotion, record_promotion
from cinematch_dagster.warehouse.schema import SchemaError
from tests.e2e.support import cinematch, processes_of

PASSWORD = "hunter2-of-the-tests"


@pytest.fixture
def run() -> Callable[..., str]:
    """Run the command line inside this process; returns what it wrote to stdout."""

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def promotion() -> Promotion:
    return Promotion(
        version="7",
        from_version=None,
        week=datetime.date(2024, 1, 1),
        promoted=True,
        reason="Promoted: [it] won",
        mlflow_run_id="run",
        dagster_run_id="run",
        buffer_policy=None,
        scores={},
    )


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    return clean | {"CINEMATCH_STATE_DIR": str(tmp_path / "var")}


def failed(*arguments: str, environment: dict[str, str]) -> str:
    """Run the command line as a user; it must fail with one line, which is returned."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cinematch")), *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def test_the_help_names_every_command(environment: dict[str, str]) -> None:
    text = cinematch("--help", environment=environment, seconds=60)
    assert all(f" {command} " in text for command in ("up", "down", "demo", "status"))


def test_down_and_status_with_nothing_running(environment: dict[str, str], tmp_path: Path) -> None:
    down = cinematch("down", environment=environment, seconds=60)
    assert down == "Nothing was running.\n"
    status = json.loads(cinematch("status", "--json", environment=environment, seconds=60))
    assert status["running"] == {}
    assert "embedded Postgres is not running" in status["warehouse"]
    assert processes_of(tmp_path) == []
    assert not (tmp_path / "var").exists()


def test_a_wrong_setting_is_one_line(environment: dict[str, str]) -> None:
    environment["CINEMATCH_DAGSTER_PROT"] = "3001"
    line = failed("up", environment=environment)
    assert line == "error: CINEMATCH_DAGSTER_PROT: not a setting, see .env.example"


def test_a_wrong_address_is_one_line_without_the_password(environment: dict[str, str]) -> None:
    environment["CINEMATCH_DATABASE_URL"] = f"postgres://user:{PASSWORD}@db.example/cinematch"
    line = failed("status", environment=environment)
    assert line.startswith("error: the database's address must begin with 'postgresql://'")
    assert PASSWORD not in line


def test_a_database_that_is_not_there_is_one_line(
    environment: dict[str, str], postgres_server: str
) -> None:
    environment["CINEMATCH_DATABASE_URL"] = postgres_server.replace("/postgres?", "/missing?")
    line = failed("status", environment=environment)
    assert line.startswith("error: connection failed: ")
    assert line.endswith('database "missing" does not exist')


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("a [red] key\n of  two lines"),
        ProcessError("a [red] key\n of  two lines"),
        DsnError("a [red] key\n of  two lines"),
        EmbeddedPostgresError("a [red] key\n of  two lines"),
        OrchestrationError("a [red] key\n of  two lines"),
        SchemaError("a [red] key\n of  two lines"),
        psycopg.OperationalError("a [red] key\n of  two lines"),
        OSError("a [red] key\n of  two lines"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_known_error_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "error: a [red] key of two lines\n")


def test_a_question_before_the_tables_exist_is_answered_in_one_line(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CINEMATCH_DATABASE_URL", postgres_server)
    monkeypatch.setattr(sys, "argv", ["cinematch", "history"])
    load_settings.cache_clear()
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr()
    assert said == ("", "error: the warehouse has no tables yet: start with `make up`\n")


@pytest.mark.parametrize(
    "command", [("history",), ("rollback",), ("drift", "report", "--week", "batch_w1")]
)
def test_a_question_starts_no_server(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CINEMATCH_STATE_DIR", str(tmp_path / "var"))
    load_settings.cache_clear()
    with pytest.raises(EmbeddedPostgresError, match="is not running: start with `make up`"):
        CliRunner().invoke(cli.app, command, catch_exceptions=False)
    assert not (tmp_path / "var").exists()


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(KeyError):
        cli.main()


@pytest.mark.usefixtures("platform_settings")
def test_status_on_an_empty_warehouse(run: Callable[..., str]) -> None:
    found = json.loads(run("status", "--json"))
    assert found["running"] == {}
    assert found["in production"] == "no model yet"
    assert found["buffer"]["total"] == 0


@pytest.mark.usefixtures("platform_settings")
def test_status_says_what_is_in_production(
    run: Callable[..., str],
    promotion: Promotion,
    warehouse_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli.console, "width", 200)
    with connect(warehouse_dsn) as connection:
        record_promotion(connection, promotion)
    found = json.loads(run("status", "--json"))
    assert found["in production"] == {
        "version": "7",
        "week": "2024-01-01",
        "reason": "Promoted: [it] won",
    }
    assert "Promoted: [it] won" in run("status")


def test_status_before_the_tables_exist(
    run: Callable[..., str], postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMATCH_DATABASE_URL", postgres_server)
    load_settings.cache_clear()
    found = json.loads(run("status", "--json"))
    load_settings.cache_clear()
    assert found["warehouse"] == "the warehouse has no tables yet: start with `make up`"


def test_down_names_what_it_has_stopped(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "stop", lambda _: ["dagster", "postgres"])
    assert run("down") == "Stopped: dagster, postgres.\n"


def test_the_demo_has_a_platform_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CINEMATCH_STATE_DIR": "/somewhere",
        "CINEMATCH_DATABASE_URL": "postgresql://user@db.example/production",
        "CINEMATCH_MLFLOW_TRACKING_URI": "http://mlflow.example",
    }.items():
        monkeypatch.setenv(name, value)
    settings = demo_run.demo_settings()
    assert settings.profile == "sample"
    assert settings.state_dir == Path("/somewhere/demo/state")
    assert settings.database_url is None
    assert settings.tracking_uri == f"http://127.0.0.1:{settings.mlflow_port}"
    assert not embedded.running(settings.state_dir / "postgres")


def test_the_story_of_another_profile_has_a_folder_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEMATCH_STATE_DIR", "/somewhere")
    settings = demo_run.demo_settings("movielens-1m")
    assert (settings.profile, settings.data.dataset) == ("movielens-1m", "ml-1m")
    assert settings.state_dir == Path("/somewhere/demo-movielens-1m/state")
    assert settings.prepared_dir != demo_run.demo_settings().prepared_dir


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--profile", "movielens-2m"), "profile 'movielens-2m' is not known"),
        (("--profile", "movielens-1m", "--source", "/no/ml-1m.zip"), "/no/ml-1m.zip"),
    ],
)
def test_a_story_without_its_ratings_is_one_line_before_anything_starts(
    environment: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    environment["CINEMATCH_DATA_DIR"] = str(tmp_path / "data")
    assert message in failed("demo", *arguments, environment=environment)
    assert not (tmp_path / "var").exists()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder in ml-1m's format: 100 ratings of which two are off the scale."""
    folder = tmp_path / "mine"
    folder.mkdir()
    ratings = [f"{n}::1::{3 if n < 98 else 9}::{978_300_000 + n}\n" for n in range(100)]
    (folder / "ratings.dat").write_text("".join(ratings))
    (folder / "movies.dat").write_text("1::Film (1999)::Drama\n")
    return folder


def test_a_source_never_replaces_the_sample(
    environment: dict[str, str], tmp_path: Path, source: Path
) -> None:
    environment["CINEMATCH_DATA_DIR"] = str(tmp_path / "data")
    line = failed("data", "prepare", "--source", str(source), environment=environment)
    assert line.startswith(f"error: {source}: can't replace the dataset 'sample', name what it is")
    assert not (tmp_path / "data").exists()


def test_rejects_that_refuse_a_dataset_are_kept_and_their_file_is_named(
    environment: dict[str, str], tmp_path: Path, source: Path
) -> None:
    environment["CINEMATCH_DATA_DIR"] = str(tmp_path / "data")
    rejects = tmp_path / "data" / "prepared" / "rejects.csv"
    rejects.parent.mkdir(parents=True)
    rejects.write_text("of an earlier dataset")
    arguments = ("data", "prepare", "--dataset", "ml-1m", "--source", str(source))
    line = failed(*arguments, environment=environment)
    assert line == (
        "error: 2 of 100 ratings can't be used (rating_off_scale 2), expected at most 1.00%; the "
        "first is userId 98, movieId 1, rating 9.0, timestamp 978300098: rating_off_scale: "
        f"see {rejects}"
    )
    assert rejects.read_text().splitlines() == [
        "userId,movieId,rating,timestamp,reason",
        "98,1,9.0,978300098,rating_off_scale",
        "99,1,9.0,978300099,rating_off_scale",
    ]
    assert [path.name for path in rejects.parent.iterdir()] == ["rejects.csv"]

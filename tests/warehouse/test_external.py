import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.dsn import normalise, sqlalchemy_url, with_database
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import buffer_status, finalized, load_batch
from cinematch_dagster.warehouse.operations.maintenance import maintain
from cinematch_dagster.warehouse.registry.promotions import merge_buffer, record_promotion
from cinematch_dagster.warehouse.retraining.decisions import open_alerts
from cinematch_dagster.warehouse.schema import migrate
from cinematch_dagster.warehouse.training.training_data import training_ratings
from tests.external_postgres import PASSWORD, ExternalServer
from tests.needs import missing
from tests.warehouse.support import batch, many, promotion, value, week

ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture
def dsn(external: ExternalServer) -> Iterator[str]:
    """A fresh database that an ordinary role owns, reached with its password over TCP."""
    maintenance = external.dsn(name="postgres")
    dsn = ensure_database(normalise(maintenance), "cinematch")
    with connect(dsn) as connection:
        migrate(connection)
    yield dsn
    with connect(maintenance, autocommit=True) as connection:
        connection.execute("DROP DATABASE cinematch WITH (FORCE)")


def test_the_whole_way_of_the_data(dsn: str) -> None:
    with connect(dsn) as connection:
        baseline = many(2_000).assign(data_split=["train"] * 1_500 + ["test"] * 500)
        load_baseline(connection, baseline, "a", week(0))
        record_promotion(connection, promotion("1", 0))
    assert load_batch(dsn, batch(1, many(1_000, seed=9))).outcome == "loaded"
    assert load_batch(dsn, batch(1, many(1_000, seed=9))).outcome == "unchanged"
    with connect(dsn) as connection:
        report = check_week(connection, week(1), DriftPolicy(count_threshold=10))
        assert report.cumulative.n == 1_000
        assert isinstance(open_alerts(connection), list)
        assert len(training_ratings(connection, week(1))) == 1_500  # the week rates them again
        record_promotion(connection, promotion("2", 1))
        assert merge_buffer(connection, week(1), "2", "merge") == 1_000
    with connect(dsn) as connection:
        assert buffer_status(connection)["total"] == 0
        assert value(connection, "SELECT count(*) FROM ratings") == 3_000
    assert maintain(dsn).total_bytes > 0


def test_it_is_tcp_with_a_password_and_no_superuser(dsn: str, external: ExternalServer) -> None:
    with connect(dsn) as connection:
        assert value(connection, "SELECT host(inet_server_addr())") == "127.0.0.1"
        assert value(connection, "SHOW server_version_num") >= "150000"
        superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        assert value(connection, superuser) is False
    with connect(external.dsn("owner", "superuser's", "postgres")) as owner:
        stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app'"
        assert value(owner, stored).startswith("SCRAM-SHA-256$")


def test_every_form_of_the_address_keeps_the_password(dsn: str) -> None:
    assert psycopg.conninfo.conninfo_to_dict(dsn)["password"] == PASSWORD
    with connect(with_database(dsn, "postgres")) as connection:
        assert value(connection, "SELECT current_database()") == "postgres"
    engine = sqlalchemy.create_engine(sqlalchemy_url(dsn))
    with engine.connect() as through_psycopg2:
        assert through_psycopg2.execute(sqlalchemy.text("SELECT current_user")).scalar() == "app"
    engine.dispose()


@pytest.mark.parametrize(
    ("password", "message"),
    [("wrong", "password authentication failed"), ("", "no password supplied")],
)
def test_a_wrong_password_is_said_at_once_and_never_shown(
    dsn: str, external: ExternalServer, monkeypatch: pytest.MonkeyPatch, password: str, message: str
) -> None:
    assert dsn
    tries = counted(monkeypatch)
    with pytest.raises(psycopg.OperationalError, match=message) as error:
        connect(external.dsn(password=password))
    assert len(tries) == 1
    assert PASSWORD not in str(error.value)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often a connection is tried."""
    tries = []

    def connect_once(dsn: str, **options: object) -> psycopg.Connection:
        tries.append(dsn)
        return psycopg.Connection.connect(dsn, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(psycopg, "connect", connect_once)
    return tries


def remote(external: ExternalServer) -> str:
    """This server under a name that is not local."""
    return f"{external.dsn()}?hostaddr=127.0.0.1".replace("@127.0.0.1:", "@db.example.org:")


def test_a_remote_server_without_encryption_is_refused_at_once(
    dsn: str, external: ExternalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dsn
    tries = counted(monkeypatch)
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        connect(normalise(remote(external)))
    assert len(tries) == 1
    with connect(remote(external) + "&sslmode=disable") as connection:  # only when asked for
        assert (
            value(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is False
        )


@pytest.fixture
def encrypted(external: ExternalServer) -> Iterator[ExternalServer]:
    """The server with a certificate of its own making."""
    if shutil.which("openssl") is None:
        missing("openssl", "apt install openssl")
    command = "openssl req -new -x509 -days 2 -nodes -subj /CN=db.example.org -out {} -keyout {}"
    files = [external.data / "server.crt", external.data / "server.key"]
    subprocess.run(command.format(*files).split(), check=True, capture_output=True)
    for file in files:
        external.account.own(file).chmod(0o600)

    def switch(state: str) -> None:
        owner = external.dsn("owner", "superuser's", "postgres")
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET ssl = {state}".encode())
            connection.execute("SELECT pg_reload_conf()")

    switch("on")
    yield external
    switch("off")


def test_a_remote_server_is_reached_encrypted(dsn: str, encrypted: ExternalServer) -> None:
    assert dsn
    address = normalise(remote(encrypted))
    assert address.endswith("&sslmode=require")
    deadline = time.monotonic() + 30
    while True:  # the server reads its settings again in its own time
        try:
            with connect(address) as connection:
                assert value(connection, ENCRYPTED) is True
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_server_that_restarts_in_between_is_waited_for(
    dsn: str, external: ExternalServer
) -> None:
    load_batch(dsn, batch(1, many(100)))
    with connect(dsn, autocommit=True) as held:
        external.stop()
        with pytest.raises(psycopg.OperationalError):
            held.execute("SELECT 1")

    def wake() -> None:
        time.sleep(0.5)
        external.start()

    waking = threading.Thread(target=wake)
    waking.start()
    assert load_batch(dsn, batch(2, many(100, seed=2))).outcome == "loaded"
    waking.join()
    with connect(dsn) as connection:
        assert buffer_status(connection)["total"] == 200


def test_a_load_whose_connection_is_dropped_is_failed_and_can_be_done_again(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dropped(connection: psycopg.Connection, _: str) -> None:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr("cinematch_dagster.warehouse.ingestion.batches.count_genres", dropped)
        with pytest.raises(psycopg.OperationalError):
            load_batch(dsn, batch(1, many(100)))
    with connect(dsn) as connection:
        row = "SELECT (status, record_count)::text FROM ingestion_metadata"
        assert value(connection, row) == "(failed,0)"
        assert value(connection, "SELECT count(*) FROM ratings_buffer") == 0
        assert finalized(connection, {"batch_w1": "a"}) == set()  # the file is not to blame
    assert load_batch(dsn, batch(1, many(100))).outcome == "loaded"


def test_the_server_is_the_systems_own_and_not_roots(external: ExternalServer) -> None:
    assert "pixeltable" not in str(external.programs)
    assert external.process is not None
    assert Path(f"/proc/{external.process.pid}").stat().st_uid != 0

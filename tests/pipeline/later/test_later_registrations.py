"""The second model and those that come after it, on a real Postgres and a real MLflow server."""

import json
import threading
from dataclasses import replace

import pytest
from mlflow import MlflowClient

from cinematch_dagster.pipeline.registry import comparison, registration
from cinematch_dagster.pipeline.registry.versions import MODEL_NAME, RegistrationError
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.registry.promotions import Promotion, record_promotion
from cinematch_dagster.warehouse.schema import REGISTRY
from tests.pipeline.support import (
    Arrive,
    Cheat,
    Register,
    Train,
    broken_rules,
    production,
    rows,
    week,
)


@pytest.mark.slow  # one more training, two comparisons
def test_a_week_that_arrives_while_models_are_compared_stops_the_promotion(
    warehouse: str,
    arrive: Arrive,
    train_week: Train,
    register_week: Register,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrive(2)
    train_week(2)
    compare = comparison.compare

    def slow(*arguments: object) -> object:
        found = compare(*arguments)  # type: ignore[arg-type]  # handed through as they came
        arrive(1)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(registration, "compare", slow)
        with pytest.raises(RegistrationError, match="batch_w1 arrived while version"):
            register_week(2)
    # Nothing was promoted, so that no row of it left the buffer untrained.
    assert rows(warehouse, "SELECT count(*) FROM promotions") == [(1,)]
    assert rows(warehouse, "SELECT count(*) FROM ratings_buffer") == [(4_796 + 4_796,)]
    assert not register_week(2).promoted  # it was trained on other ratings than there are now


@pytest.mark.slow  # three more trainings
def test_a_retraining_retried_after_a_newer_one_never_takes_production_back(
    warehouse: str,
    arrive: Arrive,
    train_week: Train,
    register_week: Register,
    client: MlflowClient,
    first: Promotion,
) -> None:
    for number in (1, 2, 3):
        arrive(number)
    train_week(1)  # and its registration fails before it has done anything
    train_week(3)
    second = register_week(3)
    assert second.promoted
    assert second.from_version == first.version
    assert production(client) == second.version
    assert "fewer ranked users" in second.reason
    assert set(second.scores["held_out"]) == {"champion", "challenger", "floor"}
    tags = client.get_model_version(MODEL_NAME, second.version).tags
    assert (tags["gate"], tags["gate_reason"]) == ("promoted", second.reason)
    assert json.loads(tags["gate_rules"]) == second.scores["rules"]
    plot = "plots/champion_against_challenger.png"
    drawn = {f.path: f.file_size for f in client.list_artifacts(second.mlflow_run_id, "plots")}
    assert (drawn[plot] or 0) > 10_000
    alone = {f.path for f in client.list_artifacts(first.mlflow_run_id, "plots")}
    assert plot not in alone, "there was no champion"

    late = register_week(1)  # the retry
    assert not late.promoted
    assert "older than the champion's" in late.reason
    assert production(client) == second.version

    again = register_week(3)  # a retry of what had succeeded
    assert (again.version, again.promoted) == (second.version, True)
    assert production(client) == second.version
    assert rows(warehouse, "SELECT week, promoted FROM promotions ORDER BY id") == [
        (week(0), True),
        (week(3), True),
        (week(1), False),
    ]
    stages = {
        v.version: v.tags["stage"]
        for v in client.search_model_versions(f"name = '{MODEL_NAME}'")
        if v.version in {first.version, second.version, late.version}
    }
    assert stages == {first.version: "None", second.version: "Production", late.version: "None"}


def test_a_challenger_that_saw_the_held_out_rows_is_refused(
    warehouse: str,
    arrive: Arrive,
    cheat: Cheat,
    register_week: Register,
    client: MlflowClient,
    first: Promotion,
) -> None:
    arrive(1)
    cheat(1, lambda data: [data.held_out])
    refused = register_week(1)
    assert not refused.promoted
    assert broken_rules(refused)["leaked_held_out_rows"] == 959
    assert production(client) == first.version
    assert rows(warehouse, "SELECT count(*) FROM ratings_buffer") == [(4_796,)]


@pytest.mark.slow  # one more training; the story promotes and merges, too
def test_a_promotion_merges_the_buffer_and_moves_the_baseline(
    warehouse: str,
    arrive: Arrive,
    train_week: Train,
    register_week: Register,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free: list[object] = []

    def delete(*_: object) -> None:
        with connect(warehouse) as other:  # a rollback that wants to begin now
            query = "SELECT pg_try_advisory_xact_lock(%s)"
            free.extend(other.execute(query, [REGISTRY]).fetchall())

    monkeypatch.setattr(registration, "delete_old_versions", delete)
    for number in (1, 2, 3):
        arrive(number)
    before = rows(warehouse, "SELECT count(*) FROM ratings")
    train_week(3)
    assert register_week(3).promoted
    assert before == [(35_971,)]
    assert rows(warehouse, "SELECT data_split, count(*) FROM ratings GROUP BY 1 ORDER BY 1") == [
        ("test", 10_792 + 3 * 959),
        ("train", 25_179 + 2 * (4_796 - 959) + (4_797 - 959)),
    ]
    assert rows(warehouse, "SELECT count(*) FROM ratings_buffer") == [(0,)]
    assert free == [(False,)]  # no version is deleted while somebody goes back to it


def test_a_week_loads_while_mlflow_is_told_of_a_promotion(
    warehouse: str,
    arrive: Arrive,
    register_week: Register,
    first: Promotion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(*_: object) -> None:
        loading = threading.Thread(target=arrive, args=(1,), daemon=True)
        loading.start()
        loading.join(60)
        assert not loading.is_alive()

    monkeypatch.setattr(registration, "follow_promotions", slow)
    assert register_week(0).version == first.version
    assert rows(warehouse, "SELECT count(*) FROM ratings_buffer") == [(4_796,)]


def test_a_version_that_mlflow_lost_is_no_champion(
    warehouse: str,
    arrive: Arrive,
    train_week: Train,
    register_week: Register,
    client: MlflowClient,
    first: Promotion,
) -> None:
    lost = replace(first, version="9999", from_version=first.version, mlflow_run_id="deleted")
    with connect(warehouse) as connection:
        record_promotion(connection, lost)
    arrive(1)
    train_week(1)
    decided = register_week(1)
    why = "Version 9999 in production is gone from MLflow, so this is a first model. Promoted: "
    assert decided.reason.startswith(why)
    assert (decided.promoted, decided.from_version) == (True, "9999")
    assert set(decided.scores["standing"]) == {"challenger", "floor"}
    assert production(client) == decided.version

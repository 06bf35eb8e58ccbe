import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from cinematch_dagster.demo.orchestrator import OrchestrationError, Orchestrator
from tests.ports import free_port

Answer = dict[str, Any]


class Dagster:
    """Answers GraphQL queries by their name: `runs` in turn, the last one for ever."""

    def __init__(self, server: HTTPServer) -> None:
        self.launch: Answer = {"__typename": "LaunchRunSuccess", "run": {"runId": "r1"}}
        self.runs: list[list[Answer]] = [[run("SUCCESS")]]
        self.asked: list[Answer] = []
        self.url = server.url_for("").rstrip("/")
        server.expect_request("/graphql", method="POST").respond_with_handler(
            lambda request: Response(json.dumps(self.answer(request.get_json())))
        )

    def answer(self, query: Answer) -> Answer:
        self.asked.append(query["variables"])
        if "launchRun" in query["query"]:
            return {"data": {"launchRun": self.launch}}
        if "sensorOrError" in query["query"]:
            ticks = [
                {"timestamp": t, "skipReason": r} for t, r in ((30, None), (20, "b2"), (9, "b1"))
            ]
            return {"data": {"sensorOrError": {"sensorState": {"ticks": ticks}}}}
        if query["variables"]["filter"].get("statuses"):
            return {"data": {"runsOrError": {"results": self._failed()}}}
        found = self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]
        return {"data": {"runsOrError": {"results": found}}}

    def _failed(self) -> list[Answer]:
        return [run for run in self.runs[0] if run["status"] == "FAILURE"]


def run(status: str) -> Answer:
    return {"runId": "r1", "jobName": "model_training", "status": status, "tags": []}


@pytest.fixture
def dagster(httpserver: HTTPServer) -> Dagster:
    return Dagster(httpserver)


@pytest.fixture
def client(dagster: Dagster) -> Iterator[Orchestrator]:
    orchestrator = Orchestrator(dagster.url)
    yield orchestrator
    orchestrator.close()


def test_a_job_is_launched_for_its_partition_and_waited_for(
    dagster: Dagster, client: Orchestrator
) -> None:
    dagster.runs = [[run("STARTED")], [run("STARTED")], [run("SUCCESS")]]
    assert client.run_job("model_training", "2024-01-01") == "r1"
    tags = [{"key": "dagster/partition", "value": "2024-01-01"}]
    assert dagster.asked[0] == {"job": "model_training", "tags": tags}
    assert len(dagster.runs) == 1


def test_a_failed_run_ends_the_wait(dagster: Dagster, client: Orchestrator) -> None:
    dagster.runs = [[run("FAILURE")]]
    with pytest.raises(OrchestrationError, match=r"^a run of model_training failed$"):
        client.run_job("model_training")


def test_a_run_that_takes_too_long_is_named(dagster: Dagster, client: Orchestrator) -> None:
    dagster.runs = [[run("STARTED")]]
    with pytest.raises(OrchestrationError, match=r"^model_training took longer than 0 s$"):
        client.run_job("model_training", seconds=0)


def test_a_job_that_cannot_be_launched_is_named(dagster: Dagster, client: Orchestrator) -> None:
    dagster.launch = {"__typename": "PythonError", "message": "no such job"}
    with pytest.raises(OrchestrationError, match=r"^model_training was not launched: .*such job"):
        client.run_job("model_training")


def test_a_refused_query_says_why(
    dagster: Dagster, client: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dagster, "answer", lambda _: {"errors": [{"message": "bad field"}]})
    with pytest.raises(OrchestrationError, match=r"^Dagster refused the query: bad field$"):
        client.runs()


def test_a_dagster_that_is_gone_is_one_error() -> None:
    client = Orchestrator(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(OrchestrationError, match=r"^Dagster does not answer: .*refused"):
        client.runs()
    client.close()


def test_a_skip_reason_is_that_of_a_later_tick(client: Orchestrator) -> None:
    assert client.skip_reason("sensor", since=10, containing="b") == "b2"
    assert client.skip_reason("sensor", since=21, containing="") is None
    assert client.skip_reason("sensor", since=0, containing="b1") == "b1"

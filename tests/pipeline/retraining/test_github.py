"""The target `github` against a fake GitHub: what is asked, what is made of each answer."""

import datetime
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.drift.sensors import follow_up_sensor
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.retraining.jobs import (
    WorkflowInputs,
    github_retraining,
    train_here,
    train_on_github,
)
from cinematch_dagster.defs.runs import DECISION_TAG
from cinematch_dagster.pipeline.retraining.github import DispatchError, dispatch, inputs_of
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import (
    ROOT,
    GitHubSettings,
    SettingsError,
    load_settings,
    read_settings,
)
from cinematch_dagster.warehouse.retraining.decisions import Decision, decision, record_decision
from tests.pipeline.retraining.fake_github import FakeGitHub

WEEK_6 = datetime.date(2024, 2, 5)
Run = Callable[[], dg.ExecuteInProcessResult]
TOKEN = "hunter2-of-the-fake-github"
WORKFLOW = (ROOT / ".github" / "workflows" / "model_training.yml").read_text()


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with HTTPServer(threaded=True) as server:
        fake = FakeGitHub(server)
        yield fake
        fake.released.set()


@pytest.fixture
def configured(
    github: FakeGitHub, platform_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> GitHubSettings:
    """Settings of this process that point to the fake."""
    assert platform_settings.is_dir()
    for key, value in {
        "ORCHESTRATION__RETRAINING_TARGET": "github",
        "GITHUB__TOKEN": TOKEN,
        "GITHUB__REPOSITORY": "films/cinematch",
        "GITHUB__API_URL": github.url,
        "GITHUB__TIMEOUT_SECONDS": "1",
    }.items():
        monkeypatch.setenv(f"CINEMATCH_{key}", value)
    load_settings.cache_clear()
    return load_settings().github


@pytest.fixture
def made() -> Decision:
    return Decision(
        decision="trigger_actual",
        reason="Retraining up to week 2024-02-05: 1 open alert",
        buffer_size=28_779,
        drift_score=0.09491,
        alert_ids=(),
        weeks=(WEEK_6,),
        target_week=WEEK_6,
        run_key="2024-02-05:17",
    )


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path / "dagster")) as instance:
        yield instance


@pytest.fixture
def run(instance: dg.DagsterInstance, made: Decision) -> Run:
    """Run the job as the sensor's request says."""
    request = train_on_github(made)

    def execute() -> dg.ExecuteInProcessResult:
        return github_retraining.execute_in_process(
            run_config=request.run_config,
            resources=RESOURCES,
            tags=dict(request.tags),
            instance=instance,
            raise_on_error=False,
        )

    return execute


def test_url_headers_and_body_are_those_of_the_api(
    github: FakeGitHub, configured: GitHubSettings, made: Decision
) -> None:
    dispatch(configured, inputs_of(made))
    (asked,) = github.asked
    assert asked.path == "/repos/films/cinematch/actions/workflows/model_training.yml/dispatches"
    assert asked.body == {
        "ref": "main",
        "inputs": {"reason": made.reason, "drift_score": "0.0949", "buffer_size": "28779"},
    }
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Accept"] == "application/vnd.github+json"
    assert asked.headers["X-GitHub-Api-Version"] == "2022-11-28"


@pytest.mark.parametrize(
    ("status", "transient"),
    [(401, False), (404, False), (422, False), (200, False), (302, False), (500, True), (0, True)],
)
def test_anything_but_204_is_an_error_that_says_what_came(
    github: FakeGitHub, configured: GitHubSettings, status: int, transient: bool
) -> None:
    # However long what is said before it: no part of the token is left where the text is cut.
    github.statuses, github.message = [status], f"{'no ' * 63}: {TOKEN}"
    with pytest.raises(DispatchError, match="expected status 204") as caught:
        dispatch(configured, {})
    assert TOKEN[:4] not in str(caught.value)
    assert caught.value.transient is transient
    assert (str(status) if status else "ReadTimeout") in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_github_that_is_not_there_is_transient(configured: GitHubSettings) -> None:
    nowhere = configured.model_copy(update={"api_url": "http://127.0.0.1:1"})
    with pytest.raises(DispatchError, match=r"did not answer: ConnectError") as caught:
        dispatch(nowhere, {})
    assert caught.value.transient


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("statuses", "success", "asked"), [([204], True, 1), ([401], False, 1), ([422], False, 1)]
)
def test_the_job_fails_at_once_when_another_try_is_no_use(
    github: FakeGitHub,
    run: Run,
    statuses: list[int],
    success: bool,
    asked: int,
) -> None:
    github.statuses = statuses
    assert run().success is success
    assert len(github.asked) == asked


@pytest.mark.usefixtures("configured")
def test_the_job_tries_again_after_a_passing_fault(github: FakeGitHub, run: Run) -> None:
    github.statuses = [500, 204]
    assert run().success
    assert len(github.asked) == 2


@pytest.mark.usefixtures("configured")
def test_a_failed_run_is_written_down_and_opens_the_alerts_again(
    github: FakeGitHub,
    run: Run,
    made: Decision,
    warehouse_dsn: str,
    instance: dg.DagsterInstance,
) -> None:
    with connect(warehouse_dsn) as connection:
        record_decision(connection, made)
    github.statuses = [404]
    run()
    with dg.build_sensor_context(
        instance=instance, resources=RESOURCES, definitions=defs
    ) as context:
        follow_up_sensor.evaluate_tick(context)
    with connect(warehouse_dsn) as connection:
        written = decision(connection, made.run_key)
    assert written is not None
    assert written.decision == "trigger_failed"
    assert written.reason.startswith(f"{made.reason}; failed: run ")


@pytest.mark.usefixtures("configured")
def test_the_token_is_in_no_event_tag_config_or_log(
    github: FakeGitHub,
    run: Run,
    instance: dg.DagsterInstance,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    github.statuses, github.message = [500, 401], TOKEN
    result = run()
    events = instance.all_logs(result.run_id)
    texts = [str(event) for event in events] + [str(instance.get_run_by_id(result.run_id))]
    texts += [caplog.text, *capfd.readouterr(), repr(load_settings())]
    assert "GitHub answered 401" in "".join(texts)
    assert [text for text in texts if TOKEN in text] == []


def test_both_targets_ask_under_the_same_key_and_with_the_same_tags(made: Decision) -> None:
    here, there = train_here(made), train_on_github(made)
    assert here.run_key == there.run_key == made.run_key
    assert here.tags[DECISION_TAG] == there.tags[DECISION_TAG] == made.run_key
    assert (here.job_name, here.partition_key) == ("trigger_retraining", "2024-02-05")
    assert (there.job_name, there.partition_key) == ("github_retraining", None)


def test_the_workflow_takes_exactly_the_inputs_that_are_sent(made: Decision) -> None:
    inputs = WORKFLOW.partition("    inputs:\n")[2].partition("\n  repository_dispatch:")[0]
    names = re.findall(r"^      (\w+):", inputs, re.MULTILINE)
    assert names == list(inputs_of(made)) == list(WorkflowInputs.model_fields)
    for name in names:
        assert f"inputs.{name} || github.event.client_payload.{name}" in WORKFLOW


def test_the_workflow_never_puts_an_input_into_a_script() -> None:
    scripts = re.findall(r"run: (\|\n(?: {10}.*\n)+|.+)", WORKFLOW)
    assert ".venv/bin/cinematch retrain --json" in "".join(scripts)
    assert [s for s in scripts if re.search(r"\$\{\{ (inputs|github)", s)] == []


def test_the_target_github_needs_token_and_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_ORCHESTRATION__RETRAINING_TARGET", "github")
    with pytest.raises(SettingsError, match=r"^github\.token, github\.repository: needed for"):
        read_settings(ROOT / "no.env")


def test_a_secret_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_GITHUB__TOKEN", TOKEN)
    settings = read_settings(ROOT / "no.env")
    assert TOKEN not in repr(settings) + json.dumps(settings.model_dump(mode="json"))

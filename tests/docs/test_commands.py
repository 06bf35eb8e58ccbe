import os
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cinematch_dagster.cli import app
from cinematch_dagster.definitions import defs
from cinematch_dagster.settings import ROOT
from tests.docs.support import DOCUMENTS, name

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"(?:^|`|&& |\b[A-Z_]+=\S+ )make ([a-z-]+)", path.read_text(), re.M))
    assert named - TARGETS == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_file_that_is_named_in_code_exists(path: Path) -> None:
    named = re.findall(
        r"`((?:cinematch_dagster|serving|tests|docs|workflow_config|data/sample)/[\w./-]*)`",
        path.read_text(),
    )
    assert [file for file in named if not (ROOT / file).exists()] == []


def test_the_makefile_has_each_target_once_with_its_help() -> None:
    shown = subprocess.run(
        ["make", "help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},  # not that of a `make test` around it
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""  # make warns of a target with two recipes
    phony = re.search(r"^\.PHONY: (.+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    targets = [line.split()[0] for line in shown.stdout.splitlines()]
    assert sorted(targets) == sorted({*phony[1].split(), "help"} - {"programs"})


@pytest.mark.parametrize("command", ["demo", "up", "down", "status"])
def test_the_command_line_has_what_the_makefile_calls(command: str) -> None:
    assert f"cinematch {command}" in (ROOT / "Makefile").read_text()
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_every_job_is_named_in_a_guide() -> None:
    texts = "\n".join(path.read_text() for path in DOCUMENTS)
    jobs = {job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
    assert {job for job in jobs if f"`{job}`" not in texts} == set()


def test_every_check_is_named_in_a_guide() -> None:
    texts = "\n".join(path.read_text() for path in DOCUMENTS)
    checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    assert {check for check in checks if f"`{check}`" not in texts} == set()


def test_ci_calls_what_a_person_calls() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.findall(r"\brun: (.+)", workflow) == ["make test", "make test-lifecycle"]
    assert re.findall(r'python-version: "(.+)"', workflow) == ["3.11"]


def test_the_ci_script_is_two_targets_and_nothing_hidden(tmp_path: Path) -> None:
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "make $* in $PWD"\n')
    make.chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "run"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"make test in {ROOT}\nmake test-lifecycle in {ROOT}\n"


def test_the_hooks_before_a_commit_are_our_own_targets() -> None:
    configuration = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (.+)", configuration) == ["local"]
    assert re.findall(r"entry: (.+)", configuration) == ["make lint"]
    assert "lint" in TARGETS

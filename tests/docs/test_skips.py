"""Each test that is skipped says what it needs, and how to have it run."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cinematch_dagster.settings import ROOT
from tests.needs import missing

NEEDS = re.compile(r"needs [^:]+: .+")


def reasons() -> Iterator[tuple[Path, str]]:
    """Of every skip in the tests: a reason that is put together counts with its first part."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("skip", "skipif") and path.name not in (
                "needs.py",
                Path(__file__).name,
            ):
                yield path, reason_of(node)


def reason_of(call: ast.Call) -> str:
    named = [keyword.value for keyword in call.keywords if keyword.arg in ("reason", "msg")]
    given = [*named, *call.args]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else ""


def test_each_skip_names_what_is_needed_and_how_to_have_it() -> None:
    found = list(reasons())
    assert len(found) > 5
    assert [(path.name, reason) for path, reason in found if not NEEDS.match(reason)] == []


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "false"):
        monkeypatch.setenv("CI", value)
        with pytest.raises(pytest.skip.Exception, match=r"^needs Chromium: apt install chromium$"):
            missing("Chromium", "apt install chromium")


def test_in_ci_a_missing_program_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs Chromium: apt install chromium"):
        missing("Chromium", "apt install chromium")


def test_every_program_that_ci_can_install_is_named_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    texts = (path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    packages = {name for text in texts for name in re.findall(r'"apt install (\w+)"', text)}
    assert {"chromium", "postgresql"} <= packages
    assert [name for name in packages if f'"{name} ' not in makefile] == []

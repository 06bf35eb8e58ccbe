"""The profiles and `.env.example`: complete, explained and right."""

import functools
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from cinematch_dagster.old_settings import HEADS
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.settings import PROFILES, ROOT, Settings, read_settings
from serving.settings import PREFIX as SERVING_PREFIX
from serving.settings import Settings as ServingSettings
from serving.settings import load_settings as load_serving_settings

EXAMPLE = (ROOT / ".env.example").read_text()
SHIPPED = sorted(PROFILES.glob("*.toml"))
SECTIONS = {
    name: type(field.default)
    for name, field in Settings.model_fields.items()
    if isinstance(field.default, BaseModel)
}
TOP_LEVEL = [name for name in Settings.model_fields if name not in SECTIONS]
VARIABLES = [f"CINEMATCH_{name.upper()}" for name in TOP_LEVEL] + [
    f"{SERVING_PREFIX}{name.upper()}" for name in ServingSettings.model_fields
]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("CINEMATCH_", "NEON_")):
            monkeypatch.delenv(name)


def tables(profile: Path) -> dict[str, Any]:
    """The model of each table of a profile; an algorithm's keys are those of the one chosen."""
    training = read_settings(ROOT / "no.env", profile=profile.stem).training
    return SECTIONS | {f"training.{head}": type(getattr(training, head)) for head in HEADS}


def keys_of(table: str, model: type[BaseModel]) -> set[str]:
    """The keys of a table that are no tables."""
    return set(model.model_fields) - (set(HEADS) if table == "training" else set())


def value_at(settings: Settings, table: str) -> Any:
    """The values of a table."""
    return functools.reduce(getattr, table.split("."), settings)


def comments(profile: Path) -> dict[tuple[str, str], str]:
    """The comment behind each key of a profile, by section and key; unset ones stand behind #."""
    found, section = {}, ""
    for line in profile.read_text().splitlines():
        if header := re.match(r"\[([\w.]+)\]", line):
            section = header[1]
        elif key := re.match(r"(?:# )?(\w+) = [^#]*(?:# (.*))?$", line):
            found[section, key[1]] = key[2] or ""
    return found


def allowed(schema: dict[str, Any]) -> Iterator[str]:
    """What a comment must say of the values that a key may have, from the key's JSON schema."""
    schema |= schema.pop("items", {})
    yield from schema.get("enum", [schema["const"]] if "const" in schema else [])
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is not None and most is not None:
        yield f"({shown(least)} to {shown(most)})"
    elif least is not None:
        yield f"({'>=' if 'minimum' in schema else '>'} {shown(least)})"


def shown(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def written(default: object) -> str:
    """A key's default as a comment names it."""
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return shown(default) if isinstance(default, int | float) else str(default)


def example(variable: str) -> tuple[list[str], str]:
    """The comment lines above a variable in `.env.example`, and its value there."""
    *above, last = EXAMPLE[: EXAMPLE.index(f"# {variable}=")].split("\n\n")
    value = re.search(rf"^# {variable}=(.*)$", EXAMPLE, re.MULTILINE)
    assert above
    assert value
    return last.splitlines(), value[1]


@pytest.fixture
def everything_uncommented(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(re.sub(r"^# ([A-Z_]+=)", r"\1", EXAMPLE, flags=re.MULTILINE))
    return path


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda path: path.stem)
def test_a_profile_loads_and_holds_every_key_of_every_section(profile: Path) -> None:
    read_settings(ROOT / "no.env", profile=profile.stem)
    written = tomllib.loads(profile.read_text())
    for name, section in tables(profile).items():
        unset = {key for key, field in section.model_fields.items() if field.default is None}
        found = functools.reduce(dict.__getitem__, name.split("."), written)
        assert set(found) | unset == set(section.model_fields)


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda path: path.stem)
def test_every_key_of_a_profile_is_explained(profile: Path) -> None:
    explained = comments(profile)
    keys = {(name, key) for name, model in tables(profile).items() for key in keys_of(name, model)}
    assert set(explained) == keys
    assert {key: text for key, text in explained.items() if len(text.split()) < 3} == {}


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda path: path.stem)
def test_a_profile_names_every_algorithm(profile: Path) -> None:
    explained = comments(profile)
    for head, kinds in (("rating", RATING_HEADS), ("ranking", RANKING_HEADS)):
        assert ", ".join(kinds) in explained[f"training.{head}", "algorithm"]


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda path: path.stem)
def test_every_comment_names_the_allowed_values(profile: Path) -> None:
    explained = comments(profile)
    missing = [
        (section, key, text)
        for section, model in tables(profile).items()
        for key, schema in model.model_json_schema()["properties"].items()
        if key in keys_of(section, model)
        for text in allowed(schema)
        if text not in explained[section, key]
    ]
    assert missing == []


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda path: path.stem)
def test_a_value_that_is_not_the_default_names_the_default(profile: Path) -> None:
    settings = read_settings(ROOT / "no.env", profile=profile.stem)
    explained = comments(profile)
    for section, model in tables(profile).items():
        for key in keys_of(section, model):
            field = model.model_fields[key]
            differs = getattr(value_at(settings, section), key) != field.default
            if differs and field.default is not None:
                default = written(field.default)
                assert f"{default} by default" in explained[section, key]


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_example_explains_every_setting_in_a_sentence(variable: str) -> None:
    lines, _ = example(variable)
    assert all(line.startswith("# ") for line in lines)
    assert re.fullmatch(r"(# [A-Z`].*)\.", " ".join(lines), re.DOTALL)


def test_the_example_holds_nothing_else() -> None:
    others = ["MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_USERNAME"]
    found = sorted(re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert found == sorted([*VARIABLES, *others])
    assert all(line.startswith("#") for line in EXAMPLE.splitlines() if line)


def test_the_example_shows_the_defaults(everything_uncommented: Path) -> None:
    assert read_settings(everything_uncommented) == read_settings(ROOT / "no.env")


def test_the_example_shows_the_apis_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_serving_settings()
    for name in ServingSettings.model_fields:
        variable = f"{SERVING_PREFIX}{name.upper()}"
        value = example(variable)[1]
        monkeypatch.setenv(
            variable, str(ROOT / value) if name.endswith(("_dir", "_file")) else value
        )
    assert load_serving_settings() == defaults


def test_the_example_holds_no_secret() -> None:
    assert example("CINEMATCH_DATABASE_URL")[1] == ""
    assert example("CINEMATCH_SERVING_API_KEY")[1] == ""

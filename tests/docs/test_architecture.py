import ast
import re
from pathlib import Path

import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.settings import ROOT
from tests.docs.support import blocks, rows, section

GUIDE = ROOT / "docs" / "architecture.md"
LIBRARIES = {
    "dagster": "Dagster",
    "dagster_mlflow": "dagster-mlflow",
    "fastapi": "FastAPI",
    "mlflow": "MLflow",
    "psycopg": "psycopg",
    "surprise": "scikit-surprise",
}
TABLE = {row[0]: row[1:] for row in rows(section(GUIDE, "Who imports whom"))}


ROOMS = {package for package in TABLE if package.startswith("serving/")}
"""Parts of `serving` that have a row of their own."""


def files(package: str) -> list[Path]:
    folder = ROOT if package.startswith("serving") else ROOT / "cinematch_dagster"
    path = folder / package
    if path.with_suffix(".py").is_file():
        return [path.with_suffix(".py")]
    rooms = [ROOT / room for room in ROOMS - {package}]
    return sorted(p for p in path.rglob("*.py") if not rooms_hold(rooms, p))


def rooms_hold(rooms: list[Path], path: Path) -> bool:
    return any(path.is_relative_to(room) for room in rooms)


def imports(package: str) -> set[str]:
    """Our packages, and the libraries above, that a package's files import."""
    found = set()
    for path in files(package):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            found |= {known for full in names if (known := top(full))}
    return found - {package}


def top(full: str) -> str | None:
    parts = full.split(".")
    if (room := "/".join(parts[:2])) in ROOMS:
        return room
    if parts[0] == "cinematch_dagster":
        return parts[1]
    return parts[0] if parts[0] in {"serving", *LIBRARIES} else None


def listed(cell: str) -> set[str]:
    return set(re.findall(r"[\w/-]+", cell)) - {"nothing"}


@pytest.mark.parametrize("package", TABLE)
def test_a_package_imports_what_the_table_says(package: str) -> None:
    ours, theirs = TABLE[package]
    found = imports(package)
    assert {i for i in found if i not in LIBRARIES} == listed(ours)
    assert {LIBRARIES[i] for i in found if i in LIBRARIES} == listed(theirs)


def test_every_package_is_in_the_table() -> None:
    packages = {p.parent.name for p in (ROOT / "cinematch_dagster").glob("*/__init__.py")}
    assert packages | ROOMS | {"serving", "settings"} == set(TABLE)


def test_the_folders_exist() -> None:
    folders = [row[0] for row in rows(section(GUIDE, "Folders"))]
    assert [folder for folder in folders if not (ROOT / folder).exists()] == []
    packages = {f"cinematch_dagster/{package}/" for package in set(TABLE) - ROOMS}
    packages |= {f"{room}/" for room in ROOMS}
    assert packages - set(folders) == {
        "cinematch_dagster/serving/",
        "cinematch_dagster/settings/",
    }


def test_the_diagram_shows_every_asset_and_sensor() -> None:
    diagram, *_ = blocks(GUIDE, "mermaid")
    assets = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    sensors = {sensor.name for sensor in defs.sensors or ()}
    names = set(re.findall(r"\w+", diagram))
    assert (assets | sensors) - names == set()

import subprocess
import sys

import pytest

TRAINING = ("dagster", "cinematch_dagster", "surprise", "implicit", "sklearn", "psycopg")
SLOW = ("mlflow", "pandas", "matplotlib")
PROGRAM = f"""
import sys
import serving.__main__, serving.app
print(*(name for name in {TRAINING + SLOW!r} if name in sys.modules))
"""


def test_serving_needs_neither_training_code_nor_slow_imports() -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    assert found.stdout.split() == []


@pytest.mark.parametrize("name", ["cinematch_dagster", "dagster"])
def test_no_file_of_serving_names_the_platform(name: str) -> None:
    import ast
    from pathlib import Path

    import serving

    for file in Path(str(serving.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            assert name not in {n.partition(".")[0] for n in names}, f"{file}:{node.lineno}"

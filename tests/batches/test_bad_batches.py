from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cinematch_dagster.batches import BadBatchError, read_batch
from tests.batches import bad_batches
from tests.batches.bad_batches import BATCH, CASES, T0


@pytest.mark.parametrize("case", CASES)
def test_each_bad_file_gives_one_sentence_that_names_it(case: str, tmp_path: Path) -> None:
    path = bad_batches.write(case, tmp_path)
    with pytest.raises(BadBatchError) as caught:
        read_batch(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {CASES[case].fault}")
    assert "\n" not in message
    assert len(message) < 500


def test_the_batch_they_are_made_of_is_fine(tmp_path: Path) -> None:
    path = tmp_path / f"{BATCH}.parquet"
    bad_batches.write_good(path)
    ratings, injected = read_batch(path)
    assert (len(ratings), injected) == (5, None)
    assert ratings["timestamp"].iloc[0] == T0


def test_a_file_is_accepted_once_it_is_mended(tmp_path: Path) -> None:
    path = bad_batches.write("nan_rating", tmp_path)
    with pytest.raises(BadBatchError):
        read_batch(path)
    bad_batches.write_good(path)
    assert len(read_batch(path)[0]) == 5


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    bad_batches.write_good(tmp_path / "arrived.parquet")
    (tmp_path / f"{BATCH}.parquet").symlink_to("arrived.parquet")
    assert len(read_batch(tmp_path / f"{BATCH}.parquet")[0]) == 5


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    bad_batches.write_good(tmp_path / "real" / f"{BATCH}.parquet")
    (tmp_path / "landing").symlink_to("real")
    assert len(read_batch(tmp_path / "landing" / f"{BATCH}.parquet")[0]) == 5


def test_a_link_to_nowhere_inside_the_folder_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / f"{BATCH}.parquet").symlink_to("gone.parquet")
    with pytest.raises(FileNotFoundError):
        read_batch(tmp_path / f"{BATCH}.parquet")


@pytest.mark.parametrize("case", ["31_million_rows", "text_of_2_terabytes"])
def test_bombs_are_refused_in_little_memory(case: str, tmp_path: Path) -> None:
    path = bad_batches.write(case, tmp_path)
    assert path.stat().st_size < 5_000_000
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from cinematch_dagster.batches import BadBatchError, read_batch\n"
        "try:\n    read_batch(Path(sys.argv[1]))\n"
        "except BadBatchError:\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    sys.stdout.write(re.search(r'VmHWM:\\s*(\\d+)', status)[1])\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 600_000  # kilobytes at the peak


def test_the_script_writes_them_all(tmp_path: Path) -> None:
    script = Path(bad_batches.__file__)
    subprocess.run([sys.executable, script, tmp_path / "corpus"], check=True)
    assert {path.name for path in (tmp_path / "corpus").iterdir()} >= set(CASES)
    assert len(CASES) >= 20

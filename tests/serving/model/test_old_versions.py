"""Versions that were registered before: `format_2.zip` is one as MLflow keeps it.

It is the hand-made model, each array in a `.npy`, with the code of its time, when all of `serving`
was one flat package (`code/serving/model.py` and so on); what that code does not need is left out.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from serving.follow.cache import Cache
from serving.follow.loader import Loader
from serving.follow.registry import Registry, Release
from serving.model import Model
from serving.model.artifact import FORMAT, Artifact
from tests.serving.hand_made import hand_made

OLD = Path(__file__).with_name("format_2.zip")
RELEASE = Release("1", created=1_700_000_000_000)
PROGRAM = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow.pyfunc, pandas as pd
loaded = mlflow.pyfunc.load_model(sys.argv[1])
found = loaded.predict(pd.DataFrame({"user_id": [2, 77, 1], "top_k": [3, 2, 1]}))
print("answer", found[["user_id", "rank", "movie_id"]].to_numpy().tolist())
import serving
print("code", serving.__file__)
"""


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The folder of the old version."""
    with zipfile.ZipFile(OLD) as archive:
        archive.extractall(tmp_path / "version")
    return tmp_path / "version"


class Folder(Registry):
    """A registry of the one version in a folder."""

    def __init__(self, version: Path) -> None:
        super().__init__("http://127.0.0.1:1", "cinematch", "production")
        self.version = version

    def release(self) -> Release:
        return RELEASE

    def download(self, release: Release, folder: Path) -> Path:
        assert release == RELEASE
        return (self.version / "artifacts" / "model").rename(folder / "model")


def test_the_api_serves_a_version_of_the_old_format(version: Path, tmp_path: Path) -> None:
    loader = Loader(Folder(version), Cache(tmp_path / "cache"))
    served = loader.refresh()
    assert served.model.info.format == 2
    new = Model(hand_made())
    for user in (1, 2, 77):
        assert served.model.recommend(user, 3) == new.recommend(user, 3)
        ratings = {30: 5.0, 10: 1.0}
        assert served.model.recommend(user, 3, ratings) == new.recommend(user, 3, ratings)

    restarted = Loader(Folder(version), Cache(tmp_path / "cache"))  # from its local copy
    restarted.restore()
    assert restarted.served is not None
    assert restarted.served.release == RELEASE


def test_an_old_folder_that_is_written_again_has_the_new_format(
    version: Path, tmp_path: Path
) -> None:
    Artifact.read(version / "artifacts" / "model").write(tmp_path / "new")
    model = Model.load(tmp_path / "new")
    assert model.info.format == FORMAT
    assert model.recommend(1, 3) == Model(hand_made()).recommend(1, 3)


def test_mlflow_loads_an_old_version_with_its_own_code(version: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(version)],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    answer, code = ran.stdout.splitlines()
    assert answer == "answer [[2, 1, 10], [2, 2, 40], [77, 1, 10], [77, 2, 40], [1, 1, 30]]"
    assert code == f"code {version / 'code' / 'serving' / '__init__.py'}"

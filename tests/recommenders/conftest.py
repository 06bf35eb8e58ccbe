from pathlib import Path

import pandas as pd
import pytest

from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.fit import Trained, fit
from serving.model import Model
from tests.recommenders.frames import SMALL, TRAINED_AT, WEEK, movies_frame, random_ratings


@pytest.fixture(scope="session")
def ratings() -> pd.DataFrame:
    return random_ratings(seed=1, users=30, movies=25, n=350)


@pytest.fixture(scope="session")
def movies(ratings: pd.DataFrame) -> pd.DataFrame:
    return movies_frame(*sorted(ratings["movieId"].unique()), 9001, 9002)


@pytest.fixture(scope="session")
def trained(ratings: pd.DataFrame, movies: pd.DataFrame) -> Trained:
    return fit(ratings, movies, SMALL)


@pytest.fixture(scope="session")
def exported(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export(trained, folder, week=WEEK, trained_at=TRAINED_AT)
    return folder


@pytest.fixture(scope="session")
def model(exported: Path) -> Model:
    return Model.load(exported)

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from serving.model import Model
from tests.serving.hand_made import hand_made

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType"),
]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a model logged to a store of its own, and the tracking address restored."""
    import mlflow

    from cinematch_dagster.pipeline.training.log import log_model

    folder = tmp_path_factory.mktemp("store")
    hand_made().write(folder / "exported")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    experiment = mlflow.create_experiment("pyfunc", artifact_location=str(folder / "artifacts"))
    example = pd.DataFrame({"user_id": [1, 77], "top_k": [2, 1]})
    with mlflow.start_run(experiment_id=experiment):
        model_id = log_model(mlflow, folder / "exported", example)
    yield f"models:/{model_id}"
    mlflow.set_tracking_uri(before)


def test_a_model_that_was_logged_and_loaded_answers_like_ours(logged: str) -> None:
    import mlflow

    loaded = mlflow.pyfunc.load_model(logged)
    found = loaded.predict(pd.DataFrame({"user_id": [2, 77, 1], "top_k": [3, 2, 1]}))
    ours = Model(hand_made())
    assert found[["user_id", "rank", "movie_id"]].to_numpy().tolist() == [
        [2, 1, 10],
        [2, 2, 40],
        [77, 1, 10],
        [77, 2, 40],
        [1, 1, 30],
    ]
    first = ours.recommend(2, 3).recommendations[0]
    row = found.iloc[0]
    for name in ("title", "genres", "strategy", "reason"):
        assert row[name] == getattr(first, name)
    assert row["score"] == pytest.approx(first.score)
    assert row["predicted_rating"] == pytest.approx(first.predicted_rating)


def test_top_k_may_be_left_out(logged: str) -> None:
    import mlflow

    found = mlflow.pyfunc.load_model(logged).predict(pd.DataFrame({"user_id": [77]}))
    assert found["movie_id"].tolist() == [10, 40, 20, 30]


def test_what_is_stored_has_a_signature_and_an_example_and_no_pickle(logged: str) -> None:
    import mlflow

    folder = Path(mlflow.artifacts.download_artifacts(logged))
    described = mlflow.models.Model.load(folder)
    assert described.signature.inputs.input_names() == ["user_id", "top_k"]
    answer = mlflow.pyfunc.load_model(logged).predict(pd.DataFrame({"user_id": [1]}))
    assert described.signature.outputs.input_names() == list(answer.columns)
    assert described.saved_input_example_info
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert Model.load(folder / "artifacts" / "exported").recommend(1, 1).recommendations


def test_a_version_is_a_handful_of_files_and_brings_its_own_code(
    logged: str, tmp_path: Path
) -> None:
    import mlflow

    folder = Path(mlflow.artifacts.download_artifacts(logged, dst_path=str(tmp_path)))
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files - {"registered_model_meta"} == {  # that one is written by the download
        "MLmodel",
        "artifacts/exported/arrays.npz",
        "artifacts/exported/model.json",
        "artifacts/exported/movies.arrow",
        "code/serving.zip",
        "conda.yaml",
        "input_example.json",
        "mlflow_entry.py",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    }
    program = (
        "import sys, warnings; warnings.simplefilter('ignore');"
        "import mlflow.pyfunc, pandas as pd;"
        "model = mlflow.pyfunc.load_model(sys.argv[1]);"
        "print(len(model.predict(pd.DataFrame({'user_id': [2]}))));"
        "import serving.model.recommender as used; print(used.__file__)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(folder)], check=True, capture_output=True, text=True
    )
    assert ran.stdout.splitlines() == [
        "2", str(folder / "code" / "serving.zip" / "serving" / "model" / "recommender.py")
    ]  # fmt: skip

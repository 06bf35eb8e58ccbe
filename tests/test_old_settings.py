"""The flat keys that `training` had are read, with one warning that names old and new."""

import os
import warnings
from pathlib import Path

import pytest

from cinematch_dagster import settings as module
from cinematch_dagster.recommenders.ranking.ease import Ease
from cinematch_dagster.recommenders.rating.knn_baseline import Baseline
from cinematch_dagster.recommenders.rating.svd import Svd
from cinematch_dagster.recommenders.rating.svdpp import Svdpp
from cinematch_dagster.settings import SettingsError, TrainingSettings, read_settings

NO_FILE = Path("no.env")
OLD = """
[training]
seed = 1
rating_head = "svdpp"
ranking_head = "ease"
svd_factors = 100
svd_init_std = 0.5
svdpp_factors = 7
knn_neighbours = 3
als_alpha = 9.0
ease_max_movies = 12
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of profiles of our own, and no variable set."""
    for name in os.environ:
        if name.startswith(("CINEMATCH_", "NEON_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(module, "PROFILES", tmp_path)
    (tmp_path / "sample.toml").write_text('[training.rating]\nalgorithm = "svd"\nfactors = 50\n')
    return tmp_path


def read(**overrides: object) -> TrainingSettings:
    return read_settings(NO_FILE, **overrides).training


def warned(**overrides: object) -> tuple[TrainingSettings, str]:
    """The settings, and the only warning."""
    with pytest.warns(FutureWarning) as found:
        training = read(**overrides)
    (only,) = found
    return training, str(only.message)


def test_a_profile_of_before_is_read(profiles: Path) -> None:
    (profiles / "old.toml").write_text(OLD)
    training, message = warned(profile="old")
    assert training == TrainingSettings(
        seed=1, rating=Svdpp(factors=7, init_std=0.5), ranking=Ease(max_movies=12)
    )
    assert "training.rating_head is now training.rating.algorithm;" in message
    assert "training.svdpp_factors is now training.rating.factors;" in message
    assert "training.svd_init_std is now training.rating.init_std;" in message
    assert "training.ease_max_movies is now training.ranking.max_movies" in message
    unused = "training.svd_factors is now training.rating.factors with the algorithm svd, which is"
    assert unused in message


def test_an_old_variable_wins_over_the_profile_and_a_new_one_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEMATCH_TRAINING__SVD_FACTORS", "9")
    monkeypatch.setenv("CINEMATCH_TRAINING__SVD_EPOCHS", "3")
    training, message = warned()
    assert training.rating == Svd(factors=9, epochs=3)
    assert "training.svd_epochs is now training.rating.epochs" in message
    monkeypatch.setenv("CINEMATCH_TRAINING__RATING__FACTORS", "11")
    training, _ = warned()
    assert training.rating == Svd(factors=11, epochs=3)


def test_an_old_value_out_of_its_range_is_refused_under_its_new_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEMATCH_TRAINING__SVD_FACTORS", "0")
    with (
        pytest.warns(FutureWarning),
        pytest.raises(SettingsError, match=r"^training\.rating\.factors: Input should be greater"),
    ):
        read()


def test_new_names_warn_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_TRAINING__RATING__EPOCHS", "3")
    with warnings.catch_warnings(action="error"):
        assert read().rating == Svd(factors=50, epochs=3)


def test_choosing_an_algorithm_leaves_the_profiles_values_of_another_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CINEMATCH_TRAINING__RATING__ALGORITHM", "baseline")
    assert read().rating == Baseline()
    monkeypatch.setenv("CINEMATCH_TRAINING__RATING__ALGORITHM", "svdpp")
    monkeypatch.setenv("CINEMATCH_TRAINING__RATING__EPOCHS", "3")
    assert read().rating == Svdpp(epochs=3)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("RATING__COLOUR", "red", r"^training\.rating\.colour: not a setting$"),
        ("COLOUR", "red", r"^training\.colour: not a setting$"),
        (
            "RATING__ALGORITHM",
            "magic",
            r"^training\.rating\.algorithm: 'magic' is no algorithm: one",
        ),
        ("RANKING__ALPHA", "0", r"^training\.ranking\.alpha: Input should be greater than 0$"),
    ],
)
def test_a_mistake_is_named_by_its_key(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"CINEMATCH_TRAINING__{variable}", value)
    with pytest.raises(SettingsError, match=message):
        read()

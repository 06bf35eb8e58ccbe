import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from cinematch_dagster import settings as module
from cinematch_dagster.local.processes import LOG_VARIABLE
from cinematch_dagster.settings import (
    HANDED_DOWN,
    ROOT,
    Settings,
    SettingsError,
    load_settings,
    read_settings,
    variables_for_servers,
    variables_of_others,
)

SECRET = "hunter2-of-the-tests"
URL = f"postgresql://user:{SECRET}@db.example/cinematch"
COUNT = "CINEMATCH_DRIFT__COUNT_THRESHOLD"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("CINEMATCH_", "NEON_", "MLFLOW_")):
            monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "sample.toml").write_text("[drift]\ncount_threshold = 30\n")
    monkeypatch.setattr(module, "PROFILES", folder)
    return folder


def test_an_argument_beats_environment_env_file_profile_and_default(
    profiles: Path, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profiles / "empty.toml").write_text("")
    found = [read_settings(env_file, profile="empty").drift.count_threshold]
    found.append(read_settings(env_file).drift.count_threshold)
    env_file.write_text(f"{COUNT}=40\n")
    found.append(read_settings(env_file).drift.count_threshold)
    monkeypatch.setenv(COUNT, "50")
    found.append(read_settings(env_file).drift.count_threshold)
    found.append(read_settings(env_file, drift={"count_threshold": 60}).drift.count_threshold)
    assert found == [10_000, 30, 40, 50, 60]


def test_one_key_of_a_section_leaves_the_others(
    profiles: Path, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profiles / "sample.toml").write_text("[drift]\ncount_threshold = 30\nks_threshold = 0.2\n")
    monkeypatch.setenv(COUNT, "50")
    drift = read_settings(env_file).drift
    assert (drift.count_threshold, drift.ks_threshold, drift.mean_threshold) == (50, 0.2, 0.1)


def test_the_profile_is_chosen_wherever_it_is_named(
    profiles: Path, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(("one", "two", "three"), start=1):
        (profiles / f"{name}.toml").write_text(f"[data]\nweeks = {number}\n")
    env_file.write_text("CINEMATCH_PROFILE=one\n")
    found = [read_settings(env_file).data.weeks]
    monkeypatch.setenv("CINEMATCH_PROFILE", "two")
    found.append(read_settings(env_file).data.weeks)
    found.append(read_settings(env_file, profile="three").data.weeks)
    assert found == [1, 2, 3]


def test_an_unknown_profile_is_refused_with_the_known_ones(profiles: Path, env_file: Path) -> None:
    (profiles / "large.toml").write_text("")
    with pytest.raises(SettingsError) as refused:
        read_settings(env_file, profile="smaple")
    assert str(refused.value) == "profile 'smaple' is not known: expected one of large, sample"


def test_a_profile_that_is_not_toml_is_refused(profiles: Path, env_file: Path) -> None:
    (profiles / "sample.toml").write_text("[drift\n")
    with pytest.raises(SettingsError, match="the profile is not valid TOML"):
        read_settings(env_file)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[drfit]\ncount_threshold = 30\n", "drfit"),
        ("[drift]\ncount_treshold = 30\n", "drift.count_treshold"),
        ("count_threshold = 30\n", "count_threshold"),
    ],
)
def test_an_unknown_key_of_a_profile_is_named(
    text: str, key: str, profiles: Path, env_file: Path
) -> None:
    (profiles / "sample.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_settings(env_file)
    assert str(refused.value) == f"{key}: not a setting"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("CINEMATCH_DAGSTER_PROT", "CINEMATCH_DAGSTER_PROT"),
        ("CINEMATCH_API_PORT__TYPO", "CINEMATCH_API_PORT__TYPO"),
        ("DAGSTER_PORT", "DAGSTER_PORT"),
        ("CINEMATCH_DRIFT__COUNT", "drift.count"),
    ],
)
def test_an_unknown_name_in_the_env_file_is_named(name: str, key: str, env_file: Path) -> None:
    env_file.write_text(f"{name}={SECRET}\n")
    with pytest.raises(SettingsError) as refused:
        read_settings(env_file)
    assert str(refused.value).startswith(f"{key}: not a setting")
    assert SECRET not in str(refused.value)


def test_an_unknown_variable_is_named_and_others_are_not_ours(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODY_ELSES_PORT", "1")
    read_settings(env_file)
    monkeypatch.setenv("cinematch_api_prot", "8001")
    monkeypatch.setenv("CINEMATCH_COLOUR", "red")
    with pytest.raises(
        SettingsError, match=r"^CINEMATCH_COLOUR, cinematch_api_prot: not a setting"
    ):
        read_settings(env_file)


def test_what_the_platform_hands_down_is_known(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOG_VARIABLE in HANDED_DOWN
    for name in (*HANDED_DOWN, "CINEMATCH_SERVING_CACHE_DIR"):
        monkeypatch.setenv(name, "x")
    read_settings(env_file)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATA__FIRST_WEEK", "2024-01-07", "data.first_week: 2024-01-07 is a Sunday: a Monday"),
        ("DATA__TRAIN_SHARE", "1", "data.train_share: Input should be less than 1"),
        ("DATA__WEEKS", "many", "data.weeks: Input should be a valid integer"),
        ("API_PORT", "65536", "api_port: Input should be less than or equal to 65535"),
        ("PROMOTION__BUFFER_POLICY", "burn", "promotion.buffer_policy: Input should be 'merge'"),
        ("DRIFT__ALERTING_VIEWS", "per_batch", 'field "drift" .* lists are written as JSON'),
        ("DRIFT__ALERTING_VIEWS", '["daily"]', "drift.alerting_views.0: Input should be"),
    ],
)
def test_a_bad_value_is_refused_with_its_key(
    name: str, value: str, problem: str, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CINEMATCH_{name}", value)
    with pytest.raises(SettingsError, match=problem):
        read_settings(env_file)


def test_every_problem_is_told_at_once(env_file: Path) -> None:
    env_file.write_text("CINEMATCH_API_PORT=0\nCINEMATCH_DATA__BATCHES=0\n")
    with pytest.raises(SettingsError, match=r"api_port: .*; data.batches: "):
        read_settings(env_file)


@pytest.mark.parametrize("name", ["CINEMATCH_DATABASE_URL", "NEON_CONNECTION_STRING"])
def test_the_database_is_a_secret(
    name: str, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, URL)
    settings = read_settings(env_file)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL
    shown = (repr(settings), str(settings), settings.model_dump_json())
    assert not any(SECRET in text for text in shown)


def test_an_error_never_shows_a_secret(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_DATABASE_URL", URL)
    monkeypatch.setenv("CINEMATCH_API_PORT", "none")
    env_file.write_text(f"CINEMATCH_DATABASE_URL__PASSWORD={SECRET}\n")
    with pytest.raises(SettingsError, match="CINEMATCH_DATABASE_URL__PASSWORD") as refused:
        read_settings(env_file)
    env_file.unlink()
    with pytest.raises(SettingsError, match="api_port") as refused_again:
        read_settings(env_file, database_url={"password": SECRET})
    assert "database_url" in str(refused_again.value).lower()
    assert SECRET not in f"{refused.value!r} {refused_again.value!r}"
    assert refused_again.value.__suppress_context__


def test_none_as_an_argument_unsets_a_variable(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMATCH_DATABASE_URL", URL)
    monkeypatch.setenv("CINEMATCH_MLFLOW_TRACKING_URI", "http://mlflow.example")
    settings = read_settings(env_file, database_url=None, mlflow_tracking_uri=None)
    assert (settings.database_url, settings.mlflow_tracking_uri) == (None, None)
    assert settings.tracking_uri == "http://127.0.0.1:5000"


def test_an_empty_value_is_none(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_DATABASE_URL", "")
    env_file.write_text("CINEMATCH_MLFLOW_TRACKING_URI=\n")
    settings = read_settings(env_file)
    assert (settings.database_url, settings.mlflow_tracking_uri) == (None, None)


def test_folders_are_absolute_wherever_the_command_runs(
    env_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    env_file.write_text("CINEMATCH_STATE_DIR=here/var\nCINEMATCH_DATA_DIR=~/data\n")
    settings = read_settings(env_file)
    assert settings.landing_dir == ROOT / "here" / "var" / "landing"
    assert settings.prepared_dir == Path("/home/somebody/data/prepared")
    assert read_settings(env_file, state_dir="/elsewhere").state_dir == Path("/elsewhere")


def test_the_settings_of_a_process_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    load_settings.cache_clear()
    first = load_settings()
    monkeypatch.setenv("CINEMATCH_API_PORT", "1234")
    assert load_settings() is first
    load_settings.cache_clear()
    assert load_settings().api_port == 1234
    load_settings.cache_clear()


def test_the_servers_get_their_variables_of_the_env_file(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text(
        f"CINEMATCH_API_PORT=8001\nCINEMATCH_SERVING_API_KEY={SECRET}\nCINEMATCH_SERVING_ALIAS=\n"
        f"MLFLOW_USERNAME=first\nMLFLOW_PASSWORD={SECRET}\nAWS_REGION=north\nGITHUB_TOKEN=a\n"
    )
    monkeypatch.setenv("GITHUB_TOKEN", "b")
    assert read_settings(env_file).api_port == 8001
    found = variables_for_servers(env_file)
    assert found["CINEMATCH_SERVING_API_KEY"] == found["MLFLOW_TRACKING_PASSWORD"] == SECRET
    assert found["MLFLOW_TRACKING_USERNAME"] == "first"
    assert (found["AWS_REGION"], found["GITHUB_TOKEN"]) == ("north", "b")
    assert not {"CINEMATCH_API_PORT", "CINEMATCH_SERVING_ALIAS"} & set(found)
    assert {"MLFLOW_TRACKING_USERNAME": "first", "GITHUB_TOKEN": "b"}.items() <= (
        variables_of_others(env_file).items()
    )
    assert "CINEMATCH_SERVING_API_KEY" not in variables_of_others(env_file)
    assert variables_for_servers(env_file.with_name("missing")) == dict(os.environ)


@pytest.mark.parametrize(
    ("field", "ours", "alias"),
    [
        ("database_url", "CINEMATCH_DATABASE_URL", "NEON_CONNECTION_STRING"),
        ("mlflow_tracking_uri", "CINEMATCH_MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URI"),
    ],
)
def test_the_environment_beats_the_env_file_by_any_name(
    field: str, ours: str, alias: str, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text(f"{ours}=postgresql://file/x\n")
    monkeypatch.setenv(alias, "postgresql://environment/x")
    assert value_of(read_settings(env_file), field) == "postgresql://environment/x"
    monkeypatch.setenv(ours, "postgresql://ours/x")
    assert value_of(read_settings(env_file), field) == "postgresql://ours/x"


def value_of(settings: Settings, field: str) -> str:
    value = getattr(settings, field)
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


def test_the_prepared_files_lie_beside_the_ratings_unless_told(
    env_file: Path, tmp_path: Path
) -> None:
    data = {"data_dir": tmp_path}
    assert read_settings(env_file, **data).prepared_dir == tmp_path / "prepared"
    named = read_settings(env_file, profile="movielens-1m", **data)
    assert named.prepared_dir == tmp_path / "prepared-movielens-1m"
    assert read_settings(env_file, prepared_root="here").prepared_dir == ROOT / "here" / "prepared"


def test_pagerduty_needs_to_know_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_NOTICES__SHAPE", "pagerduty")
    monkeypatch.setenv("CINEMATCH_NOTICES__WEBHOOK_URL", "http://127.0.0.1:1/v2/enqueue")
    with pytest.raises(SettingsError, match=r"notices: .*routing_key: needed for shape"):
        read_settings()
    monkeypatch.setenv("CINEMATCH_NOTICES__ROUTING_KEY", "a key")
    assert read_settings().notices.shape == "pagerduty"

from pathlib import Path

import pytest
from pydantic import SecretStr

from serving.settings import PREFIX, Settings, SettingsError, load_settings

KEY = "a key for the tests"


def test_the_defaults_are_for_local_use() -> None:
    settings = load_settings()
    assert (settings.environment, settings.host, settings.api_key) == ("local", "127.0.0.1", None)
    assert settings.alias == "production"
    assert settings.registered_model == "cinematch_recommender"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}PORT", "8123")
    monkeypatch.setenv(f"{PREFIX}CACHE_DIR", "/somewhere")
    settings = load_settings()
    assert settings.port == 8123
    assert settings.cache_dir == Path("/somewhere")


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7,::1")
    monkeypatch.setenv(f"{PREFIX}ALLOWED_HOSTS", "films.example, www.films.example,2001:db8::1")
    monkeypatch.setenv(f"{PREFIX}ROOT_PATH", "/a/films-2.0")
    settings = load_settings()
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.7", "::1")
    assert settings.allowed_hosts == ("films.example", "www.films.example", "2001:db8::1")
    assert settings.root_path == "/a/films-2.0"


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}API_KEY", "")
    assert load_settings().api_key is None


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}API_KEYS", KEY)
    with pytest.raises(SettingsError, match=f"{PREFIX}API_KEYS: expected only .*{PREFIX}API_KEY,"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("POLL_SECONDS", "0"),
        ("ENVIRONMENT", "prod"),
        ("REQUEST_LOG_SHARE", "2"),
        ("ROOT_PATH", "films"),
        ("ROOT_PATH", "/films/"),
        ("ROOT_PATH", "https://films.example"),
        ("TRUSTED_PROXIES", "10.0.0.300"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("ALLOWED_HOSTS", "https://films.example"),
        ("ALLOWED_HOSTS", "films.example:8000"),
    ],
)
def test_a_value_out_of_range_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError, match=f"^{PREFIX}{name}: "):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment", "staging"),
        ("environment", "production"),
        ("host", "0.0.0.0"),
        ("host", "::"),
        ("host", "192.168.1.7"),
        ("host", "films.example"),
    ],
)
def test_a_key_is_needed_outside_local_use_and_where_other_machines_reach_the_api(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    with pytest.raises(SettingsError, match=f"^{PREFIX}API_KEY is missing: {name} {value} needs"):
        load_settings()
    monkeypatch.setenv(f"{PREFIX}API_KEY", KEY)
    assert getattr(load_settings(), name) == value


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1"])
def test_no_key_is_needed_on_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}HOST", host)
    assert load_settings().api_key is None


@pytest.mark.parametrize("name", ["CACHE_DIR", "REPORTS_DIR"])
@pytest.mark.parametrize("below", ["", "further/below"])
def test_a_file_is_no_folder(
    name: str, below: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(PREFIX + name, str(tmp_path / "file" / below))
    with pytest.raises(SettingsError, match=f"^{PREFIX}{name}: /.*/file.* can't be used as a fold"):
        load_settings()


def test_a_refused_key_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}API_KEY", "short")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert f"{PREFIX}API_KEY" in str(raised.value)
    assert "short" not in str(raised.value).removeprefix(PREFIX).replace("shorter", "")


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Settings(api_key=SecretStr(KEY)))

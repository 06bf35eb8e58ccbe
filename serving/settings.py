"""Settings of the API: environment variables that begin with `CINEMATCH_SERVING_`."""

from __future__ import annotations

import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CINEMATCH_SERVING_"
Origin = Annotated[str, Field(pattern=r"^(\*|https?://[^/]+)$")]
HostName = Annotated[str, Field(pattern=r"^(\*|[\w.-]+|[0-9A-Fa-f:]+)$")]
ROOT = Path(__file__).resolve().parent.parent


def _proxy(value: str) -> str:
    if value != "*":
        ip_network(value)
    return value


Proxy = Annotated[str, AfterValidator(_proxy)]


class SettingsError(ValueError):
    """A setting is missing, unknown or out of its range; the message names it."""


class Settings(BaseSettings):
    """All settings of the API. `load_settings()` is the way to get them.

    Attributes:
        environment: anything but `local` needs an `api_key`.
        host: an address that other machines reach needs one, too.
        workers: processes that answer.
        api_key: what the header `X-API-Key` must hold on routes that change something;
            without one (local use) those routes are open.
        tracking_uri: where MLflow's tracking server and registry answer.
        registered_model: name of the registered model whose `alias` is followed.
        cache_dir: holds the local copies of the models that were downloaded.
        metrics_dir: holds a folder for each run, in which the workers count.
        poll_seconds: pause between two looks at the alias.
        reports_dir: pages in it are served under `/reports/`.
        candidate_mode: `split`: a second version answers a share of the users; `shadow`: it is
            asked for the answer log only.
        candidate_alias: names that second version.
        candidate_share: share of the users that it answers.
        answer_log: file to which answers are appended as lines of JSON; none by default.
        answer_log_share: share of the answers that is logged there.
        database_url: the warehouse, for ratings given now; without one they go to `ratings_file`.
        ratings_file: holds the ratings given now where there is no database.
        ratings_poll_seconds: pause between two looks for ratings that other workers stored.
        max_body_bytes: a longer request body is refused.
        head_seconds: a connection on which a request's head takes longer to arrive is closed.
        body_seconds: a body that takes longer to arrive is refused.
        root_path: path under which a proxy serves the API, such as `/films`.
        trusted_proxies: addresses and networks whose `X-Forwarded-For` and `-Proto` are believed.
        allowed_hosts: names under which the API answers, beside those of this machine; without
            any, all names where there is a key, and this machine's where there is none.
        rate_limit: requests a second and client, on average; 0 is no limit.
        rate_burst: requests that a client may send at once before the limit counts.
        cors_origins: origins whose pages may call the API, separated by commas.
        request_log_share: share of the successful requests that is logged; failed ones always are.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    environment: Literal["local", "staging", "production"] = "local"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    api_key: Annotated[SecretStr, Field(min_length=8)] | None = None
    tracking_uri: str = "http://127.0.0.1:5000"
    registered_model: str = "cinematch_recommender"
    alias: str = "production"
    cache_dir: Path = ROOT / "var" / "serving"
    reports_dir: Path = ROOT / "var" / "reports"
    metrics_dir: Path = ROOT / "var" / "metrics"
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    candidate_mode: Literal["off", "split", "shadow"] = "off"
    candidate_alias: str = "candidate"
    candidate_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    answer_log: Path | None = None
    answer_log_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    database_url: SecretStr | None = None
    ratings_file: Path = ROOT / "var" / "live_ratings.jsonl"
    ratings_poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 1.0
    max_body_bytes: Annotated[int, Field(ge=1024)] = 100_000
    head_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    body_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    root_path: Annotated[str, Field(pattern=r"^(/[\w.~-]+)*$")] = ""
    trusted_proxies: Annotated[tuple[Proxy, ...], NoDecode] = ("127.0.0.1",)
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode] = ()
    rate_limit: Annotated[float, Field(ge=0)] = 0.0
    rate_burst: Annotated[int, Field(ge=1)] = 20
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    request_log_share: Annotated[float, Field(ge=0, le=1)] = 0.01

    @field_validator("cors_origins", "trusted_proxies", "allowed_hosts", mode="before")
    @classmethod
    def _separated_by_commas(cls, value: object) -> object:
        return tuple(value.replace(" ", "").split(",")) if isinstance(value, str) else value

    @field_validator("cache_dir", "reports_dir", "metrics_dir")
    @classmethod
    def _is_or_can_be_a_folder(cls, path: Path) -> Path:
        try:
            (path / "any file").stat()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ValueError(f"{path} can't be used as a folder ({error.strerror})") from error
        return path

    @field_validator("answer_log", "ratings_file")
    @classmethod
    def _can_be_written(cls, path: Path | None) -> Path | None:
        if path is not None and (reason := unwritable(path)):
            raise ValueError(f"{path} can't be written ({reason})")
        return path

    @model_validator(mode="after")
    def _key_outside_local_use(self) -> Self:
        needs = {
            f"environment {self.environment}": self.environment != "local",
            f"host {self.host}": not is_loopback(self.host),
        }
        if self.api_key is None and (found := [need for need, holds in needs.items() if holds]):
            raise ValueError(f"{PREFIX}API_KEY is missing: {found[0]} needs it")
        return self


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: naming each variable that is missing, unknown or out of range, never a value.
    """
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    unknown = sorted(
        n for n in os.environ if n.upper().startswith(PREFIX) and n.upper() not in known
    )
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: expected only {', '.join(sorted(known))}")
    try:
        return Settings()
    except ValidationError as error:
        problems = (_problem(e["loc"], e["msg"]) for e in error.errors(include_input=False))
        raise SettingsError("; ".join(problems)) from None


def unwritable(path: Path) -> str | None:
    """Return why a file can't be appended to, or made with its folder; None where it can."""
    try:
        found = next(place for place in (path, *path.parents) if place.exists())
    except OSError as error:
        return error.strerror
    if found == path:
        return None if path.is_file() and os.access(path, os.W_OK) else "not a writable file"
    if not found.is_dir():
        return f"{found} is not a folder"
    return None if os.access(found, os.W_OK | os.X_OK) else f"{found} is not writable"


def is_loopback(host: str) -> bool:
    """Whether a name or address is of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _problem(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    return f"{PREFIX}{str(location[0]).upper()}: {message}"

"""Every setting of the platform in one typed place.

A value comes from, first match wins: an argument, a `CINEMATCH_…` environment variable
(`CINEMATCH_DRIFT__COUNT_THRESHOLD=500`), the `.env` file, the profile
(`workflow_config/profiles/<profile>.toml`), the default below. Unknown keys are refused, an empty
value is none.

The API has settings of its own (`serving/settings.py`): `CINEMATCH_SERVING_…` variables, which
`.env` may hold as well, as it may those of MLflow and of others whose servers are used.
"""

from __future__ import annotations

import datetime
import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.aliases import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableValueError

from cinematch_dagster.drift import DriftPolicy, RetrainingCriteria
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds
from cinematch_dagster.old_settings import HEADS, renamed
from cinematch_dagster.recommenders.algorithms import Hyperparameters
from serving.base.scale import HIGHEST, LOWEST, STEP

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "workflow_config" / "profiles"
ENV_FILE = ROOT / ".env"
PREFIX = "CINEMATCH_"
SAMPLE = "sample"
"""The profile of the shipped ratings, which is used where none is named."""
EXPERIMENT = "cinematch"
"""The experiment in MLflow that holds every training and tuning."""
SERVING_PREFIX = "CINEMATCH_SERVING_"
STARTED_WITH = "CINEMATCH_STARTED_WITH_DATABASE"
"""The sha256 (hex) of the warehouse's address with which the platform started a process."""
HANDED_DOWN = frozenset({"CINEMATCH_DAGSTER_POSTGRES_URL", "CINEMATCH_SERVICE_LOG", STARTED_WITH})
"""Variables that the platform sets for its processes; nothing else does."""
OF_OTHERS = frozenset({"GITHUB_TOKEN", "DOCKER_USERNAME", "DOCKER_PASSWORD", "RENDER_DEPLOY_HOOK"})
"""Variables of other programs that `.env` may hold for them, beside those that begin so:"""
PREFIXES_OF_OTHERS = ("MLFLOW_", "AWS_", "AZURE_", "GOOGLE_")
FIRST_VERSIONS = {
    "MLFLOW_USERNAME": "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_PASSWORD": "MLFLOW_TRACKING_PASSWORD",
}
"""The first version's names of MLflow's variables."""

Share = Annotated[float, Field(gt=0, lt=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Folder = Annotated[Path, AfterValidator(lambda path: ROOT / path.expanduser())]


class SettingsError(ValueError):
    """A setting is missing, unknown or out of its range; the message names it."""


def _monday(day: datetime.date) -> datetime.date:
    if day.weekday() != 0:
        raise ValueError(f"{day} is a {day:%A}: a Monday was expected")
    return day


class Section(BaseModel):
    """A group of settings: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSettings(Section):
    """Which ratings are used, and how they are cut into a baseline and weekly batches."""

    dataset: Literal["sample", "ml-latest-small", "ml-1m", "ml-25m", "ml-32m", "synthetic"] = (
        "sample"
    )
    synthetic_ratings: int = Field(1_000_000, ge=1_000)
    max_rejected_share: float = Field(0.01, ge=0, le=1)
    start: datetime.date | None = None
    end: datetime.date | None = None
    most_recent: int = Field(1_000_000, ge=100)
    baseline_share: Share = 0.6
    train_share: Share = 0.7
    batches: int = Field(5, ge=1)
    first_week: Annotated[datetime.date, AfterValidator(_monday)] = datetime.date(2024, 1, 1)
    weeks: int = Field(52, ge=1, le=9_999)


class InjectionSettings(Section):
    """Drift injected for simulations: the last batch once more, changed in these ways."""

    shift: float = Field(0.0, ge=LOWEST - HIGHEST, le=HIGHEST - LOWEST, multiple_of=STEP)
    noise: float = Field(0.0, ge=0)
    genre_swap: tuple[str, str] | None = None
    cold_users: float = Field(0.0, ge=0, le=1)
    seed: int = Field(42, ge=0)


class TrainingSettings(Hyperparameters):
    """Hyperparameters, and the share of every batch that is kept for comparing models."""

    held_out_share: Share = 0.2


class PromotionSettings(Section):
    """What a challenger must show before it replaces the champion, and what happens then."""

    primary: Literal["ndcg", "rmse"] = "ndcg"
    minimum_gain: float = Field(0.0, ge=0)
    ndcg_tolerance: float = Field(0.01, ge=0, le=1)
    popularity_factor: float = Field(1.15, ge=0)
    minimum_ranked_users: int = Field(500, ge=2)
    minimum_slice_rows: int = Field(500, ge=1)
    rmse_tolerance: float = Field(0.002, ge=0)
    mae_tolerance: float = Field(0.002, ge=0)
    precision_tolerance: float = Field(0.005, ge=0)
    slice_tolerance: float = Field(0.02, ge=0)
    coverage_tolerance: float = Field(0.2, ge=0, le=1)
    standing_tolerance: float = Field(0.02, ge=0)
    buffer_policy: Literal["merge", "clear", "archive"] = "merge"
    keep_versions: int = Field(10, ge=1)


class OrchestrationSettings(Section):
    """How often the sensors look, how patient the runs are, and where a model is trained."""

    sensor_interval_seconds: int = Field(30, ge=1)
    retry_delay_seconds: float = Field(10.0, gt=0)
    retraining_target: Literal["dagster", "github"] = "dagster"
    schedules_on: tuple[
        Literal[
            "live_ratings_every_monday",
            "freshness_hourly",
            "database_maintenance_weekly",
            "retraining_monthly",
        ],
        ...,
    ] = ("live_ratings_every_monday", "freshness_hourly")


class GitHubSettings(Section):
    """The workflow that trains when `orchestration.retraining_target` is `github`."""

    token: SecretStr | None = None
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    workflow: str = "model_training.yml"
    ref: str = "main"
    api_url: str = "https://api.github.com"
    timeout_seconds: float = Field(10.0, gt=0)


class NoticeSettings(Section):
    """The webhook that is told of failures, drift, promotions and rollbacks, if there is one."""

    webhook_url: SecretStr | None = None
    shape: Literal["slack", "pagerduty"] = "slack"
    routing_key: SecretStr | None = None
    cooldown_minutes: float = Field(60.0, ge=0)
    timeout_seconds: float = Field(5.0, gt=0)

    @model_validator(mode="after")
    def _pagerduty_knows_whom(self) -> Self:
        if self.shape == "pagerduty" and self.webhook_url and self.routing_key is None:
            raise ValueError("routing_key: needed for shape 'pagerduty'")
        return self


class FreshnessSettings(Section):
    """How old things may get before a check says so."""

    week_max_days: float = Field(8.0, gt=0)
    model_max_days: float = Field(90.0, gt=0)
    sensor_max_minutes: float = Field(10.0, gt=0)


class _ByField(PydanticBaseSettingsSource):
    """Another source, its values under the names of their fields.

    Under an alias a value of `.env` would stand beside one of the environment, and could win.
    """

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self.source = source
        self.names = {
            alias: name
            for name, field in source.settings_cls.model_fields.items()
            if isinstance(field.validation_alias, AliasChoices)
            for alias in field.validation_alias.choices
        }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what the other source returns."""
        return self.source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return the other source's values."""
        return {self.names.get(name, name): value for name, value in self.source().items()}


class Settings(BaseSettings):
    """All settings. `load_settings()` is the way to get them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        dotenv_filtering="only_existing",  # `read_settings` refuses the others
        validate_by_name=True,
        extra="forbid",
        frozen=True,
    )

    profile: str = SAMPLE
    database_url: SecretStr | None = Field(
        None, validation_alias=AliasChoices("CINEMATCH_DATABASE_URL", "NEON_CONNECTION_STRING")
    )
    mlflow_tracking_uri: str | None = Field(
        None, validation_alias=AliasChoices("CINEMATCH_MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URI")
    )
    state_dir: Folder = ROOT / "var"
    data_dir: Folder = ROOT / "data"
    prepared_root: Folder | None = None
    dagster_port: Port = 3000
    mlflow_port: Port = 5000
    api_port: Port = 8000

    data: DataSettings = DataSettings()
    injection: InjectionSettings = InjectionSettings()
    drift: DriftPolicy = DriftPolicy()
    evidence: SecondaryThresholds = SecondaryThresholds()
    retraining: RetrainingCriteria = RetrainingCriteria()
    training: TrainingSettings = TrainingSettings()
    promotion: PromotionSettings = PromotionSettings()
    orchestration: OrchestrationSettings = OrchestrationSettings()
    github: GitHubSettings = GitHubSettings()
    notices: NoticeSettings = NoticeSettings()
    freshness: FreshnessSettings = FreshnessSettings()

    @model_validator(mode="after")
    def _target_is_reachable(self) -> Self:
        missing = [key for key in ("token", "repository") if getattr(self.github, key) is None]
        if self.orchestration.retraining_target == "github" and missing:
            keys = ", ".join(f"github.{key}" for key in missing)
            raise ValueError(f"{keys}: needed for orchestration.retraining_target 'github'")
        return self

    def with_dataset(self, dataset: str) -> Settings:
        """Return the same settings for another dataset.

        Raises:
            SettingsError: its name is not known.
        """
        try:
            data = DataSettings.model_validate(self.data.model_dump() | {"dataset": dataset})
        except ValidationError as error:
            problems = error.errors(include_input=False)
            raise SettingsError("; ".join(f"data.{_problem(p)}" for p in problems)) from None
        return self.model_copy(update={"data": data})

    @property
    def landing_dir(self) -> Path:
        """Where weekly batch files arrive."""
        return self.state_dir / "landing"

    @property
    def live_ratings_file(self) -> Path:
        """Where an API without a database keeps the ratings that users give it."""
        return self.state_dir / "live_ratings.jsonl"

    @property
    def reports_dir(self) -> Path:
        """Where the drift reports' pages lie; the API serves them under `/reports/`."""
        return self.state_dir / "reports"

    @property
    def reports_url(self) -> str:
        """The address that they are read at."""
        return f"http://127.0.0.1:{self.api_port}/reports"

    @property
    def prepared_dir(self) -> Path:
        """Where the preparation writes its files: each profile's weeks are its own."""
        name = "prepared" if self.profile == SAMPLE else f"prepared-{self.profile}"
        return (self.prepared_root or self.data_dir) / name

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking server: the configured one, else the local one."""
        return self.mlflow_tracking_uri or f"http://127.0.0.1:{self.mlflow_port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the profile's file below the environment, above the defaults; rename old keys."""
        first = tuple(map(_ByField, (init_settings, env_settings, dotenv_settings)))
        profile = next((name for s in first if (name := s().get("profile"))), SAMPLE)
        file = TomlConfigSettingsSource(settings_cls, profile_file(profile))
        found = renamed([source() for source in (*first, file)])
        return tuple(InitSettingsSource(settings_cls, values) for values in found)


def profile_file(profile: str) -> Path:
    """Return the profile's file; a profile is named by its file's stem."""
    path = PROFILES / f"{profile}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
        raise SettingsError(f"profile {profile!r} is not known: expected one of {known}")
    return path


@lru_cache
def load_settings() -> Settings:
    """Read the settings of this process once.

    Raises:
        SettingsError: as `read_settings` does.
    """
    return read_settings()


def read_settings(env_file: Path = ENV_FILE, /, **overrides: Any) -> Settings:
    """Read the settings, some of them overridden by arguments.

    Raises:
        SettingsError: naming each key that is unknown or out of range, never a secret.
    """
    ours = (name for name in os.environ if name.upper().startswith(PREFIX))
    in_file = (name for name in dotenv_values(env_file) if not _of_others(name))
    if unknown := sorted({name for name in (*ours, *in_file) if not _known(name)}):
        raise SettingsError(f"{', '.join(unknown)}: not a setting, see .env.example")
    try:
        return Settings(_env_file=env_file, **overrides)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_problem, error.errors(include_input=False)))) from None
    except UnreadableValueError as error:
        raise SettingsError(f"{error}: lists are written as JSON") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the profile is not valid TOML: {error}") from None


def _known(name: str) -> bool:
    """Whether a variable means something; the keys of a section are the section's to check."""
    variable, fields = name.upper(), Settings.model_fields.items()
    sections = tuple(f"{PREFIX}{key.upper()}__" for key, f in fields if _is_section(f))
    names = {f"{PREFIX}{key.upper()}" for key, _ in fields} | {"NEON_CONNECTION_STRING"}
    return variable in names | HANDED_DOWN or variable.startswith((SERVING_PREFIX, *sections))


def _of_others(name: str) -> bool:
    return name in OF_OTHERS or name.startswith(PREFIXES_OF_OTHERS)


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.default, BaseModel)


def _problem(error: ErrorDetails) -> str:
    path = [str(part) for part in error["loc"]]
    if path[:1] == ["training"] and path[1:2] and path[1] in HEADS:
        del path[2:3]  # the algorithm's name, which pydantic puts before its hyperparameters
    key = ".".join(path)
    if error["type"] == "union_tag_invalid":
        tag, tags = error["ctx"]["tag"], error["ctx"]["expected_tags"]
        return f"{key}.algorithm: {tag!r} is no algorithm: one of {tags} was expected"
    if error["type"] == "extra_forbidden":
        return f"{key}: not a setting"
    problem = error["msg"].removeprefix("Value error, ")
    return f"{key}: {problem}" if key else problem


def variables_of_others(env_file: Path = ENV_FILE) -> dict[str, str]:
    """Return other programs' variables: the environment's, and those that only `.env` holds.

    MLflow's have the names by which its client knows them.
    """
    in_file = {name: text for name, text in dotenv_values(env_file).items() if text}
    found = {name: text for name, text in (in_file | dict(os.environ)).items() if _of_others(name)}
    named = {name: found[old] for old, name in FIRST_VERSIONS.items() if found.get(old)}
    return named | found


def variables_for_servers(env_file: Path = ENV_FILE) -> dict[str, str]:
    """Return what a server's environment begins with: this one, others' variables, the API's."""
    ours = dotenv_values(env_file).items()
    for_api = {name: text for name, text in ours if text and name.startswith(SERVING_PREFIX)}
    return for_api | dict(os.environ) | variables_of_others(env_file)

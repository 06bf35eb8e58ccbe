"""Every setting of the platform in one typed place.

A value comes from, first match wins: an argument, a `CINEMATCH_…` environment variable
(`CINEMATCH_DRIFT__COUNT_THRESHOLD=500`), the `.env` file, the profile
(`workflow_config/profiles/<profile>.toml`), the default below. Unknown keys are refused.
"""

from __future__ import annotations

import datetime
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.aliases import AliasChoices
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cinematch_dagster.drift import DriftPolicy, RetrainingCriteria

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "workflow_config" / "profiles"

Share = Annotated[float, Field(gt=0, lt=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


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

    dataset: Literal["sample"] = "sample"
    start: datetime.date | None = None
    most_recent: int = Field(1_000_000, ge=100)
    baseline_share: Share = 0.6
    train_share: Share = 0.7
    batches: int = Field(5, ge=1)
    first_week: Annotated[datetime.date, AfterValidator(_monday)] = datetime.date(2024, 1, 1)
    weeks: int = Field(52, ge=1)


class InjectionSettings(Section):
    """Drift injected for simulations: one more batch, the last one again with shifted stars."""

    shift: float = Field(0.0, ge=-4.5, le=4.5)


class TrainingSettings(Section):
    """Hyperparameters and the share of every batch that is kept for comparing models."""

    seed: int = Field(42, ge=0)
    held_out_share: Share = 0.2
    svd_factors: int = Field(100, ge=1)
    svd_epochs: int = Field(70, ge=1)
    svd_learning_rate: float = Field(0.0035, gt=0)
    svd_regularization: float = Field(0.042, gt=0)
    svd_init_std: float = Field(0.01, gt=0)
    als_factors: int = Field(128, ge=1)
    als_iterations: int = Field(15, ge=1)
    als_regularization: float = Field(60.0, gt=0)
    als_alpha: float = Field(2.0, gt=0)
    top_n: int = Field(100, ge=10, le=500)


class PromotionSettings(Section):
    """What a challenger must show before it replaces the champion."""

    minimum_gain: float = Field(0.0, ge=0)
    mae_tolerance: float = Field(0.0, ge=0)
    precision_tolerance: float = Field(0.005, ge=0)
    standing_tolerance: float = Field(0.02, ge=0)
    buffer_policy: Literal["merge", "clear", "archive"] = "merge"


class OrchestrationSettings(Section):
    """How often the sensors look."""

    sensor_interval_seconds: int = Field(30, ge=1)


class Settings(BaseSettings):
    """All settings. `load_settings()` is the way to get them."""

    model_config = SettingsConfigDict(
        env_prefix="CINEMATCH_",
        env_nested_delimiter="__",
        env_file=ROOT / ".env",
        extra="forbid",
        frozen=True,
    )

    profile: str = "sample"
    database_url: SecretStr | None = Field(
        None, validation_alias=AliasChoices("CINEMATCH_DATABASE_URL", "NEON_CONNECTION_STRING")
    )
    mlflow_tracking_uri: str | None = None
    state_dir: Path = ROOT / "var"
    data_dir: Path = ROOT / "data"
    dagster_port: Port = 3000
    mlflow_port: Port = 5000
    api_port: Port = 8000

    data: DataSettings = DataSettings()
    injection: InjectionSettings = InjectionSettings()
    drift: DriftPolicy = DriftPolicy()
    retraining: RetrainingCriteria = RetrainingCriteria()
    training: TrainingSettings = TrainingSettings()
    promotion: PromotionSettings = PromotionSettings()
    orchestration: OrchestrationSettings = OrchestrationSettings()

    @property
    def landing_dir(self) -> Path:
        """Where weekly batch files arrive."""
        return self.state_dir / "landing"

    @property
    def prepared_dir(self) -> Path:
        """Where the preparation writes its files."""
        return self.data_dir / "prepared"

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
        """Put the profile's file below the environment and above the defaults."""
        first: tuple[PydanticBaseSettingsSource, ...] = (
            init_settings,
            env_settings,
            dotenv_settings,
        )
        profile = next((name for s in first if (name := s().get("profile"))), "sample")
        return (*first, TomlConfigSettingsSource(settings_cls, profile_file(profile)))


def profile_file(profile: str) -> Path:
    """Return the profile's file; a profile is named by its file's stem."""
    path = PROFILES / f"{profile}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
        raise SettingsError(f"profile {profile!r} is not known: expected one of {known}")
    return path


@lru_cache
def load_settings(**overrides: Any) -> Settings:
    """Read the settings once.

    Raises:
        SettingsError: naming each key that is missing, unknown or out of range.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}"
            for e in error.errors(include_input=False)
        )
        raise SettingsError("; ".join(problems)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the profile is not valid TOML: {error}") from None

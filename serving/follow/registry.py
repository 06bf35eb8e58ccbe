"""The model registry, as serving sees it: which version an alias names, and its files.

MLflow is imported on first use (it takes seconds), so call this from a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mlflow import MlflowClient

ARTIFACT = "model"
"""Key under which the MLflow model carries the folder that `serving.Model` loads."""


class LoadError(Exception):
    """No other model can be served now; the message says why and may be shown to a caller."""


class RegistryError(LoadError):
    """The registry does not answer, or does not know the model or its files."""


@dataclass(frozen=True)
class Release:
    """One version of the registered model.

    Attributes:
        version: number given by the registry.
        created: milliseconds since 1970; tells apart the versions 1 of two registries.
    """

    version: str
    created: int


class Registry:
    """Follow one alias of one registered model.

    Args:
        tracking_uri: address of the MLflow server.
        name: the registered model.
        alias: names the version to be served.
    """

    def __init__(self, tracking_uri: str, name: str, alias: str) -> None:
        self.tracking_uri = tracking_uri
        self.name = name
        self.alias = alias

    def release(self) -> Release:
        """Return the version that the alias names now; raise `RegistryError` without one."""
        with self._translated(f"no version of {self.name} has the alias {self.alias}"):
            found = self._client.get_model_version_by_alias(self.name, self.alias)
            return Release(version=str(found.version), created=found.creation_timestamp)

    def release_of(self, version: str) -> Release:
        """Return a version, whatever its aliases; raise `RegistryError` where there is none."""
        with self._translated(f"{self.name} has no version {version}"):
            found = self._client.get_model_version(self.name, version)
            return Release(version=str(found.version), created=found.creation_timestamp)

    def download(self, release: Release, folder: Path) -> Path:
        """Fetch a version into `folder`; return the folder in it that `serving.Model` loads."""
        with self._translated(f"version {release.version} of {self.name} can't be fetched"):
            import mlflow

            uri = self._client.get_model_version_download_uri(self.name, release.version)
            root = mlflow.artifacts.download_artifacts(
                artifact_uri=uri, dst_path=str(folder), tracking_uri=self.tracking_uri
            )
            flavor = mlflow.models.Model.load(root).flavors["python_function"]
            return Path(root, flavor["artifacts"][ARTIFACT]["path"])

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(self.tracking_uri)

    @contextmanager
    def _translated(self, refusal: str) -> Iterator[None]:
        """Put MLflow's errors in our words: theirs hold its address with user and password."""
        from mlflow.exceptions import MlflowException, RestException

        try:
            yield
        except RestException as error:
            raise RegistryError(f"{refusal} ({error.error_code})") from error
        except MlflowException as error:
            raise RegistryError(f"MLflow does not answer at {self._address}") from error
        except (OSError, KeyError) as error:
            raise RegistryError(f"{refusal} ({type(error).__name__})") from error

    @property
    def _address(self) -> str:
        parts = urlsplit(self.tracking_uri)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

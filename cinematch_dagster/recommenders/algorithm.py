"""What an algorithm of the settings is: hyperparameters, what tuning searches, how it is fitted.

The settings import every algorithm in every process of the platform. So a module that has one
imports what is slow to import (Surprise, implicit, scipy) where it fits, and not above.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from serving.model.heads import RankingHead, RatingHead


@dataclass(frozen=True)
class Range:
    """Bounds of a hyperparameter that tuning searches, both included.

    Attributes:
        low: the least.
        high: the most; whole numbers are drawn where both bounds are whole.
        log: drawn evenly in the logarithm.
    """

    low: int | float
    high: int | float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Algorithm(BaseModel):
    """A choice of hyperparameters: the fields, each with its default and its range."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: str
    """Its name in the settings; a literal in each subclass."""
    search: ClassVar[Mapping[str, Range]] = {}
    """What tuning draws, by field."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The values by name, without the algorithm's."""
        return self.model_dump(exclude={"algorithm"})


class RatingAlgorithm(Algorithm):
    """Predicts stars."""

    @abstractmethod
    def fit(self, interactions: Interactions, seed: int) -> RatingHead:
        """Fit a head, its rows those of the interactions; the same seed gives the same head."""


class RankingAlgorithm(Algorithm):
    """Orders movies."""

    @abstractmethod
    def fit(self, interactions: Interactions, seed: int) -> RankingHead:
        """Fit a head, its rows those of the interactions; the same seed gives the same head."""

"""The registry: every algorithm by its name, and the hyperparameters of a training."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from cinematch_dagster.recommenders.algorithm import RankingAlgorithm, RatingAlgorithm
from cinematch_dagster.recommenders.ranking.als import Als
from cinematch_dagster.recommenders.ranking.ease import Ease
from cinematch_dagster.recommenders.ranking.item_knn import ItemKnn
from cinematch_dagster.recommenders.ranking.popularity import Popularity
from cinematch_dagster.recommenders.rating.knn_baseline import Baseline, KnnBaseline
from cinematch_dagster.recommenders.rating.svd import Svd
from cinematch_dagster.recommenders.rating.svdpp import Svdpp

Rating = Svd | Svdpp | Baseline | KnnBaseline
Ranking = Als | Ease | ItemKnn | Popularity

RATING_HEADS: dict[str, type[RatingAlgorithm]] = {
    kind.model_fields["algorithm"].default: kind for kind in get_args(Rating)
}
RANKING_HEADS: dict[str, type[RankingAlgorithm]] = {
    kind.model_fields["algorithm"].default: kind for kind in get_args(Ranking)
}


class Hyperparameters(BaseModel):
    """What a training is told: an algorithm for the stars, one for the order, and how to draw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(42, ge=0)
    rating: Annotated[Rating, Field(discriminator="algorithm")] = Svd()
    ranking: Annotated[Ranking, Field(discriminator="algorithm")] = Als()
    top_n: int = Field(100, ge=10, le=500)

    @field_validator("rating", "ranking", mode="before")
    @classmethod
    def _is_named(cls, value: Any, info: ValidationInfo) -> Any:
        """Take values without a name for those of the default algorithm."""
        if isinstance(value, dict) and "algorithm" not in value:
            default = cls.model_fields[str(info.field_name)].default
            return {"algorithm": default.algorithm, **value}
        return value

    @property
    def parameters(self) -> dict[str, Any]:
        """Every value by its key in the settings' section, such as `rating.factors`."""
        heads = {"rating": self.rating, "ranking": self.ranking}
        named = {
            f"{head}.{key}": value
            for head, chosen in heads.items()
            for key, value in chosen.model_dump().items()
        }
        return {"seed": self.seed, **named, "top_n": self.top_n}

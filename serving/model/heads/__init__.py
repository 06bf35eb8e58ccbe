"""The two heads of a served model, each of one of a few kinds; the manifest names the kind."""

from __future__ import annotations

from serving.model.heads.interface import RankingHead, RatingHead
from serving.model.heads.ranking_factors import FactorRanking
from serving.model.heads.ranking_items import ItemRanking
from serving.model.heads.ranking_popularity import PopularityRanking
from serving.model.heads.rating_factors import FactorRating
from serving.model.heads.rating_neighbours import NeighbourRating

RATING_KINDS: dict[str, type[RatingHead]] = {
    "factors": FactorRating,
    "neighbours": NeighbourRating,
}
RANKING_KINDS: dict[str, type[RankingHead]] = {
    "factors": FactorRanking,
    "items": ItemRanking,
    "popularity": PopularityRanking,
}

__all__ = [
    "RANKING_KINDS",
    "RATING_KINDS",
    "FactorRanking",
    "FactorRating",
    "ItemRanking",
    "NeighbourRating",
    "PopularityRanking",
    "RankingHead",
    "RatingHead",
]

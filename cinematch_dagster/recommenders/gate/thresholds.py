"""What the gate asks of a challenger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Primary = Literal["ndcg", "rmse"]


@dataclass(frozen=True)
class Thresholds:
    """Limits of the gate's rules; names and defaults are those of the promotion settings.

    All but `standing_tolerance` are about the held-out rows since the last promotion.

    Attributes:
        primary: what decides, the order (NDCG@10) or the stars (RMSE).
        minimum_gain: RMSE, in stars; the lower bound of what is won must be above this.
        ndcg_tolerance: mean NDCG@10 that the lower bound of the difference may lie below 0.
        popularity_factor: times popularity's NDCG@10 that the challenger must reach.
        minimum_ranked_users: fewer users than this can't decide on the order.
        minimum_slice_rows: slices with fewer ratings aren't looked at.
        rmse_tolerance: RMSE that may be lost.
        mae_tolerance: MAE that may be lost.
        precision_tolerance: Precision@10 that may be lost.
        slice_tolerance: RMSE and NDCG@10 that may be lost in a slice.
        coverage_tolerance: share of the champion's catalogue coverage that may be lost.
        standing_tolerance: RMSE that may be lost on the standing test rows.
    """

    primary: Primary
    minimum_gain: float
    ndcg_tolerance: float
    popularity_factor: float
    minimum_ranked_users: int
    minimum_slice_rows: int
    rmse_tolerance: float
    mae_tolerance: float
    precision_tolerance: float
    slice_tolerance: float
    coverage_tolerance: float
    standing_tolerance: float

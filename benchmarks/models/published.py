"""What others have published, and what the platform's models are expected to reach."""

from __future__ import annotations

from typing import Final, NamedTuple

SURPRISE: Final = "Surprise's documentation"
RENDLE: Final = "Rendle et al., 2019"
PUBLISHED: Final = (
    # data, split, algorithm, RMSE, MAE, source
    ("ml-100k", "random, 5 folds", "Surprise SVD", "0.934", "0.737", SURPRISE),
    ("ml-100k", "random, 5 folds", "Surprise SVD++", "0.919", "0.721", SURPRISE),
    ("ml-100k", "random, 5 folds", "Surprise KNNBaseline", "0.931", "0.733", SURPRISE),
    ("ml-100k", "random, 5 folds", "Surprise BaselineOnly", "0.944", "0.748", SURPRISE),
    ("ml-1m", "random, 5 folds", "Surprise SVD", "0.873", "0.686", SURPRISE),
    ("ml-1m", "random, 5 folds", "Surprise SVD++", "0.862", "0.672", SURPRISE),
    ("ml-1m", "random, 5 folds", "Surprise KNNBaseline", "0.895", "0.706", SURPRISE),
    ("ml-1m", "random, 5 folds", "Surprise BaselineOnly", "0.909", "0.719", SURPRISE),
    ("ml-1m", "random 90/10", "GLocal-K", "0.8227", "", "Han et al., CIKM 2021"),
    ("ml-10m", "random 90/10", "matrix factorization by SGD, tuned", "0.772", "", RENDLE),
    ("ml-10m", "random 90/10", "Bayesian SVD++", "0.7563", "", RENDLE),
    ("ml-10m", "random 90/10", "Bayesian timeSVD++ flipped", "0.7485", "", RENDLE),
)  # fmt: skip


METRICS: Final = {
    "rmse": "RMSE", "mae": "MAE", "precision": "Precision@10", "ndcg": "NDCG@10",
}  # fmt: skip
PROTOCOLS: Final = {"static": "", "sequential": " with fold-in", "fold": ", fold protocol"}


class Target(NamedTuple):
    """A bound for a figure of a default head on one data set and split."""

    data: str
    split: str
    algorithm: str
    figure: str
    bound: float

    @property
    def at_most(self) -> bool:
        """Errors are bounded from above, ranking from below."""
        return self.figure.endswith(("rmse", "mae"))

    @property
    def words(self) -> str:
        """Which metric, and the protocol where it isn't the static one."""
        protocol, _, metric = self.figure.partition("_")
        return METRICS[metric] + PROTOCOLS[protocol]


def _targets(
    data: str, random: tuple[float, ...], time: tuple[float, ...], fold: tuple[float, ...]
) -> tuple[Target, ...]:
    """Return the bounds of one data set.

    Args:
        data: its name.
        random: RMSE, MAE, Precision@10, NDCG@10.
        time: static RMSE and MAE, then with fold-in.
        fold: Precision@10, NDCG@10.
    """
    bounds = {
        ("random", "svd"): zip(("static_rmse", "static_mae"), random[:2], strict=True),
        ("random", "als"): zip(("static_precision", "static_ndcg"), random[2:], strict=True),
        ("time", "svd"): zip(
            ("static_rmse", "static_mae", "sequential_rmse", "sequential_mae"), time, strict=True
        ),
        ("time", "als"): zip(("fold_precision", "fold_ndcg"), fold, strict=True),
    }
    return tuple(
        Target(data, *fitted, figure, bound)
        for fitted, figures in bounds.items()
        for figure, bound in figures
    )


TARGETS: Final = (
    *_targets("ml-1m", (0.840, 0.660, 0.20, 0.300), (0.955, 0.760, 0.865, 0.678), (0.175, 0.195)),
    *_targets(
        "ml-latest-small",
        (0.857, 0.655, 0.14, 0.245),
        (1.013, 0.777, 0.88, 0.667),
        (0.15, 0.165),
    ),
)

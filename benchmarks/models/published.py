"""What others have published, and what the platform's models are expected to reach."""

from __future__ import annotations

from typing import Final, NamedTuple

PUBLISHED: Final = (
    # data, split, algorithm, RMSE, MAE, source
    ("ml-100k", "random, 5 folds", "Surprise SVD", "0.934", "0.737", "Surprise's documentation"),
    ("ml-100k", "random, 5 folds", "Surprise SVD++", "0.919", "0.721", "Surprise's documentation"),
    ("ml-100k", "random, 5 folds", "Surprise KNNBaseline", "0.931", "0.733", "Surprise's documentation"),
    ("ml-100k", "random, 5 folds", "Surprise BaselineOnly", "0.944", "0.748", "Surprise's documentation"),
    ("ml-1m", "random, 5 folds", "Surprise SVD", "0.873", "0.686", "Surprise's documentation"),
    ("ml-1m", "random, 5 folds", "Surprise SVD++", "0.862", "0.672", "Surprise's documentation"),
    ("ml-1m", "random, 5 folds", "Surprise KNNBaseline", "0.895", "0.706", "Surprise's documentation"),
    ("ml-1m", "random, 5 folds", "Surprise BaselineOnly", "0.909", "0.719", "Surprise's documentation"),
    ("ml-1m", "random 90/10", "GLocal-K", "0.8227", "", "Han et al., CIKM 2021"),
    ("ml-10m", "random 90/10", "matrix factorization by SGD, tuned", "0.772", "", "Rendle et al., 2019"),
    ("ml-10m", "random 90/10", "Bayesian SVD++", "0.7563", "", "Rendle et al., 2019"),
    ("ml-10m", "random 90/10", "Bayesian timeSVD++ flipped", "0.7485", "", "Rendle et al., 2019"),
)  # fmt: skip


class Target(NamedTuple):
    """A bound for a figure of a default head on one data set and split."""

    data: str
    split: str
    algorithm: str
    figure: str
    bound: float
    words: str

    @property
    def at_most(self) -> bool:
        """Errors are bounded from above, ranking from below."""
        return self.figure.endswith(("rmse", "mae"))


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
    svd = (("static_rmse", "RMSE"), ("static_mae", "MAE"))
    folded = (("sequential_rmse", "RMSE with fold-in"), ("sequential_mae", "MAE with fold-in"))
    als = ("precision", "Precision@10"), ("ndcg", "NDCG@10")
    return (
        *(Target(data, "random", "svd", f, b, w) for (f, w), b in zip(svd, random[:2], strict=True)),
        *(
            Target(data, "random", "als", f"static_{f}", b, w)
            for (f, w), b in zip(als, random[2:], strict=True)
        ),
        *(Target(data, "time", "svd", f, b, w) for (f, w), b in zip((*svd, *folded), time, strict=True)),
        *(
            Target(data, "time", "als", f"fold_{f}", b, f"{w}, fold protocol")
            for (f, w), b in zip(als, fold, strict=True)
        ),
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

"""The ranking head `item_knn`: movies liked by the same users."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RankingAlgorithm

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from serving.model.arrays import Floats
    from serving.model.heads import ItemRanking


class ItemKnn(RankingAlgorithm):
    """Movies liked by the same users; the arguments of `fit_item_knn`."""

    algorithm: Literal["item_knn"] = "item_knn"
    links: int = Field(100, ge=1)

    search: ClassVar = {"links": Range(10, 300)}

    def fit(self, interactions: Interactions, seed: int) -> ItemRanking:  # noqa: ARG002
        """Fit the head; it draws nothing."""
        return fit_item_knn(interactions, **self.hyperparameters)


def fit_item_knn(interactions: Interactions, *, links: int) -> ItemRanking:
    """Fit cosines between the movies' columns of weights; `links` are kept of each movie."""
    import scipy.sparse as sp
    from implicit.nearest_neighbours import ItemItemRecommender

    weights = interactions.weights.astype(np.float64)
    norms = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=0)).ravel())
    unit = sp.csr_matrix(weights @ sp.diags(1 / np.maximum(norms, np.finfo(np.float32).tiny)))
    algorithm = ItemItemRecommender(K=links + 1, num_threads=1)  # a movie is nearest to itself
    algorithm.fit(unit, show_progress=False)
    cosines = algorithm.similarity.tocoo()
    others = cosines.row != cosines.col
    values = cosines.data[others].astype(np.float32)
    return item_head(interactions, cosines.row[others], cosines.col[others], values)


def item_head(
    interactions: Interactions,
    sources: npt.NDArray[np.integer],
    targets: npt.NDArray[np.integer],
    values: Floats,
) -> ItemRanking:
    """Return the head of weights from movies (rows) to movies, with its mean scores."""
    import scipy.sparse as sp

    from serving.model.heads import ItemRanking

    n_movies = len(interactions.movie_ids)
    matrix = sp.coo_array((values, (sources, targets)), shape=(n_movies, n_movies)).tocsr()
    matrix.sort_indices()
    mean = np.asarray(interactions.weights.sum(axis=0)).ravel() / len(interactions.user_ids)
    return ItemRanking(
        offsets=matrix.indptr.astype(np.int64),
        targets=matrix.indices,
        weights=matrix.data,
        mean=matrix.T @ mean.astype(np.float32),
    )

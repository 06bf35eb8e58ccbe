"""The size of a served model by what its arrays say of themselves, at MovieLens 25M's size."""

from math import prod

from serving.model.arrays import dtype_of, specs
from serving.model.artifact import REASONS, Arrays
from serving.model.heads import FactorRanking, FactorRating

SIZES = {
    "movies": 62_423,
    "users": 162_541,
    "users + 1": 162_542,
    "ratings": 25_000_095,
    "genres": 19,
    "factors": 100,
    "ranking factors": 128,
    "list": 100,
    "reasons": REASONS,
}


def size(kind: type) -> int:
    """Add up the bytes of a dataclass's arrays."""
    return sum(
        dtype_of(dtype, SIZES["movies"]).itemsize * prod(SIZES[name] for name in dimensions)
        for dtype, *dimensions in specs(kind).values()
    )


def test_both_heads_with_history_and_lists_stay_under_250_megabytes() -> None:
    total = sum(size(kind) for kind in (Arrays, FactorRating, FactorRanking))
    assert 200e6 < total < 250e6

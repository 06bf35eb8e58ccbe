"""Keys of the settings that were renamed: read under their old names, with one warning.

`training` had a flat key for every hyperparameter of every algorithm. Now the tables
`training.rating` and `training.ranking` have those of the algorithm that is chosen.
"""

import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from cinematch_dagster.recommenders.algorithms import Hyperparameters

Values = dict[str, Any]
HEADS = ("rating", "ranking")
_SVD = ("factors", "epochs", "learning_rate", "regularization")
_FLAT = {
    ("rating", "svd"): ("svd", (*_SVD, "init_std", "engine")),
    ("rating", "svdpp"): ("svdpp", _SVD),
    ("rating", "knn_baseline"): ("knn", ("neighbours", "links")),
    ("ranking", "als"): ("als", ("factors", "iterations", "regularization", "alpha")),
    ("ranking", "ease"): ("ease", ("regularization", "links", "max_movies")),
    ("ranking", "item_knn"): ("item_knn", ("links",)),
    ("ranking", "popularity"): ("popularity", ("half_life_days",)),
}
"""By head and algorithm: what its old keys began with, and how they went on."""


def _old_keys() -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Yield each old key with its head, its algorithm and its present name."""
    for (head, algorithm), (prefix, names) in _FLAT.items():
        for name in names:
            yield f"{prefix}_{name}", (head, algorithm, name)
    yield "svd_init_std", ("rating", "svdpp", "init_std")


def renamed(sources: Sequence[Values]) -> list[Values]:
    """Return what each source of settings says, under the present names.

    The hyperparameters that a source gives for another algorithm than the one that is chosen are
    left out: so choosing an algorithm by a variable does not clash with the profile's values.

    Args:
        sources: the values of each, the one that wins first.
    """
    found = [deepcopy(source) for source in sources]
    notes: dict[str, str] = {}
    trainings = [t for source in found if isinstance(t := source.get("training"), dict)]
    for training in trainings:
        for head in HEADS:
            if f"{head}_head" in training:
                _table(training, head)["algorithm"] = training.pop(f"{head}_head")
                notes[f"training.{head}_head"] = f"training.{head}.algorithm"
    for head in HEADS:
        chosen = _chosen(trainings, head)
        for training in trainings:
            _choose(training, head, chosen)
            notes |= _moved(training, head, chosen)
    if notes:
        lines = "; ".join(f"{old} is now {new}" for old, new in notes.items())
        warnings.warn(f"settings with old names: {lines}", FutureWarning, stacklevel=2)
    return found


def _table(training: Values, head: str) -> Values:
    table: Values = training.setdefault(head, {})
    return table


def _chosen(trainings: Sequence[Values], head: str) -> str:
    """Return the algorithm of a head: the first that is named, else the default."""
    for training in trainings:
        table = training.get(head)
        if isinstance(table, dict) and "algorithm" in table:
            return str(table["algorithm"])
    return str(Hyperparameters.model_fields[head].default.algorithm)


def _choose(training: Values, head: str, chosen: str) -> None:
    """Leave out a table that is of another algorithm."""
    table = training.get(head)
    if isinstance(table, dict) and table.get("algorithm", chosen) != chosen:
        del training[head]


def _moved(training: Values, head: str, chosen: str) -> dict[str, str]:
    """Move old keys of a head into its table; returns what each is called now."""
    notes: dict[str, str] = {}
    keys = [(old, algorithm, name) for old, (of, algorithm, name) in _old_keys() if of == head]
    for old, algorithm, name in keys:
        if algorithm == chosen and old in training:
            _table(training, head).setdefault(name, training.pop(old))
            notes[old] = f"{head}.{name}"
    for old, algorithm, name in keys:
        if old in training:
            del training[old]
            notes[old] = f"{head}.{name} with the algorithm {algorithm}, which is not chosen"
    return {f"training.{old}": f"training.{new}" for old, new in notes.items()}

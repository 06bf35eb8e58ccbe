"""The results in words and tables, from whatever has been measured so far."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.models.published import PUBLISHED, TARGETS, Target
from benchmarks.models.quality import FIRST_SEED
from benchmarks.models.store import Figures, Store
from benchmarks.report import against_target, table

GB, MS = 2**30, 1_000
LARGE = 25_000_000
"""Ratings from which on the targets of loading and memory hold."""
RANDOM = ("static_rmse", "static_mae", "static_precision", "static_ndcg", "fit_seconds")
TIME = (
    "static_rmse", "static_mae", "sequential_rmse", "sequential_mae",
    "fold_rmse", "fold_precision", "fold_ndcg",
)  # fmt: skip
COLD_ORDER = (
    "cold_place", "cold_ndcg", "cold_ndcg_chance", "cold_hit_rate", "cold_hit_rate_chance",
    "cold_listed", "warm_ndcg_without", "warm_ndcg",
)  # fmt: skip
COLD_ORDER_COLUMNS = (
    "data", "algorithm", "place", "NDCG@10", "by chance", "hit rate", "by chance",
    "share of lists", "NDCG@10 of the others, without guesses", "with guesses",
)  # fmt: skip
COLD_STARS = ("cold_rmse_without", "cold_rmse")
COLD_STARS_COLUMNS = ("data", "algorithm", "RMSE without guesses", "with guesses")
Means = dict[str, dict[str, dict[str, float]]]


def means(store: Store, data: str) -> Means:
    """Return the means over the seeds: split, algorithm, figure; `seeds` is how many."""
    runs: dict[str, dict[str, list[Figures]]] = {}
    for name, figures in store.figures(f"quality/{data}/").items():
        split, algorithm, _ = name.split("/")
        runs.setdefault(split, {}).setdefault(algorithm, []).append(figures)
    return {
        split: {algorithm: _mean(found) for algorithm, found in algorithms.items()}
        for split, algorithms in runs.items()
    }


def _mean(runs: Sequence[Figures]) -> dict[str, float]:
    found = {name: statistics.fmean(run[name] for run in runs) for name in runs[0]}
    return found | {"seeds": len(runs)}


def quality_section(store: Store, data: str) -> str:
    """Render one data set: both splits, every algorithm, then the targets."""
    found = means(store, data)
    parts = [f"### Quality on {data}\n", store.measured([f"quality/{data}/"])]
    if "random" in found:
        parts += [_random_words(found["random"]), _random(found["random"])]
    if "time" in found:
        parts += [_time_words(data), _time(found["time"])]
    if reached := targets(found, data):
        parts += ["Against the targets, with the default heads and hyperparameters:\n", reached]
    return "\n".join(parts)


def _random_words(found: Mapping[str, Mapping[str, float]]) -> str:
    seeds = max(int(figures["seeds"]) for figures in found.values())
    return (
        f"Random 90/10, mean of the seeds from {FIRST_SEED} on ({seeds} at most). For comparison "
        "with papers only.\n"
    )


def _random(found: Mapping[str, Mapping[str, float]]) -> str:
    columns = ("algorithm", "RMSE", "MAE", "Precision@10", "NDCG@10", "fit, s", "seeds")
    return table(
        columns,
        [
            (f"`{name}`", *_digits(figures, RANDOM[:-1]), f"{figures['fit_seconds']:.1f}",
             int(figures["seeds"]))
            for name, figures in found.items()
        ],
    )  # fmt: skip


def _time_words(data: str) -> str:
    return (
        f"The oldest 70 % of {data} against the rest: as trained; with each user's test ratings "
        "folded in once they are predicted, in steps of a tenth of those before; by the fold "
        "protocol.\n"
    )


def _time(found: Mapping[str, Mapping[str, float]]) -> str:
    columns = (
        "algorithm", "RMSE", "MAE", "RMSE, fold-in", "MAE, fold-in",
        "RMSE, fold", "Precision@10, fold", "NDCG@10, fold",
    )  # fmt: skip
    return table(columns, [(f"`{name}`", *_digits(f, TIME)) for name, f in found.items()])


def cold_section(store: Store, names: Sequence[str]) -> str:
    """Render for the guide what is made of movies that nobody rated."""
    stars: list[tuple[str, ...]] = []
    order: list[tuple[str, ...]] = []
    for data in names:
        for algorithm, figures in means(store, data).get("cold", {}).items():
            line = data, f"`{algorithm}`"
            if "cold_rmse" in figures:
                stars.append((*line, *_digits(figures, COLD_STARS)))
            else:
                order.append((*line, *_digits(figures, COLD_ORDER)))
    measured = store.measured(f"quality/{name}/cold/" for name in names)
    return "\n".join((measured, table(COLD_ORDER_COLUMNS, order), table(COLD_STARS_COLUMNS, stars)))


def _digits(figures: Mapping[str, float], names: Iterable[str]) -> list[str]:
    return [f"{figures[name]:.4f}" if name in figures else "" for name in names]


def targets(found: Means, data: str) -> str:
    """Return the table of the data set's targets; empty where it has none, or nothing is known."""
    rows = [
        (f"{t.split}: {t.words}, `{t.algorithm}`", f"{value:.4f}", _verdict(value, t))
        for t in TARGETS
        if t.data == data
        and (value := found.get(t.split, {}).get(t.algorithm, {}).get(t.figure)) is not None
    ]
    return table(("figure", "measured", "target"), rows) if rows else ""


def targets_section(store: Store, names: Sequence[str]) -> str:
    """Render for the guide the targets of each data set that has any."""
    found = {data: targets(means(store, data), data) for data in names}
    measured = store.measured(f"quality/{data}/" for data in names if found[data])
    tables = (f"{data}:\n\n{text}" for data, text in found.items() if text)
    return "\n".join((measured, *tables))


def _verdict(value: float, target: Target) -> str:
    if (value <= target.bound) if target.at_most else (value >= target.bound):
        return against_target(value, target.bound, at_most=target.at_most)
    wanted = f"{'at most' if target.at_most else 'at least'} {target.bound:g}"
    return f"{wanted}: missed by {abs(value - target.bound):.4f}"


def published_section() -> str:
    """Render what others have published."""
    columns = ("data", "split", "algorithm", "RMSE", "MAE", "source")
    return f"### Published figures\n\n{table(columns, PUBLISHED)}"


def summary(store: Store, names: Sequence[str]) -> str:
    """Render for the guide what the default heads reach on each data set by the fold protocol."""
    rows = []
    for data in names:
        found = means(store, data)
        for split, protocol in (("random", "static"), ("time", "fold")):
            for algorithm, figures in found.get(split, {}).items():
                shown = [f"{protocol}_{f}" for f in ("rmse", "mae", "precision", "ndcg")]
                words = "random 90/10" if protocol == "static" else "time 70/30, fold protocol"
                rows.append((data, words, f"`{algorithm}`", *_digits(figures, shown)))
    columns = ("data", "split", "algorithm", "RMSE", "MAE", "Precision@10", "NDCG@10")
    measured = store.measured(f"quality/{name}/" for name in names)
    return f"{measured}\n{table(columns, rows)}"


def speed_section(store: Store, rows: int) -> str:
    """Render what was timed with one number of ratings."""
    found = store.figures(f"speed/{rows}/")
    parts = [f"### Speed with {rows:,} ratings\n", store.measured([f"speed/{rows}/"])]
    lines = [
        line
        for part, render in _LINES.items()
        if part in found
        for line in render(found[part] | {"of": float(rows)})
    ]
    if lines:
        columns = ("what", "the platform", "Surprise", "ratio", "target")
        parts += [table(columns, lines)]
    if fit := found.get("fitting"):
        away, pairs = fit["largest_difference"], int(fit["pairs"])
        parts += [f"The two fits differ by at most {away:.1g} stars on {pairs:,} pairs.\n"]
    if everybody := found.get("all_users"):
        users, movies = int(everybody["users"]), int(everybody["movies"])
        parts += [
            f"All users are {users:,}, {movies:,} movies are rated; Surprise's time is "
            "extrapolated from some of the users.\n"
        ]
    if job := found.get("training"):
        parts += [_training(job)]
    return "\n".join(parts)


_PARTS = {
    "fit": "fitting", "write": "writing", "score": "scoring", "check": "checking",
    "curve": "the learning curve",
}  # fmt: skip
"""What a training job does, in this order, and the words for it."""


def growth_section(store: Store) -> str:
    """Render whole training jobs beside each other, the smallest first; empty without any."""
    jobs = {
        int(name.partition("/")[0]): job
        for name, job in store.figures("speed/").items()
        if name.endswith("/training")
    }
    if not jobs:
        return ""
    lines = [
        (
            f"{rows:,}",
            *(f"{job[part] * 1e6 / rows:.1f}" if part in job else "" for part in _PARTS),
            f"{job['peak_bytes'] / GB:.2f} GB",
            f"{job['model_bytes'] / 2**20:.0f} MB",
            against_target(job["peak_bytes"] / GB, 8, " GB", at_most=True) if rows >= LARGE else "",
        )
        for rows, job in sorted(jobs.items())
    ]
    columns = (
        "ratings", *(f"{part}, s" for part in _PARTS), "peak memory", "model", "target of memory",
    )  # fmt: skip
    measured = store.measured(f"speed/{rows}/training" for rows in jobs)
    words = (
        "Whole training jobs, seconds for each million ratings. The curve is the learning curve.\n"
    )
    return "\n".join(("### Growth of a training job\n", measured, words, table(columns, lines)))


def _loading(f: Figures) -> list[tuple[str, ...]]:
    fast = f["ours_seconds"], f["surprise_seconds"]
    small = f["ours_bytes"] / GB, f["surprise_bytes"] / GB
    times, less = (20, 8) if f["of"] >= LARGE else (None, None)
    return [
        _line("load to a training set", fast, "s", times),
        _line("memory for it", small, "GB", less),
    ]


def _fitting(f: Figures) -> list[tuple[str, ...]]:
    fit, evaluation = (_pair(f, what) for what in ("fit", "evaluation"))
    return [
        _line("SVD, ten passes", fit, "s", 4),
        _line("predict the pairs, RMSE", evaluation, "s", 20),
    ]


def _one_user(f: Figures) -> list[tuple[str, ...]]:
    ours, theirs = (value * MS for value in _pair(f, "list"))
    rows = [_line("one user's top 10 of 60,000 movies, p50", (ours, theirs), "ms", 100)]
    bounds = (
        ("the same, alone", ours, 2.0),
        ("fold-in for stars, p50", f["stars_fold_in"] * MS, 0.5),
        ("fold-in for the order, p50", f["order_fold_in"] * MS, 0.5),
    )
    rows += [
        (what, f"{value:.3f} ms", "", "", against_target(value, bound, " ms", at_most=True))
        for what, value, bound in bounds
    ]
    return rows


def _all_users(f: Figures) -> list[tuple[str, ...]]:
    return [_line("every user's top 10", _pair(f, "lists"), "s", 300)]


def _pair(f: Figures, what: str) -> tuple[float, float]:
    return f[f"{what}_ours"], f[f"{what}_surprise"]


def _line(what: str, pair: tuple[float, float], unit: str, target: float | None) -> tuple[str, ...]:
    ours, theirs = pair
    ratio = theirs / max(ours, 1e-9)
    wanted = "" if target is None else against_target(ratio, target)
    return what, f"{ours:.3g} {unit}", f"{theirs:.3g} {unit}", f"{ratio:.1f}", wanted


def _training(f: Figures) -> str:
    parts = ", ".join(f"{words} {f[part]:.1f} s" for part, words in _PARTS.items() if part in f)
    return (
        f"A whole training job on {int(f['rows']):,} of the ratings, reading left out: {parts}. "
        f"The process had at most {f['peak_bytes'] / GB:.2f} GB in use; the model takes "
        f"{f['model_bytes'] / 2**20:.0f} MB.\n"
    )


_LINES: Mapping[str, Callable[[Figures], list[tuple[str, ...]]]] = {
    "loading": _loading,
    "fitting": _fitting,
    "one_user": _one_user,
    "all_users": _all_users,
}

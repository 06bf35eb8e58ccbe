"""The demo's report as tables for a terminal, and the same tables as Markdown for the docs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

Report = dict[str, Any]
FIGURES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "ndcg_at_10": "NDCG@10",
    "precision_at_10": "Precision@10",
}
"""What a model's row shows: of the stars, and of the order."""
_TESTS = ("rating_distribution_ks", "rating_mean", "rating_std")


@dataclass(frozen=True)
class Section:
    """One table: a title, the names of its columns and its rows, all text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the table in GitHub's Markdown, without the title."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")


def sections(report: Report) -> list[Section]:
    """Return the report's tables in the order of the scenario."""
    return [
        _alone(report),
        _so_far(report),
        decisions(report),
        models(report),
        _serving(report),
        recommendations(report),
    ]


def show(report: Report, console: Console) -> None:
    """Print the tables."""
    for section in sections(report):
        table = Table(*section.columns, title=section.title, title_justify="left", box=SIMPLE_HEAD)
        for row in section.rows:
            table.add_row(*map(Text, row))  # square brackets are no markup
        console.print(table)


def _views(view: dict[str, float]) -> list[str]:
    formats = (".4f", "+.4f", "+.4f")
    return [f"{view[name]:{form}}" for name, form in zip(_TESTS, formats, strict=True)]


def weeks(report: Report) -> Section:
    """Return a row a week: both views against the training data, and the verdict."""
    names = ("KS", "mean", "std")
    columns = ("week", "rows", *(f"{n} alone" for n in names), *(f"{n} so far" for n in names))
    rows = [
        (
            _batch(w),
            f"{w['rows']:,}",
            *_views(w["per_batch"]),
            *_views(w["cumulative"]),
            w["verdict"].partition(" - ")[0].lower(),
            _performance(w["performance"]),
        )
        for w in report["weeks"]
    ]
    last = ("verdict", "RMSE before training")
    return Section("The weeks against the training data", (*columns, *last), tuple(rows))


def _alone(report: Report) -> Section:
    rows = [
        (
            _batch(w),
            f"{w['rows']:,}",
            *_views(w["per_batch"]),
            _performance(w["performance"]),
        )
        for w in report["weeks"]
    ]
    columns = ("week", "rows", "KS", "mean", "std", "RMSE before training")
    return Section("Each week alone, against the training data", columns, tuple(rows))


def _so_far(report: Report) -> Section:
    rows = [
        (_batch(w), *_views(w["cumulative"]), w["verdict"].partition(" - ")[0].lower())
        for w in report["weeks"]
    ]
    columns = ("week", "KS", "mean", "std", "verdict")
    return Section("All weeks since the last promotion", columns, tuple(rows))


def _performance(performance: Report | None) -> str:
    """Say how far from the RMSE of its own test the model was."""
    if performance is None:
        return "no model"
    change = performance["rmse"] / performance["against"]["rmse"] - 1
    alert = ", alert" if performance["alert"] else ""
    return f"{performance['rmse']:.4f} (version {performance['version']}: {change:+.1%}{alert})"


def _batch(week: Report) -> str:
    label = f" (injected: {week['injected']})" if week["injected"] else ""
    return f"{week['batch_id']}{label}"


def decisions(report: Report) -> Section:
    """Return a row a decision about retraining."""
    rows = [
        (", ".join(d["weeks"]), d["decision"], f"{d['buffer_size']:,}", d["reason"])
        for d in report["decisions"]
    ]
    return Section("Decisions", ("week", "decision", "buffer", "reason"), tuple(rows))


def models(report: Report) -> Section:
    """Return a row a model with its reason, and one for the champion on the same rows."""
    rows: list[tuple[str, ...]] = []
    for model in report["models"]:
        rows.append(
            (
                f"{model['version']} ({'promoted' if model['promoted'] else 'kept out'})",
                f"{model['data_size']:,}",
                *_scores(model),
                model["reason"],
            )
        )
        if champion := model["champion"]:
            rows.append(("champion, same rows", "", *_scores(champion), ""))
    columns = ("model", "trained on", *FIGURES.values(), "why")
    return Section("Models", columns, tuple(rows))


def _scores(scores: Report) -> Sequence[str]:
    return [figure(scores, name) for name in FIGURES]


def figure(scores: Report, name: str) -> str:
    """Return a figure as text; reports of before there were ranking metrics lack some."""
    return f"{scores[name]:.4f}" if name in scores else ""


def _serving(report: Report) -> Section:
    serving = report["serving"]
    again = report["dropped_again"]
    rows = (
        ("requests during the story", f"{serving['requests']:,}"),
        ("by status", _counts(serving["by_status"])),
        ("by model version", _counts(serving["by_version"])),
        ("promotion to first answer", f"{serving['seconds_to_new_version']:.1f} s"),
        (f"{again['batch_id']} dropped again", f"{again['runs_started']} runs: {again['said']}"),
        ("size of the warehouse", f"{report['database_megabytes']} MB"),
        ("the whole story", f"{sum(report['seconds'].values()):.0f} s"),
    )
    return Section("Serving", ("measured", "value"), rows)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{key}: {n:,}" for key, n in counts.items())


def recommendations(report: Report) -> Section:
    """Return the followed user's list before and after the promotion."""
    serving = report["serving"]
    pairs = zip(serving["recommendations_before"], serving["recommendations_after"], strict=True)
    rows = tuple(
        (str(place), before["title"], after["title"], after["reason"])
        for place, (before, after) in enumerate(pairs, start=1)
    )
    title = f"Recommendations for user {serving['user_id']}"
    return Section(title, ("", "before", "after", "why"), rows)

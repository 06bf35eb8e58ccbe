"""The docs' tables: `python -m cinematch_dagster.demo.docs var/demo/report.json`.

What a run measured, without what differs from run to run, becomes `docs/simulation.json`; for
another profile than the sample, `docs/simulation-<profile>.json`. README.md and the guides take
their tables from these files, from `<!-- table: NAME -->` or `<!-- table: PROFILE NAME -->` to
`<!-- end -->`.
"""

import json
import re
from pathlib import Path
from typing import Any

import typer

from cinematch_dagster.demo import show
from cinematch_dagster.demo.show import Report, Section
from cinematch_dagster.recommenders.evaluation import K
from cinematch_dagster.settings import ROOT, SAMPLE

DIGITS = 6
_TABLE = re.compile(
    r"(?<=<!-- table: )(?P<marker>((?P<profile>[\w-]+) )?(?P<name>\w+)) -->\n.*?(?=<!-- end -->)",
    re.DOTALL,
)


def simulation_file(profile: str) -> Path:
    """Return where the docs keep what the scenario of a profile measured."""
    return Path("docs", "simulation.json" if profile == SAMPLE else f"simulation-{profile}.json")


def lasting(report: Report) -> Report:
    """Return what another run measures again: no durations, sizes, numbers of requests; six digits.

    The sample may be passed on; of other data sets nothing is kept that tells of a single user.
    """
    serving = report["serving"]
    answers = serving["by_status"]
    kept = {key: v for key, v in report.items() if key not in {"seconds", "database_megabytes"}}
    kept["serving"] = {
        "failed_requests": sum(n for status, n in answers.items() if status != "200"),
        "versions": sorted(serving["by_version"], key=int),
    }
    if report["profile"] == SAMPLE:
        of_a_user = ("user_id", "recommendations_before", "recommendations_after")
        kept["serving"] |= {key: serving[key] for key in of_a_user}
    return dict(_rounded(kept))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def tables(simulation: Report) -> dict[str, str]:
    """Return each table in Markdown, by the name that its marker has."""
    sections = {
        "weeks": show.weeks(simulation),
        "decisions": show.decisions(simulation),
        "models": show.models(simulation),
        "scores": _scores(simulation),
        "serving": _serving(simulation),
    }
    if simulation["profile"] == SAMPLE:
        sections["recommendations"] = show.recommendations(simulation)
    return {name: section.markdown() for name, section in sections.items()}


def _scores(simulation: Report) -> Section:
    """Return every figure that the gate looked at."""
    rows = tuple(
        (
            model["version"],
            rows_name.replace("_", "-"),
            contender,
            f"{scores['rows']:,}",
            *(show.figure(scores, figure) for figure in show.FIGURES),
            show.figure(scores, "coverage"),
            _hits(scores),
        )
        for model in simulation["models"]
        for rows_name in ("held_out", "standing")
        for contender, scores in sorted(model[rows_name].items(), reverse=True)
    )
    columns = ("decision on", "rows", "model", "ratings", *show.FIGURES.values())
    return Section("What the gate compared", (*columns, "coverage", "hits"), rows)


def _hits(scores: Report) -> str:
    recommended = K * scores["users"]
    return f"{round(scores['precision_at_10'] * recommended)} of {recommended}"


def _serving(simulation: Report) -> Section:
    serving, again = simulation["serving"], simulation["dropped_again"]
    rows = (
        ("answers with another status than 200", str(serving["failed_requests"])),
        ("model versions that answered", ", then ".join(serving["versions"])),
        (f"runs started by {again['batch_id']} dropped again", str(again["runs_started"])),
        ("what the sensor said to it", again["said"]),
        ("rows in `ratings` before it and after", _before_and_after(again)),
    )
    return Section("Serving", ("measured", "value"), rows)


def _before_and_after(again: Report) -> str:
    counts = (again[when]["ratings"] for when in ("rows_before", "rows_after"))
    return ", ".join(f"{n:,}" for n in counts)


def fill(text: str, simulation: Report) -> str:
    """Return a document with its tables of a simulation's profile brought up to date.

    Raises:
        KeyError: a marker names a table that there is not.
    """
    found = tables(simulation)

    def filled(marker: re.Match[str]) -> str:
        if (marker["profile"] or SAMPLE) != simulation["profile"]:
            return marker[0]
        return f"{marker['marker']} -->\n\n{found[marker['name']]}\n\n"

    return _TABLE.sub(filled, text)


def documents(root: Path) -> list[Path]:
    """Return the documents that may have tables."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def write(report: Path) -> None:
    """Keep what a report measured, and bring the tables of README.md and docs/ up to date."""
    simulation = lasting(json.loads(report.read_text()))
    text = json.dumps(simulation, indent=2, ensure_ascii=False)
    (ROOT / simulation_file(simulation["profile"])).write_text(f"{text}\n")
    for path in documents(ROOT):
        path.write_text(fill(path.read_text(), simulation))


if __name__ == "__main__":
    typer.run(write)

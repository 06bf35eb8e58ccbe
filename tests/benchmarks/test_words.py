"""What the guides say by hand of the figures is what was measured."""

import re

import pytest

from benchmarks.common.pages import DOCS, results_of

FIGURES = {part: results_of(part).figures() for part in ("data", "models", "platform", "serving")}


def quoted() -> list[str]:
    """Sentences of the guides, with their figures from the results."""
    million, large = FIGURES["data"]["1000000"], FIGURES["data"]["25000000"]
    speed = FIGURES["models"]["speed"]["1000000"]
    quality = FIGURES["models"]["quality"]
    small, many = (FIGURES["serving"][name] for name in ("ml-1m", "ml-25m"))
    known = small["ways"]["known user"]["p99_ms"]
    bare = small["ways"]["bare FastAPI, a constant"]["p99_ms"]
    share = [
        data["loading"]["baseline"]["raw COPY, the limit"]["seconds"]
        * data["loading"]["baseline"]["the platform"]["rows"]
        / data["loading"]["baseline"]["the platform"]["seconds"]
        / data["loading"]["baseline"]["raw COPY, the limit"]["rows"]
        for data in (million, large)
    ]
    reads = [
        ways["the platform"]["rows"]
        / ways["the platform"]["seconds"]
        * ways["pandas.read_sql"]["seconds"]
        / ways["pandas.read_sql"]["rows"]
        for ways in (data["reading"]["ways"] for data in (million, large))
    ]
    weeks, most = FIGURES["platform"]["weeks"]["weeks"], FIGURES["platform"]["weeks"]["backfill"]
    svd, biases = (
        quality["ml-latest-small"]["random"][name]["static_rmse"] for name in ("svd", "baseline")
    )
    return [
        f"{share[0]:.2f} instead of 0.5",
        f"was {reads[0]:.1f} and {reads[1]:.1f} times `pandas.read_sql` instead of 5",
        f"SVD's passes** are {speed['fitting']['fit']['ratio']:.1f} and the evaluation of pairs "
        f"{speed['fitting']['evaluation']['ratio']:.1f} times faster",
        f"All users' lists** take {speed['all_users']['lists']['ratio']:.0f} instead of 300",
        f"One user's list** takes {1000 * speed['one_user']['list']['ours']:.1f} instead of 2 ms",
        f"is {quality['ml-1m']['time']['als']['fold_ndcg']:.4f} instead of 0.195",
        f"the biases alone stand at {biases:.3f} on the random split and "
        f"{quality['ml-latest-small']['time']['baseline']['static_rmse']:.3f} on the cut in time",
        f"the default head is {biases - svd:.3f} better on the first",
        f"is {small['p99_of_bare']:.1f} times bare FastAPI's, {known:.1f} against {bare:.1f} ms",
        f"ml-25m it is {many['p99_of_bare']:.1f} times",
        f"{weeks} weeks by one backfill** take between 150 and {most + 1:.0f} seconds",
    ]


@pytest.mark.parametrize("sentence", quoted())
def test_a_figure_in_the_words_is_the_measured_one(sentence: str) -> None:
    text = re.sub(r"\s+", " ", (DOCS / "benchmarks.md").read_text())
    assert sentence in text

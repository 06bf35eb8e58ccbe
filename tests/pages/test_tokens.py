"""The colours of all pages: readable in both schemes, the same everywhere."""

import re

import pytest

from cinematch_dagster.settings import ROOT

STATIC = ROOT / "serving" / "pages" / "static"
KIT = ROOT / "serving" / "kit" / "static"
TEXTS = ("ink", "soft", "total", "drift", "early", "fine", "none", "alone")
GROUNDS = ("page", "panel", "raised")


def colours(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))


def schemes() -> dict[str, dict[str, str]]:
    light, dark = (KIT / "tokens.css").read_text().split("@media", 1)
    return {"light": colours(light), "dark": colours(light) | colours(dark)}


def families() -> dict[str, dict[str, str]]:
    lines = re.findall(r"^\.(\w+) +\{(.*)\}$", (STATIC / "genres.css").read_text(), re.MULTILINE)
    return {name: colours(text) for name, text in lines}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_knows_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_texts_can_be_read_and_stars_be_seen(scheme: str, ground: str) -> None:
    known = schemes()[scheme]
    poor = {name: contrast(known[name], known[ground]) for name in TEXTS}
    assert {name: found for name, found in poor.items() if found < 4.5} == {}
    for name in ("star", "empty"):
        assert contrast(known[name], known["page"]) >= 3


@pytest.mark.parametrize("family", families())
def test_titles_on_posters_can_be_read(family: str) -> None:
    known = families()[family]
    assert contrast(known["on"], known["ground"]) >= 4.5
    assert contrast(known["one"], known["ground"]) >= 1.5


def test_each_genre_has_a_motif_and_a_family() -> None:
    genres = (STATIC / "genres.js").read_text()
    telling = re.findall(
        r'"([\w-]+)"', genres[genres.index("TELLING =") : genres.index("familyOf")]
    )
    motifs = re.findall(r'^  "([\w-]+)": \(at\)', (STATIC / "poster.js").read_text(), re.MULTILINE)
    assert set(telling) <= set(motifs)
    assert len(set(telling)) == 18
    used = re.findall(r"^  (\w+): \[", genres, re.MULTILINE)
    assert set(used) == set(families())
